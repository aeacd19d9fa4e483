import { type KMeansEngine, openKMeans } from "../kernels/kmeans/open.ts";
import type { StageContext } from "../runner/stage.ts";

/** k-means on the engine that the run asks for; records which one it was. */
export function openClustering(context: Pick<StageContext, "engine" | "log">): Promise<KMeansEngine> {
  const { choice, adapter, used } = context.engine;
  return openKMeans({
    engine: choice,
    ...(adapter !== undefined && { adapter }),
    onLoss: (reason) => context.log(`the GPU was lost (${reason}): going on with a new device`),
  }, used);
}
