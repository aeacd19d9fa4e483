import { z } from "zod";
import { conditional } from "../../circuits/queries/conditional.ts";
import { sampleMissing } from "../../circuits/queries/sampling.ts";
import type { Samples } from "../../circuits/samples.ts";
import { textOfTokens, type Vocabulary } from "../../datasets/text/vocabulary.ts";
import { RetortError } from "../../foundation/errors.ts";
import { json } from "../../runner/codecs/json.ts";
import { defineStage } from "../../runner/stage.ts";
import { circuit } from "../codecs/circuit.ts";
import { openLearner } from "../open_learner.ts";
import { vocabulary } from "./codecs.ts";

/** Stands for a missing word in a sentence. */
export const BLANK = "_";

/** Sentences with blanks, filled in. */
export const completions = json(
  "completions",
  z.object({
    completions: z.array(z.object({
      /** The sentence with its blanks. */
      given: z.string(),
      /** Drawn from the exact distribution of the blanks given the words on both sides. */
      drawn: z.array(z.string()),
      /** The most probable words of every blank by itself, with their exact probabilities. */
      blanks: z.array(z.array(z.object({ word: z.string(), probability: z.number() }))),
    })),
  }),
  1,
  {
    summary: ({ completions }) =>
      completions.map(({ given, drawn, blanks }) =>
        [
          given,
          ...drawn.map((sentence) => `  ${sentence}`),
          ...blanks.map((words, i) =>
            `  blank ${i + 1}: ${
              words.map(({ word, probability }) => `${word} ${(100 * probability).toFixed(1)} %`).join(", ")
            }`
          ),
        ].join("\n")
      ).join("\n"),
  },
);

/**
 * Fills in the middle: a sentence with blanks, what stands before and after them given. Exact: draws are from
 * p(blanks | rest), and probabilities sum over everything that the other blanks may be.
 */
export const completeText = defineStage({
  name: "text.complete",
  params: z.object({
    /** Words with spaces between them, `_` for each missing one. */
    sentences: z.array(z.string()).min(1),
    /** Completions of each. */
    draws: z.int().min(1).default(3),
    /** Most probable words of each blank to list. */
    list: z.int().min(0).default(5),
  }),
  inputs: { circuit, vocabulary },
  outputs: { completions },
  seeded: true,
  engine: "use",
  async run({ inputs, params, context }) {
    const length = inputs.circuit.variables.length;
    const known: Vocabulary = inputs.vocabulary;
    const learner = await openLearner(inputs.circuit, context);
    try {
      const done = [];
      for (const [i, given] of params.sentences.entries()) {
        context.signal.throwIfAborted();
        const { samples, blanks, words } = windowOf(given, known, length);
        const drawn = await sampleMissing(learner, samples, { seed: context.seed, draws: params.draws });
        const marginals = await conditional(learner, samples, blanks);
        done.push({
          given,
          drawn: Array.from({ length: params.draws }, (_, d) => {
            const from = d * length;
            return textOfTokens(drawn.values.slice(from + words.from, from + words.to), known);
          }),
          blanks: blanks.map((v) => mostProbable(marginals.get(v)!, params.list, known)),
        });
        context.progress(i + 1, params.sentences.length, "sentences");
      }
      return { completions: { completions: done } };
    } finally {
      await learner.close();
    }
  },
});

/** A sentence in a window: the end of the one before, its words, its end; what comes after is not observed. */
function windowOf(given: string, vocabulary: Vocabulary, length: number) {
  const ids = new Map(vocabulary.words.map((word, id) => [word, id]));
  const before = vocabulary.end === null ? [] : [vocabulary.end];
  const tokens = given.split(/\s+/).filter((word) => word !== "").map((word) => {
    if (word === BLANK) return undefined;
    const id = ids.get(word) ?? vocabulary.unknown ?? undefined;
    if (id === undefined) throw new RetortError(`the vocabulary has no ${JSON.stringify(word)}`);
    return id;
  });
  const row = [...before, ...tokens, ...before];
  if (row.length > length) {
    throw new RetortError(`${JSON.stringify(given)} has ${row.length} tokens with its ends`, {
      hint: `The circuit is over windows of ${length}: shorten it.`,
    });
  }
  const values = new Int32Array(length), observed = new Uint8Array(length);
  row.forEach((id, t) => {
    if (id === undefined) return;
    values[t] = id;
    observed[t] = 1;
  });
  const samples: Samples = { count: 1, variables: length, values, observed };
  const blanks = row.flatMap((id, t) => id === undefined ? [t] : []);
  if (blanks.length === 0) {
    throw new RetortError(`${JSON.stringify(given)} has no blank`, {
      hint: `Write ${BLANK} for a missing word.`,
    });
  }
  return { samples, blanks, words: { from: before.length, to: before.length + tokens.length } };
}

function mostProbable(distribution: Float64Array, count: number, vocabulary: Vocabulary) {
  const order = Array.from(distribution.keys()).sort((a, b) => distribution[b]! - distribution[a]! || a - b);
  return order.slice(0, count).map((id) => ({
    word: textOfTokens([id], vocabulary).trim() || vocabulary.words[id]!,
    probability: distribution[id]!,
  }));
}
