import { tokenizerOf } from "../../datasets/text/known_tokenizer.ts";
import type { Vocabulary } from "../../datasets/text/vocabulary.ts";
import { BEGINNING, type Spelling, type SpellingContext } from "./spelling.ts";

/**
 * A text as tokens of a vocabulary: as its tokenizer cuts it, where it has one, else in as few tokens as possible.
 * Undefined if it cannot be written.
 *
 * @param context what precedes: the beginning of a text, or other tokens
 */
export function encodeText(
  text: string,
  vocabulary: Vocabulary,
  spelling: Spelling,
  context: SpellingContext,
): number[] | undefined {
  const tokenizer = tokenizerOf(vocabulary);
  if (tokenizer !== undefined) return context === BEGINNING ? tokenizer.encode(text) : tokenizer.after(text);
  const bytes = new TextEncoder().encode(text);
  /** The shortest way to each position and context: how many tokens, the last one and where it began. */
  const ways = new Map<string, { count: number; token: number; before: string | undefined }>();
  const key = (at: number, context: SpellingContext) => `${at},${context}`;
  ways.set(key(0, context), { count: 0, token: -1, before: undefined });
  for (let at = 0; at < bytes.length; at++) {
    for (const own of spelling.contexts) {
      const way = ways.get(key(at, own));
      if (way === undefined) continue;
      for (let token = 0; token < spelling.tokens; token++) {
        const spelled = spelling.spell(token, own);
        if (spelled === undefined || spelled.bytes.length === 0) continue;
        if (!spelled.bytes.every((byte, i) => bytes[at + i] === byte)) continue;
        const to = key(at + spelled.bytes.length, spelled.context);
        if (way.count + 1 < (ways.get(to)?.count ?? Infinity)) {
          ways.set(to, { count: way.count + 1, token, before: key(at, own) });
        }
      }
    }
  }
  const ends = spelling.contexts.map((own) => key(bytes.length, own)).filter((end) => ways.has(end));
  ends.sort((a, b) => ways.get(a)!.count - ways.get(b)!.count);
  if (ends.length === 0) return undefined;
  const tokens: number[] = [];
  for (let at: string | undefined = ends[0]; at !== undefined; at = ways.get(at)!.before) {
    const { token } = ways.get(at)!;
    if (token >= 0) tokens.unshift(token);
  }
  return tokens;
}
