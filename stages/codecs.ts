/** Codecs of the artifacts that stages exchange. */
import { z } from "zod";
import { array } from "../runner/codecs/array.ts";
import { json } from "../runner/codecs/json.ts";

/** Token ids in a row, `i4 [tokens]`. */
export const tokens = array("tokens", "i4", 1);

/** Words by id. */
export const vocabulary = json("vocabulary", z.object({ words: z.array(z.string()) }));

/** Counts of an interpolated bigram model. */
export const bigrams = json(
  "bigrams",
  z.object({
    /** Occurrences by token id. */
    unigrams: z.array(z.int()),
    /** Pairs as flat triples: previous id, next id, occurrences. */
    pairs: z.array(z.int()),
  }),
);

/** A model's fit to a text. */
export const languageScore = json(
  "language-score",
  z.object({ perplexity: z.number(), bitsPerToken: z.number(), tokens: z.int() }),
);

/** Sentences in words. */
export const sentences = json("sentences", z.object({ sentences: z.array(z.string()) }));
