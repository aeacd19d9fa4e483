import { type Circuit, CircuitError, type Learner } from "../circuits/mod.ts";
import { checkMemory } from "./memory.ts";
import type { TuningStore } from "./webgpu/tuning.ts";

/** More threads than any machine has. */
const MOST_THREADS = 4096;

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
  /** Part of the name of the adapter for `webgpu`, in any case; with `auto` it chooses `webgpu`. */
  readonly adapter?: string;
  /** Where measurements that make `webgpu` faster are kept; nothing is measured when left out. */
  readonly tuning?: TuningStore;
  /** Called when the GPU was lost and the work goes on with a new device. */
  readonly onLoss?: (reason: string) => void;
  /** Threads of the CPU engine; as many as the machine has cores when left out. */
  readonly threads?: number;
}

/**
 * Opens an engine for a circuit. Close it when done. Learning needs a root of one unit; queries do not.
 * @throws {CircuitError} when there is no such engine, or an option makes no sense
 * @throws {RetortError} when there is no such adapter, or it has no memory for the parameters
 */
export async function openEngine(circuit: Circuit, options: EngineOptions = {}): Promise<Engine> {
  const { memory, threads } = options;
  if (memory !== undefined) checkMemory(memory);
  if (threads !== undefined && !(Number.isInteger(threads) && threads >= 1 && threads <= MOST_THREADS)) {
    throw new CircuitError(`threads is ${threads}, expected a whole number from 1 to ${MOST_THREADS}.`);
  }
  // Loaded when asked for: a browser has no ONNX Runtime for Node.
  switch (await chooseEngine(options)) {
    case "cpu":
      return new (await import("./cpu/engine.ts")).CpuEngine(circuit, options);
    case "webgpu": {
      // Tells the drivers what they need before the thread of the device asks for them, and keeps them when it has ended.
      await (await import("./gpu.ts")).keepDrivers();
      return await (await import("./webgpu/remote.ts")).openRemote(circuit, options);
    }
  }
}

/** The engine that options mean on this machine. @throws {CircuitError} when there is no such engine */
export async function chooseEngine(
  { engine = "auto", adapter }: Pick<EngineOptions, "engine" | "adapter">,
): Promise<EngineName> {
  if (engine === "cpu" || engine === "webgpu") return engine;
  if (engine !== "auto") {
    throw new CircuitError(`There is no engine \`${engine}\`.`, {
      hint: "The engines are cpu, webgpu and auto.",
    });
  }
  if (adapter !== undefined) return "webgpu";
  hardware ??= import("./gpu.ts").then(({ hasHardwareGpu }) => hasHardwareGpu());
  return await hardware ? "webgpu" : "cpu";
}

/** Asked once: adapters do not come and go. */
let hardware: Promise<boolean> | undefined;
