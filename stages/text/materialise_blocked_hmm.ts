import { z } from "zod";
import { BlockedHmmCounts } from "../../circuits/learning/blocked_counts.ts";
import { RetortError } from "../../foundation/errors.ts";
import { defineStage, type Stage } from "../../runner/stage.ts";
import { clusterLabels } from "../clusters/codecs.ts";
import { circuit } from "../codecs/circuit.ts";
import { wordBlocks } from "./blocks.ts";
import { tokens, vocabulary, windows } from "./codecs.ts";
import { withFrame } from "./frame_notes.ts";

/** Windows that are counted at a time. */
const BLOCK = 4096;

/**
 * The blocked HMM whose states are clusters within word classes (`clusters.within`): label `w * length + t` is the state of
 * position `t` of window `w` among those of its word's class. With the states known, learning is counting.
 */
export const materialiseBlockedHmm: Stage<
  z.ZodObject<{
    initial: z.ZodDefault<z.ZodNumber>;
    transition: z.ZodDefault<z.ZodNumber>;
    within: z.ZodDefault<z.ZodNumber>;
    between: z.ZodDefault<z.ZodNumber>;
    discount: z.ZodDefault<z.ZodNumber>;
    emission: z.ZodDefault<z.ZodNumber>;
  }, z.core.$strip>,
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
  params: z.object({
    /** Virtual first states, as states are in the whole text. */
    initial: z.number().min(0).default(20),
    /** Virtual next classes of each state, as its class has them. */
    transition: z.number().min(0).default(120),
    /** Virtual next states of each state within each next class, as its class has them there. */
    within: z.number().min(0).default(10),
    /** Virtual next states of each class within each next class, as the whole text has them there. */
    between: z.number().min(0).default(10),
    /** What is taken of the number of times that a class follows another, for those that never do. */
    discount: z.number().min(0).default(0.8),
    /** Virtual words of each state, as its class has them. */
    emission: z.number().min(0).default(60),
  }),
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
