import { z } from "zod";
import { HmmCounts } from "../../circuits/learning/hmm_counts.ts";
import { RetortError } from "../../foundation/errors.ts";
import { defineStage, type Stage } from "../../runner/stage.ts";
import { clusterLabels } from "../clusters/codecs.ts";
import { circuit } from "../codecs/circuit.ts";
import { tokens, vocabulary, windows } from "./codecs.ts";
import { withVocabulary } from "./frame.ts";
import { withFrame } from "./frame_notes.ts";

/** Windows that are counted at a time. */
const BLOCK = 4096;

/**
 * Clusters to be found for a model of so many hidden states: one fewer, since the end token has a state of its own
 * (`endState` of {@link materialiseHmm}).
 */
export function clustersFor(states: number): number {
  return states - 1;
}

/**
 * The HMM whose hidden states are the clusters of the suffixes that begin there: with the states known, learning is
 * counting. Label `w * length + t` is that of position `t` of window `w`.
 */
export const materialiseHmm: Stage<
  z.ZodObject<{
    endState: z.ZodDefault<z.ZodBoolean>;
    initial: z.ZodDefault<z.ZodNumber>;
    transition: z.ZodDefault<z.ZodNumber>;
    emission: z.ZodDefault<z.ZodNumber>;
    emissionMix: z.ZodDefault<z.ZodNumber>;
    unigram: z.ZodDefault<z.ZodNumber>;
  }, z.core.$strip>,
  {
    tokens: typeof tokens;
    windows: typeof windows;
    vocabulary: typeof vocabulary;
    labels: typeof clusterLabels;
  },
  { circuit: typeof circuit }
> = defineStage({
  name: "hmm.materialise",
  params: z.object({
    /**
     * Whether the end token has a state of its own, one more than there are clusters: it emits nothing else, and no other
     * state emits it.
     */
    endState: z.boolean().default(true),
    /** Virtual windows that begin in states drawn uniformly. */
    initial: z.number().min(0).default(0.001),
    /** Virtual transitions out of each state, uniform. */
    transition: z.number().min(0).default(0.001),
    /** Virtual tokens of each state, drawn from all tokens. */
    emission: z.number().min(0).default(1),
    /** Share of each state's emissions that is replaced by the distribution of all tokens. */
    emissionMix: z.number().min(0).max(1).default(0),
    /**
     * Uniform virtual tokens added to the distribution of all tokens, so that unseen ones have a probability.
     */
    unigram: z.number().min(0).default(1),
  }),
  inputs: { tokens, windows, vocabulary, labels: clusterLabels },
  outputs: { circuit },
  async run({ inputs, params, context }) {
    const { windows, labels: { labels, clusters }, vocabulary } = inputs;
    const { endState, ...smoothing } = params;
    const { length } = windows;
    if (labels.length !== windows.count * length) {
      throw new RetortError(
        "inputs/mismatch",
        `${labels.length} labels for ${windows.count} windows of ${length} positions`,
        { hint: "The vectors that were clustered must be those of these windows." },
      );
    }
    if (endState && vocabulary.end === null) {
      throw new RetortError(
        "text/no-end-token",
        "`endState` is true, but this vocabulary has no end-of-text token",
        {
          hint: 'Set `endState` to false, or `ends` of the tokenizer to something else than "nothing".',
        },
      );
    }
    const counts = new HmmCounts({
      states: clusters + (endState ? 1 : 0),
      symbols: vocabulary.words.length,
      ...(endState && { end: vocabulary.end! }),
    });
    for await (const { first, count, values, observed } of windows.blocks(inputs.tokens.ids, BLOCK)) {
      const own = labels.subarray(first * length, (first + count) * length);
      counts.add(values, own, length, observed);
      context.progress(first + count, windows.count, "windows");
    }
    context.metric("states", counts.states);
    const used = Array.from(
      { length: counts.states },
      (_, k) => counts.emission.subarray(k * counts.symbols, (k + 1) * counts.symbols).some((n) => n > 0),
    );
    context.metric("states without tokens", used.filter((found) => !found).length);
    const made = withVocabulary(counts.circuit(length, smoothing), vocabulary);
    return { circuit: withFrame(made, windows.frame) };
  },
});
