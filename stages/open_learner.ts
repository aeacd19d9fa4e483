import type { Circuit } from "../circuits/circuit.ts";
import type { Learner } from "../circuits/learner.ts";
import { ReferenceLearner } from "../circuits/reference_learner.ts";
import type { StageContext } from "../runner/stage.ts";

/** Opens the engine that the run asks for on a circuit, and records which one it was. Close it after use. */
export function openLearner(circuit: Circuit, context: Pick<StageContext, "engine">): Promise<Learner> {
  context.engine.used("reference");
  return Promise.resolve(new ReferenceLearner(circuit));
}
