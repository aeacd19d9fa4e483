import type { EngineChoice } from "../foundation/engine_choice.ts";

/** Checkpoints of a long stage, typed by the stage's `checkpoint` codec and tied to the node's key. */
export interface Checkpoints<R, W = R> {
  /** The last state saved for this key, or undefined. A damaged one is set aside. */
  load(): Promise<R | undefined>;
  /** Saves a state immediately, replacing the previous one. */
  save(state: W): Promise<void>;
  /**
   * Call this wherever the stage could resume. Saves only when a checkpoint is due (every 30 s, see
   * `RETORT_CHECKPOINT_SECONDS`) or when the run is being stopped, in which case it throws InterruptedError after
   * saving. `make` is called only when a state is saved.
   */
  offer(make: () => W | Promise<W>): Promise<void>;
  /**
   * Makes the next {@link offer} save, for stages that learn that their work is at risk, for example because a
   * device was lost.
   */
  soon(): void;
}

/** JSON values by name that persist between runs. */
export interface KeptValues {
  /** All values; empty if there are none or they cannot be read. */
  load(): Readonly<Record<string, unknown>>;
  /** Adds a value or replaces the one of that name. */
  save(name: string, value: unknown): void;
}

/**
 * What a stage may use besides its inputs and parameters. Except for the seed, none of it may affect the outputs.
 */
export interface StageContext<CR = unknown, CW = CR> {
  /** The node's name in the pipeline. */
  readonly node: string;
  /** Derived from the run's seed and the node's name; only for stages declared `seeded`. 0 <= seed < 2^32. */
  readonly seed: number;
  /** Aborted when the run is being stopped or the stage times out. */
  readonly signal: AbortSignal;
  /** Saves and loads intermediate states. */
  readonly checkpoint: Checkpoints<CR, CW>;
  /** The engine to use, and a way to report which one was used. For stages that declare `engine`. */
  readonly engine: {
    readonly choice: EngineChoice;
    /** Part of the name of the WebGPU adapter that the user asked for. */
    readonly adapter?: string;
    used(engine: string, adapter?: string): void;
    /**
     * Small values that engines keep in the store between runs: measurements that make them faster, never results.
     */
    readonly kept?: KeptValues;
  };
  /** An empty folder for this execution, removed afterwards. */
  scratch(): Promise<string>;
  /** Writes a line to the node's log. */
  log(message: string): void;
  /** Reports progress; `total` in the same unit. */
  progress(done: number, total?: number, unit?: string): void;
  /**
   * Records a number by name. With a step (an epoch, the number of a candidate) it is a point of a curve. Without
   * one it is the final value of the metric, shown as the result regardless of the curve: stages that choose among
   * epochs or candidates report the value of their choice this way. If there is none, the last point of the curve
   * is shown.
   */
  metric(name: string, value: number, step?: number): void;
  /** Which of its candidates the stage chose, by what was chosen: `weight`, 0.1. "Results" shows it. */
  chosen(name: string, value: string | number): void;
}
