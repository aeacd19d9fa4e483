import type { Circuit } from "../circuits/circuit.ts";
import { type Engine, openEngine } from "../kernels/engine.ts";
import type { StageContext } from "../runner/stage.ts";

/** Opens the engine that the run asks for on a circuit, and records which one it was. Close it after use. */
export async function openLearner(circuit: Circuit, context: Pick<StageContext, "engine">): Promise<Engine> {
  const engine = await openEngine(circuit, { engine: context.engine.choice });
  context.engine.used(engine.name, engine.adapter);
  return engine;
}
