import { z } from "zod";
import { RetortError } from "../../foundation/errors.ts";
import { json } from "../../runner/codecs/json.ts";
import { defineStage } from "../../runner/stage.ts";
import { circuit } from "../codecs/circuit.ts";
import { openLearner } from "../open_learner.ts";
import { BLANK, fillBlanks, readBlanks } from "./blanks.ts";
import { vocabulary } from "./codecs.ts";

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
    const learner = await openLearner(inputs.circuit, context);
    try {
      const done = [];
      for (const [i, given] of params.sentences.entries()) {
        context.signal.throwIfAborted();
        const sentence = readBlanks(given, inputs.vocabulary, length);
        if (sentence.blanks.length === 0) {
          throw new RetortError(`${JSON.stringify(given)} has no blank`, {
            hint: `Write ${BLANK} for a missing word.`,
          });
        }
        const { drawn, blanks } = await fillBlanks(learner, sentence, inputs.vocabulary, {
          seed: context.seed,
          draws: params.draws,
          list: params.list,
        });
        done.push({ given, drawn: [...drawn], blanks: blanks.map(({ words }) => [...words]) });
        context.progress(i + 1, params.sentences.length, "sentences");
      }
      return { completions: { completions: done } };
    } finally {
      await learner.close();
    }
  },
});
