import { type Circuit, CircuitError, isBuiltIn } from "../circuits/mod.ts";
import { type EngineName, resolveEngine } from "../foundation/engine_choice.ts";
import type { Engine, EngineOptions } from "./engine.ts";
import { hasGates } from "./gates/layout.ts";
import { checkMemory } from "./memory.ts";
import { requireCircuit, requireObject, requireWhole } from "../circuits/guards.ts";

/** More threads than any machine has. */
const MOST_THREADS = 4096;

/**
 * Opens an engine for a circuit. `await using engine = await openEngine(circuit)` closes it at the end of the block;
 * otherwise call `close`. Learning needs a root with one unit; queries do not.
 * @throws {CircuitError} when there is no such engine, or an option makes no sense
 * @throws {RetortError} when there is no such adapter, or it has no memory for the parameters
 */
export async function openEngine(circuit: Circuit, options: EngineOptions = {}): Promise<Engine> {
  requireCircuit(circuit);
  requireObject("the options of an engine", options);
  const { memory, threads } = options;
  if (memory !== undefined) checkMemory(memory);
  if (threads !== undefined) requireWhole("threads", threads, 1, MOST_THREADS);
  // Loaded on demand: browsers have no ONNX Runtime for Node.
  switch (await chooseEngine(engineFor(circuit, options))) {
    case "cpu":
      if (hasGates(circuit)) {
        return await (await import("./gates/open.ts")).openGates(circuit, options);
      }
      return new (await import("./cpu/engine.ts")).CpuEngine(circuit, options);
    case "webgpu": {
      // Loads the drivers before the device thread needs them, and keeps them loaded after it ends.
      await (await import("./gpu.ts")).keepDrivers();
      return await (await import("./webgpu/remote.ts")).openRemote(circuit, options);
    }
  }
}

/** With `auto`, what only the CPU engine supports, or computes without waste, takes precedence over the machine. */
function engineFor(circuit: Circuit, options: EngineOptions): EngineOptions {
  const { engine = "auto", adapter } = options;
  const own = hasGates(circuit) ||
    circuit.nodes.some((node) => node.kind === "input" && !isBuiltIn(node.family));
  return engine === "auto" && adapter === undefined && own ? { ...options, engine: "cpu" } : options;
}

/** The engine that the options select on this machine. @throws {CircuitError} when there is no such engine */
export async function chooseEngine(options: Pick<EngineOptions, "engine" | "adapter">): Promise<EngineName> {
  requireObject("the options of an engine", options);
  const { engine = "auto", adapter } = options;
  if (!["cpu", "webgpu", "auto"].includes(engine)) {
    throw new CircuitError("engine/unknown", `there is no engine \`${engine}\``, {
      hint: "The engines are cpu, webgpu and auto.",
    });
  }
  return await resolveEngine(engine, adapter);
}
