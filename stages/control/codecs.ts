/** Codecs of controlled generation. */
import { z } from "zod";
import { json } from "../../runner/codecs/json.ts";
import { tableText } from "../../foundation/text.ts";
import type { Codec } from "../../runner/codec.ts";

/** What a plan comes to. */
export interface PlanFacts {
  /** The constraint in words. */
  constraint: string;
  /** Fewest and most tokens. */
  tokens: [number, number];
  /** Natural logarithm of the probability that the model keeps to it; null where it cannot. */
  logProbability: number | null;
  /** States of the automaton. */
  states: number;
  /** Classes of tokens that the automaton tells apart. */
  classes: number;
  /** Bytes of the tables. */
  bytes: number;
}

/** What a plan comes to. */
export const planFacts: Codec<PlanFacts, PlanFacts, "control-plan"> = json(
  "control-plan",
  z.object({
    /** The constraint, as functions write it. */
    constraint: z.string(),
    /** Fewest and most tokens. */
    tokens: z.tuple([z.int(), z.int()]),
    /** Natural logarithm of its probability under the hidden Markov model; null: impossible. */
    logProbability: z.number().nullable(),
    /** States of the automaton over tokens, and classes of tokens that it does not tell apart. */
    states: z.int(),
    classes: z.int(),
    /** Bytes of the look-ahead table. */
    bytes: z.int(),
  }),
);

const text = z.object({
  text: z.string(),
  /** Its tokens, the end included. */
  tokens: z.array(z.int()),
  /** Natural logarithm of its probability under the language model, at a temperature of 1. */
  logProbability: z.number(),
  /** Natural logarithm of the probability with which the method draws it; null for rejection. */
  logDrawn: z.number().nullable(),
});

/** Texts that were drawn under a constraint. */
export interface ControlledTexts {
  /** How they were drawn. */
  method: "look-ahead" | "mask" | "rejection";
  /** The constraint in words. */
  constraint: string;
  /** Texts that keep to it. */
  satisfied: number;
  /** Draws that were made for them. */
  attempts: number;
  /** Perplexity under the language model; null where it is infinite. */
  perplexity: number | null;
  /** Temperature of the draws. */
  temperature: number;
  /** The texts: tokens, and natural logarithms of probabilities. */
  texts: {
    text: string;
    tokens: number[];
    logProbability: number;
    logDrawn: number | null;
  }[];
}

/** Texts that were drawn under a constraint. */
export const controlledTexts: Codec<ControlledTexts, ControlledTexts, "controlled-texts"> = json(
  "controlled-texts",
  z.object({
    /** How they were drawn. */
    method: z.enum(["look-ahead", "mask", "rejection"]),
    constraint: z.string(),
    /** How many of them satisfy the constraint, checked by the automaton over bytes. */
    satisfied: z.int(),
    /** Texts that were drawn for them: more than there are where some were rejected. */
    attempts: z.int(),
    /** Perplexity a token under the language model, ends included; null without texts. */
    perplexity: z.number().nullable(),
    /** What the language model's logits were divided by. */
    temperature: z.number(),
    texts: z.array(text),
  }),
  2,
  {
    summary: ({ method, satisfied, texts }) =>
      [
        `${method}: ${satisfied} of ${texts.length} satisfy it`,
        ...texts.slice(0, 5).map(({ text }) => `  ${text}`),
      ].join(
        "\n",
      ),
  },
);

const row = z.object({
  /** How the texts were drawn. */
  method: z.string(),
  texts: z.int(),
  /** Share that satisfies the constraint. */
  satisfied: z.number(),
  /** Perplexity under the language model. */
  perplexity: z.number().nullable(),
  /** Texts drawn for each that was kept. */
  attempts: z.number(),
  /** Mean number of tokens, ends included. */
  length: z.number(),
  /** Distance of the tokens' frequencies from those of rejection sampling: Jensen-Shannon divergence in bits. */
  tokenDistance: z.number().nullable(),
  /** Total variation between the distributions of lengths. */
  lengthDistance: z.number().nullable(),
  /**
   * Divergence of the method's distribution of texts from the exact one, in bits a text: 0 if it is exact. Null where rejection
   * found nothing, and at temperatures other than 1.
   */
  divergence: z.number().nullable(),
});

/** Ways to keep to a constraint, beside each other. */
export interface ControlTable {
  /** A method each. */
  rows: {
    method: string;
    texts: number;
    satisfied: number;
    perplexity: number | null;
    attempts: number;
    length: number;
    tokenDistance: number | null;
    lengthDistance: number | null;
    divergence: number | null;
  }[];
  /** Bits a token of the language model and of the hidden Markov model, on so many tokens. */
  quality: {
    languageModel: number;
    hmm: number;
    tokens: number;
  };
}

/** Ways to keep to a constraint, beside each other. */
export const controlTable: Codec<ControlTable, ControlTable, "control-table"> = json(
  "control-table",
  z.object({
    rows: z.array(row),
    /** Bits a token of held-out draws under the language model that drew them, and under the hidden Markov model. */
    quality: z.object({ languageModel: z.number(), hmm: z.number(), tokens: z.int() }),
  }),
  2,
  {
    summary: ({ rows, quality }) =>
      [
        tableText(
          [
            "method",
            "texts",
            "satisfied",
            "perplexity",
            "attempts",
            "tokens",
            "token distance",
            "length distance",
            "bits from exact",
          ],
          rows.map((row) => [
            row.method,
            String(row.texts),
            row.satisfied.toFixed(3),
            row.perplexity?.toFixed(1) ?? "",
            row.attempts.toFixed(1),
            row.length.toFixed(1),
            row.tokenDistance?.toFixed(3) ?? "",
            row.lengthDistance?.toFixed(3) ?? "",
            row.divergence?.toFixed(2) ?? "",
          ]),
        ),
        `bits a token of held-out draws: ${quality.languageModel.toFixed(3)} under the language model, ` +
        `${quality.hmm.toFixed(3)} under the HMM`,
      ].join("\n"),
  },
);
