/** A vocabulary: words by id; id 0 is the unknown word, id 1 the end of a sentence. */
export interface Vocabulary {
  readonly words: readonly string[];
}

/** Stands for every word that is not in the vocabulary. */
export const UNKNOWN = "<unk>";
/** Ends a sentence. */
export const END = "<eos>";

/**
 * The sentences of a text as lists of lower-case words and punctuation marks. A sentence ends with
 * `.`, `!` or `?` that white space follows, or with an empty line.
 */
export function sentencesOf(text: string): string[][] {
  return text.toLowerCase().split(/(?<=[.!?])\s+|\n\s*\n/u)
    .map((sentence) => sentence.match(/[\p{L}\p{N}]+(?:['’-][\p{L}\p{N}]+)*|[^\s\p{L}\p{N}]/gu) ?? [])
    .filter((words) => words.length > 0);
}

/**
 * The words that occur at least `minimum` times, the most frequent first; equal ones by code unit.
 */
export function buildVocabulary(sentences: Iterable<readonly string[]>, minimum: number): Vocabulary {
  const counts = new Map<string, number>();
  for (const sentence of sentences) {
    for (const word of sentence) counts.set(word, (counts.get(word) ?? 0) + 1);
  }
  const kept = [...counts].filter(([, count]) => count >= minimum)
    .sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1));
  return { words: [UNKNOWN, END, ...kept.map(([word]) => word)] };
}

/** Ids of all sentences in a row, each followed by the id of the end of a sentence. */
export function encodeSentences(sentences: Iterable<readonly string[]>, vocabulary: Vocabulary): Int32Array {
  const ids = new Map(vocabulary.words.map((word, id) => [word, id]));
  const tokens: number[] = [];
  for (const sentence of sentences) {
    for (const word of sentence) tokens.push(ids.get(word) ?? 0);
    tokens.push(1);
  }
  return Int32Array.from(tokens);
}
