import { type Circuit, CircuitError, type Learner } from "../circuits/mod.ts";

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

/**
 * Opens an engine for a circuit. Close it when done. Learning needs a root of one unit; queries do not.
 * @throws {CircuitError} when there is no such engine
 */
export async function openEngine(circuit: Circuit, options: EngineOptions = {}): Promise<Engine> {
  const { engine = "auto" } = options;
  // Loaded when asked for: a browser has no ONNX Runtime for Node.
  if (engine === "cpu" || engine === "auto") {
    return new (await import("./cpu/engine.ts")).CpuEngine(circuit, options);
  }
  throw new CircuitError(`There is no engine \`${engine}\`.`, { hint: "The engines are cpu and auto." });
}
