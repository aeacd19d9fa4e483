import { z } from "zod";
import { type Circuit, withNotes } from "../../circuits/circuit.ts";
import { windowBegins } from "../../datasets/text/windows.ts";
import { vocabularyDigest } from "../../control/digest.ts";
import { VOCABULARY_NOTE } from "../../control/hmm/token_hmm.ts";
import type { Vocabulary } from "../../datasets/text/vocabulary.ts";

/** A circuit over tokens that says which vocabulary they are of: control compares it with a language model's. */
export function withVocabulary(circuit: Circuit, vocabulary: Vocabulary): Circuit {
  return withNotes(circuit, { [VOCABULARY_NOTE]: vocabularyDigest(vocabulary) });
}

/**
 * Parameters of stages that query a circuit with texts, for circuits whose notes do not say how texts lie in
 * windows.
 */
export const frameParams: {
  /**
   * Where a text begins in a window: `window`, `end` or `anywhere`; by default as the circuit's notes say.
   */
  begins: z.ZodOptional<
    z.ZodEnum<{
      window: "window";
      end: "end";
      anywhere: "anywhere";
    }>
  >;
  /** Whether an end token follows a text; by default as the circuit's notes say. */
  ends: z.ZodOptional<z.ZodBoolean>;
} = {
  /**
   * Where a text begins in a window: `window`, `end` or `anywhere`; by default as the circuit's notes say.
   */
  begins: z.enum(windowBegins).optional(),
  /** Whether an end token follows a text; by default as the circuit's notes say. */
  ends: z.boolean().optional(),
};
