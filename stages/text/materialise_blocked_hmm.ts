import { z } from "zod";
import { BlockedHmmCounts } from "../../circuits/learning/blocked_counts.ts";
import { RetortError } from "../../foundation/errors.ts";
import { defineStage, type Stage } from "../../runner/stage.ts";
import { clusterLabels } from "../clusters/codecs.ts";
import { circuit } from "../codecs/circuit.ts";
import { smoothingLevels, wordBlocks } from "./blocks.ts";
import { tokens, vocabulary, windows } from "./codecs.ts";
import { withFrame } from "./frame_notes.ts";

/** Windows that are counted at a time. */
const BLOCK = 4096;

/**
 * The blocked HMM whose states are clusters within word classes (`clusters.within`): label `w * length + t` is the state of
 * position `t` of window `w` among those of its word's class. With the states known, learning is counting.
 */
export const materialiseBlockedHmm: Stage<
  z.ZodObject<typeof smoothingLevels, z.core.$strip>,
  {
    tokens: typeof tokens;
    windows: typeof windows;
    vocabulary: typeof vocabulary;
    classes: typeof clusterLabels;
    labels: typeof clusterLabels;
  },
  { circuit: typeof circuit }
> = defineStage({
  name: "hmm.materialise-blocked",
  params: z.object(smoothingLevels),
  inputs: { tokens, windows, vocabulary, classes: clusterLabels, labels: clusterLabels },
  outputs: { circuit },
  async run({ inputs, params, context }) {
    const { windows, labels: { labels, clusters }, vocabulary } = inputs, { length } = windows;
    if (labels.length !== windows.count * length) {
      throw new RetortError(
        "inputs/mismatch",
        `${labels.length} labels for ${windows.count} windows of ${length} positions`,
        { hint: "The vectors that were clustered must be those of these windows." },
      );
    }
    const options = await wordBlocks({ ...inputs, types: vocabulary.words.length }, {
      states: clusters,
      length,
    });
    const counts = new BlockedHmmCounts(options);
    for await (const { first, count, values, observed } of windows.blocks(inputs.tokens.ids, BLOCK)) {
      counts.add(values, labels.subarray(first * length, (first + count) * length), length, observed);
      context.progress(first + count, windows.count, "windows");
    }
    context.metric("blocks", options.blocks.length);
    context.metric("states", options.blocks.length * clusters);
    return { circuit: withFrame(counts.circuit(params), windows.frame) };
  },
});
