import { z } from "zod";
import type { BlockedHmmOptions } from "../../circuits/structures/blocked_hmm.ts";
import { RetortError } from "../../foundation/errors.ts";
import type { ClusterLabels } from "../clusters/codecs.ts";
import type { Tokens } from "./codecs.ts";

/** Parameters of stages that make blocked HMMs. */
export const blockParams: {
  /** States of a block; the number of blocks is that of the word classes. */
  states: z.ZodInt;
  /** Positions of a window. */
  length: z.ZodInt;
} = {
  /** States of a block; the number of blocks is that of the word classes. */
  states: z.int().min(1),
  /** Positions of a window. */
  length: z.int().min(1),
};

/** The blocks of word classes: the words of a class are emitted by the same states, and blocks follow each other as in the text. */
export async function wordBlocks(
  { tokens, classes: { labels, clusters }, types }: {
    readonly tokens: Tokens;
    readonly classes: ClusterLabels;
    readonly types: number;
  },
  { states, length }: { readonly states: number; readonly length: number },
): Promise<BlockedHmmOptions> {
  if (labels.length !== types) {
    throw new RetortError("inputs/mismatch", `${labels.length} word classes for a vocabulary of ${types}`, {
      hint: "The classes must be those of this vocabulary.",
    });
  }
  const symbols: number[][] = Array.from({ length: clusters }, () => []);
  labels.forEach((g, word) => symbols[g]!.push(word));
  // Classes without words are no blocks.
  const used = [...symbols.keys()].filter((g) => symbols[g]!.length > 0);
  const blockOf = new Int32Array(clusters).fill(-1);
  used.forEach((g, b) => blockOf[g] = b);
  const follows = used.map(() => new Uint8Array(used.length));
  let before = -1;
  for await (const { values } of tokens.ids.blocks()) {
    for (const id of values) {
      const own = blockOf[labels[id]!]!;
      if (before >= 0) follows[before]![own] = 1;
      before = own;
    }
  }
  return {
    length,
    symbols: types,
    blocks: used.map((g) => ({ states, symbols: symbols[g]! })),
    follows: follows.map((marks) => [...marks.keys()].filter((b) => marks[b] === 1)),
    backoff: 1,
  };
}
