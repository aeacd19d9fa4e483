import type { Learner } from "../circuits/mod.ts";
import type { EngineChoice, EngineName } from "../foundation/engine_choice.ts";
import type { TuningStore } from "./webgpu/tuning.ts";

export type { EngineChoice, EngineName };

/** Runs one circuit fast: all queries, and learning. */
export interface Engine extends Learner {
  /** Which engine it is. */
  readonly name: EngineName;
  /** What it runs on, in words: what a report says beside a time. */
  readonly adapter: string;
}

/** What opening an engine takes. */
export interface EngineOptions {
  /** The engine; `auto` (when left out) takes a hardware GPU if there is one, else the CPU. */
  readonly engine?: EngineChoice;
  /** Bytes that activations may take; larger batches are split. Half a GiB when left out. */
  readonly memory?: number;
  /** Part of the name of the adapter for `webgpu`, in any case; with `auto` it chooses `webgpu`. */
  readonly adapter?: string;
  /** Where measurements that make `webgpu` faster are kept; nothing is measured when left out. */
  readonly tuning?: TuningStore;
  /** Called when the GPU was lost and the work goes on with a new device. */
  readonly onLoss?: (reason: string) => void;
  /** Threads of the CPU engine; as many as the machine has cores when left out. */
  readonly threads?: number;
}
