import type { Circuit } from "../circuits/circuit.ts";
import { type Engine, openEngine } from "../kernels/engine.ts";
import type { StageContext } from "../runner/stage.ts";

/** What a stage does when its GPU was lost and another takes over: tells, and saves its state at the next occasion. */
export function lossTold(context: Partial<Pick<StageContext, "log" | "checkpoint">>) {
  return (reason: string): void => {
    context.log?.(`the GPU was lost (${reason}): going on with a new device`);
    context.checkpoint?.soon();
  };
}

/** Opens the engine that the run asks for on a circuit, and records which one it was. Close it after use. */
export async function openLearner(
  circuit: Circuit,
  context: Pick<StageContext, "engine"> & Partial<Pick<StageContext, "log" | "checkpoint">>,
): Promise<Engine> {
  const { choice, adapter } = context.engine;
  const engine = await openEngine(circuit, {
    engine: choice,
    ...(adapter !== undefined && { adapter }),
    onLoss: lossTold(context),
  });
  context.engine.used(engine.name, engine.adapter);
  return engine;
}
