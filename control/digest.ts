import type { Vocabulary } from "../datasets/text/vocabulary.ts";
import { digestJson } from "../foundation/canonical.ts";
import { requireVocabulary } from "./guards.ts";

const known = new WeakMap<Vocabulary, string>();

/**
 * Digest of a vocabulary: of its kind, its tokens, and which of them are the end and the unknown one.
 *
 * @throws {CallError} for anything else
 */
export function vocabularyDigest(vocabulary: Vocabulary): string {
  requireVocabulary(vocabulary);
  let digest = known.get(vocabulary);
  if (digest === undefined) {
    const { kind, words, unknown, end } = vocabulary;
    known.set(vocabulary, digest = digestJson({ kind, words: [...words], unknown, end }));
  }
  return digest;
}
