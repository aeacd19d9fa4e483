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

/** Smoothing of blocked HMMs by levels, of counted and of expected counts: see `BlockedSmoothing`. */
export const smoothingLevels: {
  initial: z.ZodDefault<z.ZodNumber>;
  transition: z.ZodDefault<z.ZodNumber>;
  within: z.ZodDefault<z.ZodNumber>;
  between: z.ZodDefault<z.ZodNumber>;
  discount: z.ZodDefault<z.ZodNumber>;
  emission: z.ZodDefault<z.ZodNumber>;
} = {
  /** Virtual first states, as states are in the whole text. */
  initial: z.number().min(0).default(20),
  /** Virtual next classes of each state, as its class has them. */
  transition: z.number().min(0).default(120),
  /** Virtual next states of each state within each next class, as its class has them there. */
  within: z.number().min(0).default(10),
  /** Virtual next states of each class within each next class, as the whole text has them there. */
  between: z.number().min(0).default(10),
  /** What is taken of the number of times that a class follows another, for those that never do. */
  discount: z.number().min(0).default(0.8),
  /** Virtual words of each state, as its class has them. */
  emission: z.number().min(0).default(60),
};

/** Smoothing by levels, with defaults filled in. */
export type SmoothingLevels = z.output<z.ZodObject<typeof smoothingLevels>>;

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
