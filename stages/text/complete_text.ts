import { z } from "zod";
import { RetortError } from "../../foundation/errors.ts";
import { shareText } from "../../foundation/format.ts";
import { json } from "../../runner/codecs/json.ts";
import { defineStage, type Stage } from "../../runner/stage.ts";
import { circuit } from "../codecs/circuit.ts";
import { openLearner } from "../open_learner.ts";
import { BLANK, fillBlanks, readBlanks, withoutEnds } from "./blanks.ts";
import { vocabulary } from "./codecs.ts";
import { frameParams } from "./frame.ts";
import { askedFrame } from "./frame_notes.ts";
import type { Codec } from "../../runner/codec.ts";

/** Sentences with blanks, filled in. */
export interface Completions {
  /** The sentences: as given, filled in as drawn, and the likeliest words of each blank. */
  completions: {
    given: string;
    drawn: string[];
    blanks: {
      word: string;
      probability: number;
    }[][];
  }[];
}

/** Sentences with blanks, filled in. */
export const completions: Codec<Completions, Completions, "completions"> = json(
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
              words.map(({ word, probability }) => `${word} ${shareText(probability, 1)} %`).join(", ")
            }`
          ),
        ].join("\n")
      ).join("\n"),
  },
);

/** Texts with `_` for each missing token: of words, of pieces, of characters. */
export const blankedTexts: z.ZodArray<z.ZodString> = z.array(
  z.string().includes(BLANK, { error: "there is no blank, `_`, in it" }),
);

/**
 * Fills in the middle: a sentence with blanks, what stands before and after them given, and that no blank ends it. Exact:
 * draws are from p(blanks | rest), and probabilities sum over everything that the other blanks may be.
 */
export const completeText: Stage<
  z.ZodObject<{
    sentences: z.ZodArray<z.ZodString>;
    draws: z.ZodDefault<z.ZodInt>;
    list: z.ZodDefault<z.ZodInt>;
    begins: z.ZodOptional<
      z.ZodEnum<{
        window: "window";
        end: "end";
        anywhere: "anywhere";
      }>
    >;
    ends: z.ZodOptional<z.ZodBoolean>;
  }, z.core.$strip>,
  { circuit: typeof circuit; vocabulary: typeof vocabulary },
  { completions: typeof completions }
> = defineStage({
  name: "text.complete",
  params: z.object({
    ...frameParams,
    /** What to fill in. */
    sentences: blankedTexts.min(1),
    /** Completions of each. */
    draws: z.int().min(1).default(3),
    /** Most probable tokens of each blank to list. */
    list: z.int().min(0).default(5),
  }),
  inputs: { circuit, vocabulary },
  outputs: { completions },
  seeded: true,
  engine: "use",
  async run({ inputs, params, context }) {
    const { circuit, vocabulary } = inputs;
    const frame = askedFrame(circuit, vocabulary, params, context.log);
    const done = [];
    for (const [i, given] of params.sentences.entries()) {
      context.signal.throwIfAborted();
      const sentence = readBlanks(given, vocabulary, circuit.variables.length, frame);
      if (sentence.blanks.length === 0) {
        throw new RetortError("text/sentence", `${JSON.stringify(given)} has no blank`, {
          hint: `Write ${BLANK} for a missing word.`,
        });
      }
      if (sentence.unknown.length > 0) {
        context.log(`${JSON.stringify(given)}: the vocabulary does not have ${sentence.unknown.join(", ")}`);
      }
      const asked = withoutEnds(circuit, sentence.blanks, vocabulary);
      const learner = await openLearner(asked.circuit, context);
      try {
        const samples = asked.condition(sentence.samples);
        const { drawn, blanks } = await fillBlanks(learner, { ...sentence, samples }, vocabulary, {
          seed: context.seed,
          draws: params.draws,
          list: params.list,
        });
        done.push({
          given,
          drawn: [...drawn],
          blanks: blanks.map(({ words }) => words.map(({ word, probability }) => ({ word, probability }))),
        });
      } finally {
        await learner.close();
      }
      context.progress(i + 1, params.sentences.length, "sentences");
    }
    return { completions: { completions: done } };
  },
});
