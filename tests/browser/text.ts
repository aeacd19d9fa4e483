import { RandomStream } from "../../circuits/random.ts";

const PARTS = [
  ["the", "a", "our"],
  ["old", "young", "free", "great"],
  ["nation", "people", "congress", "army"],
  ["keeps", "makes", "sees", "asks"],
  ["peace", "laws", "war", "it"],
];

/** Sentences of a small grammar, the same for a seed everywhere. */
export function madeUpText(count: number, seed = 1): string {
  return Array.from({ length: count }, (_, s) => {
    const random = new RandomStream(seed, s);
    return `${PARTS.map((words) => words[Math.floor(random.uniform() * words.length)]).join(" ")}.`;
  }).join(" ");
}
