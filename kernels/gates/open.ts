import { type Circuit, requireSingleRoot } from "../../circuits/mod.ts";
import type { EngineOptions } from "../engine.ts";
import { DEFAULT_MEMORY } from "../memory.ts";
import { GateEngine } from "./engine.ts";
import { GateMemory } from "./memory.ts";
import { gateModule } from "./module.ts";
import { GateThreads } from "./threads.ts";

/** Opens an engine on threads of its own. @throws {RetortError} when the parameters do not fit into a memory of WebAssembly */
export async function openGates(circuit: Circuit, options: EngineOptions = {}): Promise<GateEngine> {
  const { memory: bytes = DEFAULT_MEMORY, threads = navigator.hardwareConcurrency } = options;
  requireSingleRoot(circuit);
  const memory = await GateMemory.create(
    circuit,
    { bytes, threads, shared: true, single: false },
    gateModule,
  );
  return new GateEngine(circuit, memory, await GateThreads.start(memory.threads));
}
