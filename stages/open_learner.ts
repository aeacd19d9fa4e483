import type { Circuit } from "../circuits/circuit.ts";
import { type Engine, openEngine } from "../kernels/engine.ts";
import type { StageContext } from "../runner/stage.ts";

/** Opens the engine that the run asks for on a circuit, and records which one it was. Close it after use. */
export async function openLearner(
  circuit: Circuit,
  context: Pick<StageContext, "engine"> & Partial<Pick<StageContext, "log">>,
): Promise<Engine> {
  const { choice, adapter } = context.engine;
  const engine = await openEngine(circuit, {
    engine: choice,
    ...(adapter !== undefined && { adapter }),
    onLoss: (reason) => context.log?.(`the GPU was lost (${reason}): going on with a new device`),
  });
  context.engine.used(engine.name, engine.adapter);
  return engine;
}
