import type { Learner } from "../circuits/mod.ts";

/** Names of the engines. */
export type EngineName = "cpu" | "webgpu";

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
  readonly engine?: EngineName | "auto";
  /** Bytes that activations may take; larger batches are split. Half a GiB when left out. */
  readonly memory?: number;
  /** Threads of the CPU engine; as many as the machine has cores when left out. */
  readonly threads?: number;
}

/** The default of {@link EngineOptions.memory}. */
export const DEFAULT_MEMORY = 2 ** 29;
