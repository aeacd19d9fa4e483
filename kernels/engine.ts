import type { Learner } from "../circuits/mod.ts";
import type { EngineChoice, EngineName } from "../foundation/engine_choice.ts";
import type { KeptGraphs } from "./onnx/kept_graphs.ts";
import type { TuningStore } from "./webgpu/tuning.ts";

export type { EngineChoice, EngineName };

/** An engine for one circuit: fast queries and learning. */
export interface Engine extends Learner {
  /** Name of the engine. */
  readonly name: EngineName;
  /** Description of the hardware, for reports next to timings. */
  readonly adapter: string;
}

/** Options of `openEngine`. */
export interface EngineOptions {
  /** The engine; `auto` (the default) picks a hardware GPU if there is one, otherwise the CPU. */
  readonly engine?: EngineChoice;
  /** Bytes for activations; larger batches are split. Default: 512 MiB. */
  readonly memory?: number;
  /** Part of the adapter's name for `webgpu`, case-insensitive; with `auto` it selects `webgpu`. */
  readonly adapter?: string;
  /** Store for measurements that speed up `webgpu`; without one, nothing is measured. */
  readonly tuning?: TuningStore;
  /** Called when the GPU was lost and work continues on a new device. */
  readonly onLoss?: (reason: string) => void;
  /** Threads of the CPU engine. Default: one per core. */
  readonly threads?: number;
  /** Compiled graphs of earlier engines for the CPU engine, which leaves its own there; without it, they end with it. */
  readonly graphs?: KeptGraphs;
}
