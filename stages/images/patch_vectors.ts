import { rootUnits } from "../../circuits/circuit.ts";
import { patchSamples } from "../../circuits/structures/patches.ts";
import { unstack } from "../../circuits/structures/stack.ts";
import { clusterLogs, sharedParts } from "../../circuits/patches/rows.ts";
import { dimensionsOf } from "../../datasets/images/image_set.ts";
import { defineStage, type NoParams, type Stage } from "../../runner/stage.ts";
import { samples } from "../codecs/samples.ts";
import { openLearner } from "../open_learner.ts";
import { images } from "./codecs.ts";
import { patchCircuits, patchParts } from "./patch_codecs.ts";

/** Number of patches given to a learner at once. */
const ROWS = 4096;

/**
 * Log-likelihoods of every patch under the circuits of all of its clusters, as samples for the circuit over patches.
 * With them that circuit can be trained while the patch circuits stay fixed.
 */
export const patchVectors: Stage<
  NoParams,
  { images: typeof images; circuits: typeof patchCircuits },
  { vectors: typeof samples }
> = defineStage({
  name: "images.patch-vectors",
  inputs: { images, circuits: patchCircuits },
  outputs: { vectors: samples },
  engine: "use",
  async run({ inputs, context }) {
    const { space, count, pixels } = inputs.images;
    const data = { count, variables: dimensionsOf(space), values: pixels };
    const parts = patchParts(inputs.circuits);
    const shared = sharedParts(parts);
    const clusters = rootUnits(inputs.circuits.circuits[0]!);
    const vectors: Float32Array[] = [];
    let done = 0;
    for (const part of shared) {
      const each = unstack(part.circuit, clusters);
      const learner = await openLearner(each[0]!, context);
      try {
        const logs = await clusterLogs(data, parts, part, {
          clusters,
          most: ROWS,
          async load(k) {
            context.progress(done + k, shared.length * clusters, "clusters");
            const { parameters } = each[k]!;
            await learner.setParameters(new Map([...parameters].map(([id, { values }]) => [id, values])));
          },
          ask(rows) {
            context.signal.throwIfAborted();
            return learner.logLikelihoods(rows);
          },
        });
        part.patches.forEach((patch, p) => vectors[patch] = logs[p]!);
        context.progress(done += clusters, shared.length * clusters, "clusters");
      } finally {
        await learner.close();
      }
    }
    return { vectors: patchSamples(vectors, clusters) };
  },
});
