import { rootUnits } from "../../circuits/circuit.ts";
import { sliceSamples } from "../../circuits/samples.ts";
import { patchSamples } from "../../circuits/structures/patches.ts";
import { unstack } from "../../circuits/structures/stack.ts";
import { distinctRows, patchRows, sharedParts } from "../../circuits/patches/rows.ts";
import { dimensionsOf } from "../../datasets/images/image_set.ts";
import { defineStage } from "../../runner/stage.ts";
import { samples } from "../codecs/samples.ts";
import { openLearner } from "../open_learner.ts";
import { images } from "./codecs.ts";
import { patchCircuits, patchParts } from "./patch_codecs.ts";

/** Patches that a learner is given at once. */
const ROWS = 4096;

/**
 * Log-likelihoods of every patch under the circuits of all of its clusters, as samples of the circuit over
 * patches: that one can be trained while they stay as they are.
 */
export const patchVectors = defineStage({
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
    for (const { circuit, patches } of shared) {
      const each = unstack(circuit, clusters);
      const learner = await openLearner(each[0]!, context);
      try {
        const { rows, index } = distinctRows(patchRows(data, parts, patches));
        const logs = new Float32Array(index.length * clusters), found = new Float64Array(rows.count);
        for (const [k, { parameters }] of each.entries()) {
          await learner.setParameters(new Map([...parameters].map(([id, { values }]) => [id, values])));
          for (let from = 0; from < rows.count; from += ROWS) {
            context.signal.throwIfAborted();
            const to = Math.min(rows.count, from + ROWS);
            found.set(await learner.logLikelihoods(sliceSamples(rows, from, to)), from);
          }
          index.forEach((row, i) => logs[i * clusters + k] = found[row]!);
          context.progress(++done, shared.length * clusters, "clusters");
        }
        const size = count * clusters;
        patches.forEach((patch, p) => vectors[patch] = logs.subarray(p * size, (p + 1) * size));
      } finally {
        await learner.close();
      }
    }
    return { vectors: patchSamples(vectors, clusters) };
  },
});
