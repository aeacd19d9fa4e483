/** Codecs of the artifacts that stages exchange. */
import { z } from "zod";
import { json } from "../runner/codecs/json.ts";
import type { Codec } from "../runner/codec.ts";

/** Counts of an interpolated bigram model. */
export interface Bigrams {
  /** Occurrences by token id. */
  unigrams: number[];
  /** Pairs as flat triples: previous id, next id, occurrences. */
  pairs: number[];
  /** The token that stands before the first one. */
  start: number;
}

/** Counts of an interpolated bigram model. */
export const bigrams: Codec<Bigrams, Bigrams, "bigrams"> = json(
  "bigrams",
  z.object({
    unigrams: z.array(z.int()),
    pairs: z.array(z.int()),
    start: z.int(),
  }),
  2,
);

/** How well a model predicts a text. */
export interface LanguageScore {
  /** Null: infinite, because some of the text is impossible. */
  perplexity: number | null;
  /** Null: infinite. */
  bitsPerToken: number | null;
  /** Tokens of the text. */
  tokens: number;
}

/** How well a model predicts a text. */
export const languageScore: Codec<LanguageScore, LanguageScore, "language-score"> = json(
  "language-score",
  z.object({
    perplexity: z.number().nullable(),
    bitsPerToken: z.number().nullable(),
    tokens: z.int(),
  }),
  2,
);

/** Sentences in words. */
export interface Sentences {
  /** Their words, joined by spaces. */
  sentences: string[];
}

/** Sentences in words. */
export const sentences: Codec<Sentences, Sentences, "sentences"> = json(
  "sentences",
  z.object({ sentences: z.array(z.string()) }),
  1,
  {
    summary: (value) => value.sentences.join("\n"),
  },
);
