import { type KMeansEngine, openKMeans } from "../kernels/kmeans/open.ts";
import type { StageContext } from "../runner/stage.ts";
import { lossTold } from "./open_learner.ts";

/** k-means on the engine that the run asks for; records which one it was. */
export function openClustering(
  context: Pick<StageContext, "engine" | "log" | "checkpoint">,
): Promise<KMeansEngine> {
  const { choice, adapter, used } = context.engine;
  return openKMeans({
    engine: choice,
    ...(adapter !== undefined && { adapter }),
    onLoss: lossTold(context),
  }, used);
}
