import type { Circuit } from "../circuits/circuit.ts";
import type { Learner } from "../circuits/learner.ts";
import { ReferenceLearner } from "../circuits/reference_learner.ts";
import { type TabEngineChoice, type TabEngineName, tabEngines } from "./engine_names.ts";
import { requireCircuit } from "../circuits/guards.ts";
import { CallError } from "../foundation/errors.ts";
import { factsOf } from "../foundation/gpu.ts";
import { whyNotGated } from "../kernels/gates/layout.ts";

/** An engine that is open in a tab. */
export interface TabEngine {
  /** Its name. */
  readonly name: TabEngineName;
  /** What computes, in words. */
  readonly adapter: string;
  /** The engine. */
  readonly engine: Learner;
}

/**
 * Opens an engine in a tab or its worker, without a server. `auto` takes WebGPU where an adapter computes on hardware, else
 * WebAssembly, else the reference, which needs neither. Close its `engine` after use.
 *
 * @throws {CallError} when there is no such engine
 * @throws {RetortError} when the engine that was asked for by name is not there, or has no memory for the circuit
 */
export async function openTabEngine(circuit: Circuit, choice: TabEngineChoice = "auto"): Promise<TabEngine> {
  requireCircuit(circuit);
  switch (choice) {
    case "auto":
      return await hasHardware()
        ? await openFirst(circuit, ["webgpu", "wasm"])
        : await openFirst(circuit, ["wasm"]);
    case "webgpu":
      return await openWebGpu(circuit);
    case "wasm":
      return await openWasm(circuit);
    case "reference":
      return openReference(circuit);
  }
  throw new CallError("engine/unknown", `there is no engine \`${choice}\` in a tab`, {
    hint: `They are ${tabEngines.join(", ")}.`,
  });
}

/** The first of some engines that opens, in the end the reference. */
async function openFirst(circuit: Circuit, names: readonly TabEngineName[]): Promise<TabEngine> {
  for (const name of names) {
    try {
      return await openTabEngine(circuit, name);
    } catch {
      // A page may forbid WebAssembly, a driver may fail: then the next one.
    }
  }
  return openReference(circuit);
}

/** Whether an adapter computes on hardware. In software WebGPU is slower than WebAssembly. */
async function hasHardware(): Promise<boolean> {
  try {
    const adapter = await navigator.gpu?.requestAdapter({ powerPreference: "high-performance" });
    return adapter !== undefined && adapter !== null && !factsOf(adapter).software;
  } catch {
    return false;
  }
}

async function openWebGpu(circuit: Circuit): Promise<TabEngine> {
  // Asked for when it is needed: its kernels are half of all code.
  const { openOnGpu } = await import("./gpu.ts");
  const engine = await openOnGpu(circuit);
  return { name: "webgpu", adapter: engine.adapter, engine };
}

async function openWasm(circuit: Circuit): Promise<TabEngine> {
  const why = whyNotGated(circuit);
  if (why !== undefined) {
    throw new CallError("engine/no-leaf", `the engine wasm cannot compute this circuit: ${why}`, {
      hint: "Take the engine webgpu or reference.",
    });
  }
  const { openGatesHere } = await import("../kernels/gates/here.ts");
  const engine = await openGatesHere(circuit, { single: true });
  return { name: "wasm", adapter: engine.adapter, engine };
}

function openReference(circuit: Circuit): TabEngine {
  return { name: "reference", adapter: "JavaScript, float64", engine: new ReferenceLearner(circuit) };
}
