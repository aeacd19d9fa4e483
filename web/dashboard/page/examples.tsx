/// <reference lib="dom" />
import type { TextAnswer } from "../../../browser/ask.ts";
import { Tries } from "../../parts/asking.tsx";
import { useAnswer } from "./answer.ts";

/** Number and length of the sentences sampled for examples. */
const DRAWN = 8, LENGTH = 7;
/** Number of examples shown. */
const SHOWN = 4;
/** Fewer sentences of the run than these are helped out by sampled ones. */
const FEW = 2;

/**
 * Example sentences to start with: those that the run itself has filled in, and where these are few, sentences sampled from the
 * model, so that all words are in its vocabulary, with blanks inserted.
 */
export function Examples(
  { digest, length, sentences, onChoose }: {
    digest: string;
    length: number;
    sentences: readonly string[];
    onChoose: (sentence: string) => void;
  },
) {
  const blanks = Math.max(1, Math.min(LENGTH, length - 2));
  const answer = useAnswer<TextAnswer>(digest, {
    sentence: Array.from({ length: blanks }, () => "_").join(" "),
    ...{ ends: "false", list: "0", draws: String(DRAWN), seed: "1" },
  }, "examples");
  const sampled = sentences.length >= FEW
    ? []
    : answer.value?.drawn.flatMap((text) => exampleOf(text, answer.value!.unknownWord)) ?? [];
  const examples = [...new Set([...sentences, ...sampled])].slice(0, SHOWN);
  if (examples.length === 0) return null;
  return (
    <div class="bar">
      <Tries examples={examples} onChoose={onChoose} />
    </div>
  );
}

/** The sentence with a blank in place of its longest word and, if it is long, of the one before the last. */
function exampleOf(text: string, unknown: string | null): string[] {
  const words = text.trim().split(/\s+/);
  if (words.length < 2 || words.includes("_") || (unknown !== null && words.includes(unknown))) return [];
  const longest = words.reduce((best, word, i) => word.length > words[best]!.length ? i : best, 0);
  const second = words.length >= 6 && longest !== words.length - 2 ? words.length - 2 : longest;
  return [words.map((word, i) => i === longest || i === second ? "_" : word).join(" ")];
}
