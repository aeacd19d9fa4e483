import { z } from "zod";
import { RandomStream } from "../../circuits/random.ts";
import type { WindowRows, Windows } from "../../datasets/text/windows.ts";
import { type FloatType, type MatrixShards, matrixShards } from "../../runner/codecs/shard_codecs.ts";
import {
  type NewShardProgress,
  type ShardProgress,
  shardProgress,
} from "../../runner/codecs/shard_progress.ts";
import { defineStage, type Stage, type StageContext } from "../../runner/stage.ts";
import type { Alignment } from "../../teachers/alignment.ts";
import { causalStates, embeddingModes, embedSuffixesOf } from "../../teachers/suffixes.ts";
import { openTeacher } from "../../teachers/teacher.ts";
import { decayedSums } from "../../teachers/word_vectors.ts";
import { type PartOf, WHOLE, wholeBlocks } from "../join_shards.ts";
import { onnxEngine } from "../onnx_engine.ts";
import { ShardOutput } from "../shard_output.ts";
import { type Tokens, tokens, vocabulary, windows } from "./codecs.ts";
import { teacher } from "./teachers.ts";
import type { Codec, ReadOf } from "../../runner/codec.ts";
import type { NewShards } from "../../runner/codecs/shards.ts";

/** Which hidden state of a causal model a position gets: see `CausalState`. */
export const embeddingState: z.ZodDefault<
  z.ZodEnum<{
    before: "before";
    after: "after";
  }>
> = z.enum(causalStates).default("after");

const precision = z.enum(["f2", "f4"]);
const outputs: { vectors: typeof matrixShards } = { vectors: matrixShards };

/** Parameters of vectors of suffixes by a teacher. */
export const suffixParams: z.ZodObject<
  {
    mode: z.ZodDefault<
      z.ZodEnum<{
        suffix: "suffix";
        cumulative: "cumulative";
        masked: "masked";
        causal: "causal";
      }>
    >;
    decay: z.ZodDefault<z.ZodNumber>;
    state: z.ZodDefault<
      z.ZodEnum<{
        before: "before";
        after: "after";
      }>
    >;
    precision: z.ZodDefault<
      z.ZodEnum<{
        f2: "f2";
        f4: "f4";
      }>
    >;
    together: z.ZodDefault<z.ZodInt>;
    batch: z.ZodDefault<z.ZodInt>;
  },
  z.core.$strip
> = z.object({
  /** `suffix`: a pass a suffix, the paper; `cumulative`, `masked`, `causal`: a pass a window. See docs/text.md. */
  mode: z.enum(embeddingModes).default("cumulative"),
  /** Weight of each word of a suffix against the one before it; 1: all alike, the paper. */
  decay: z.number().min(0).max(1).default(1),
  /** Of the mode `causal`: the state from which a word is predicted (Ctrl-G), or the one that has read it. */
  state: embeddingState,
  /** Half (`f2`) or single (`f4`) precision on disk. */
  precision: precision.default("f2"),
  /** Windows whose sequences are sorted by length and batched together. */
  together: z.int().min(1).default(256),
  /** Pieces in a batch, padding counted. */
  batch: z.int().min(1).default(1024),
});

/** What vectors of suffixes are made from. */
export const suffixInputs: {
  teacher: typeof teacher;
  tokens: typeof tokens;
  windows: typeof windows;
  vocabulary: typeof vocabulary;
} = { teacher, tokens, windows, vocabulary };

/**
 * Vectors of the suffixes of windows by a teacher: `[windows * length, width]`, row `w * length + t` for the suffix of
 * window `w` that begins at its position `t`; rows of padding are zero. Goes on after the last shard when it was killed.
 */
export const embedSuffixes: Stage<
  typeof suffixParams,
  typeof suffixInputs,
  { vectors: typeof matrixShards }
> = defineStage({
  name: "embed.suffixes",
  params: suffixParams,
  inputs: suffixInputs,
  outputs,
  engine: "use",
  checkpoint: shardProgress,
  run: async ({ inputs, params, context }) => ({ vectors: await suffixesOf(inputs, params, context) }),
});

/**
 * Vectors of the suffixes of some blocks of windows.
 *
 * @param part those of one of several parts, which begin and end with blocks of `together` windows: what is computed
 * together is the same as without parts
 * @throws {RetortError} for more parts than blocks, and where the teacher has not what the mode needs
 */
export async function suffixesOf(
  inputs: { readonly [K in keyof typeof suffixInputs]: ReadOf<typeof suffixInputs[K]> },
  { mode, decay, state, precision, together, batch }: z.output<typeof suffixParams>,
  context: StageContext<ShardProgress, NewShardProgress>,
  part: PartOf = WHOLE,
): Promise<NewShards<FloatType>> {
  await using model = await openTeacher(inputs.teacher, onnxEngine(context));
  const alignment = model.align(inputs.vocabulary);
  const { width } = inputs.teacher.config;
  return await eachBlock(
    inputs,
    context,
    width,
    precision,
    together,
    async (rows, first) =>
      await embedSuffixesOf(
        model,
        alignment,
        { ...rows, fresh: await freshOf(inputs, alignment, first, rows.count) },
        { mode, decay, state, batchPieces: batch },
      ),
    part,
  );
}

/**
 * The control teacher: the decayed sum of the vectors of a suffix's tokens, z_t = v(x_t) + decay * z_{t+1}. It has learned
 * which words are alike, and nothing of sentences.
 */
export const embedStatic: Stage<
  z.ZodObject<{
    decay: z.ZodDefault<z.ZodNumber>;
    precision: z.ZodDefault<
      z.ZodEnum<{
        f2: "f2";
        f4: "f4";
      }>
    >;
  }, z.core.$strip>,
  { words: typeof matrixShards; tokens: typeof tokens; windows: typeof windows },
  {
    vectors: Codec<MatrixShards, NewShards<FloatType>, "matrix-shards">;
  }
> = defineStage({
  name: "embed.static",
  params: z.object({
    /** Weight of each token against the one before it. */
    decay: z.number().min(0).max(1).default(0.7),
    /** Half (`f2`) or single (`f4`) precision on disk. */
    precision: precision.default("f2"),
  }),
  inputs: { words: matrixShards, tokens, windows },
  outputs,
  checkpoint: shardProgress,
  async run({ inputs, params, context }) {
    const words = await inputs.words.all();
    const { width } = inputs.words;
    const vectors = await eachBlock(
      inputs,
      context,
      width,
      params.precision,
      1024,
      (rows) => decayedSums(rows, words, width, params.decay),
    );
    return { vectors };
  },
});

/**
 * Static vectors of what stands around a word: the decayed sum of the vectors up to it, and that from it on, side by side.
 * Where the word's class is known, as in blocked HMMs, they tell in which company it is.
 */
export const embedContexts: Stage<
  z.ZodObject<{
    decay: z.ZodDefault<z.ZodNumber>;
    precision: z.ZodDefault<
      z.ZodEnum<{
        f2: "f2";
        f4: "f4";
      }>
    >;
  }, z.core.$strip>,
  { words: typeof matrixShards; tokens: typeof tokens; windows: typeof windows },
  {
    vectors: Codec<MatrixShards, NewShards<FloatType>, "matrix-shards">;
  }
> = defineStage({
  name: "embed.contexts",
  params: z.object({
    /** Weight of each token against the one beside it that is nearer. */
    decay: z.number().min(0).max(1).default(0.6),
    /** Half (`f2`) or single (`f4`) precision on disk. */
    precision: precision.default("f2"),
  }),
  inputs: { words: matrixShards, tokens, windows },
  outputs,
  checkpoint: shardProgress,
  async run({ inputs, params, context }) {
    const words = await inputs.words.all();
    const { width } = inputs.words;
    const vectors = await eachBlock(inputs, context, 2 * width, params.precision, 1024, (rows) => {
      const sides = (["left", "right"] as const).map((side) =>
        decayedSums(rows, words, width, params.decay, side)
      );
      const both = new Float32Array(2 * sides[0]!.length);
      for (let at = 0; at < sides[0]!.length; at += width) {
        sides.forEach((sums, i) => both.set(sums.subarray(at, at + width), 2 * at + i * width));
      }
      return both;
    });
    return { vectors };
  },
});

/** The empty control teacher: vectors of random numbers, the same for the same seed, which tell nothing of the text. */
export const embedRandom: Stage<
  z.ZodObject<{
    width: z.ZodDefault<z.ZodInt>;
    precision: z.ZodDefault<
      z.ZodEnum<{
        f2: "f2";
        f4: "f4";
      }>
    >;
  }, z.core.$strip>,
  { tokens: typeof tokens; windows: typeof windows },
  {
    vectors: Codec<MatrixShards, NewShards<FloatType>, "matrix-shards">;
  }
> = defineStage({
  name: "embed.random",
  params: z.object({
    /** Numbers in a vector. */
    width: z.int().min(1).default(16),
    /** Half (`f2`) or single (`f4`) precision on disk. */
    precision: precision.default("f2"),
  }),
  inputs: { tokens, windows },
  outputs,
  seeded: true,
  checkpoint: shardProgress,
  async run({ inputs, params, context }) {
    const { width } = params;
    const vectors = await eachBlock(inputs, context, width, params.precision, 1024, (rows, first) => {
      const stream = new RandomStream(context.seed, first);
      return Float32Array.from({ length: rows.count * rows.variables * width }, () => stream.normal());
    });
    return { vectors };
  },
});

/** Writes what `make` returns for the windows, a block at a time. Resumes from a checkpoint. */
async function eachBlock(
  inputs: { readonly tokens: Tokens; readonly windows: Windows },
  context: StageContext<ShardProgress, NewShardProgress>,
  width: number,
  type: "f2" | "f4",
  together: number,
  make: (rows: WindowRows, first: number) => Promise<Float32Array> | Float32Array,
  part: PartOf = WHOLE,
) {
  const { tokens, windows } = inputs;
  const { from, to } = wholeBlocks(windows.count, together, part);
  const output = await ShardOutput.begin(context, { type, width }, from);
  for (let first = output.position; first < to; first += together) {
    const next = Math.min(to, first + together);
    const vectors = await make(await windows.rows(tokens.ids, first, next), first);
    await output.append(vectors, next);
    context.progress(next - from, to - from, "windows");
  }
  context.metric("vectors", output.rows);
  return await output.finish();
}

/** `[count]`: 1 for windows, from `first` on, that begin with a document or after an end. */
async function freshOf(
  { tokens, windows }: { readonly tokens: Tokens; readonly windows: Windows },
  { ends }: Alignment,
  first: number,
  count: number,
): Promise<Uint8Array> {
  const before = await windows.before(tokens.ids, first, first + count);
  const begins = new Set<number>();
  let at = lowerBound(tokens.starts, windows.at(first).first);
  for (const last = windows.at(first + count - 1).first; at < tokens.starts.length; at++) {
    if (tokens.starts[at]! > last) break;
    begins.add(tokens.starts[at]!);
  }
  return Uint8Array.from(
    before,
    (token, i) => ends[token] === 1 || begins.has(windows.at(first + i).first) ? 1 : 0,
  );
}

/** Index of the first of rising numbers that is at least `x`. */
function lowerBound(rising: ArrayLike<number>, x: number): number {
  let low = 0, high = rising.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (rising[middle]! < x) low = middle + 1;
    else high = middle;
  }
  return low;
}
