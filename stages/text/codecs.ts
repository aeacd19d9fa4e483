/** Codecs of text, tokens and windows. */
import { RetortError } from "../../foundation/errors.ts";
import { z } from "zod";
import { readTokenizersBy } from "../../datasets/text/known_tokenizer.ts";
import { type Passage, passagesOf } from "../../datasets/text/passages.ts";
import { pieceTokenizer } from "../../datasets/text/pieces.ts";
import type { Vocabulary } from "../../datasets/text/vocabulary.ts";
import { windowBegins, Windows } from "../../datasets/text/windows.ts";
import { type Codec, defineCodec } from "../../runner/codec.ts";
import { array, type NumericArray } from "../../runner/codecs/array.ts";
import { json } from "../../runner/codecs/json.ts";
import { type IntegerType, type TokenShards, tokenShards } from "../../runner/codecs/shard_codecs.ts";
import type { NewShards } from "../../runner/codecs/shards.ts";

const offsets = array("offsets", "f8", 1);

/** Offsets as the codec of arrays takes them. */
const arrayOf = (data: Float64Array): NumericArray<"f8"> => ({ data, shape: [data.length] });

/** Documents as a stage gets them. */
export interface Documents {
  /** Number of documents. */
  readonly count: number;
  /** The documents in stretches that fit into memory: see `passagesOf`. */
  passages(): AsyncGenerator<Passage>;
}

/** Documents as a stage returns them. */
export interface NewDocuments {
  /** A finished file with the documents one after the other, UTF-8. */
  readonly path: string;
  /** Byte offset of each document, then the size of the file. */
  readonly starts: Float64Array;
}

/** Text in documents: `text.txt`, UTF-8, and the offsets at which documents begin. Larger than memory, if need be. */
export const documents: Codec<Documents, NewDocuments, "documents"> = defineCodec<
  Documents,
  NewDocuments,
  "documents"
>({
  name: "documents",
  version: 1,
  async write({ path, starts }, out) {
    await out.adopt("text.txt", path);
    await offsets.write(arrayOf(starts), out);
    return { documents: starts.length - 1, bytes: starts.at(-1)! };
  },
  async read(artifact) {
    const { data: starts } = await offsets.read(artifact);
    const size = artifact.artifact.files.find((file) => file.name === "text.txt")?.size;
    if (size !== starts.at(-1)) {
      throw new RetortError("artifact/unreadable", `text.txt has ${size} bytes, expected ${starts.at(-1)}`);
    }
    return {
      count: starts.length - 1,
      passages: async function* () {
        yield* passagesOf(await artifact.path("text.txt"), starts);
      },
    };
  },
});

/** Tokens as a stage gets them. */
export interface Tokens {
  /** Token ids, `[tokens]`: read piece by piece, or `all()`. */
  readonly ids: TokenShards;
  /** Number of tokens. */
  readonly count: number;
  /** Position of each document's first token, then the number of tokens. */
  readonly starts: Float64Array;
}

/** Tokens as a stage returns them. */
export interface NewTokens {
  /** What a `ShardWriter` of width 1 gives. */
  readonly ids: NewShards<IntegerType>;
  /** Position of each document's first token, then the number of tokens. */
  readonly starts: Float64Array;
}

/** Token ids in a row, in shards, with the positions at which documents begin. Larger than memory, if need be. */
export const tokens: Codec<Tokens, NewTokens, "tokens"> = defineCodec<Tokens, NewTokens, "tokens">({
  name: "tokens",
  version: 2,
  async write({ ids, starts }, out) {
    const facts = await tokenShards.write(ids, out);
    await offsets.write(arrayOf(starts), out);
    return { ...facts, documents: starts.length - 1 };
  },
  async read(artifact) {
    const ids = await tokenShards.read(artifact);
    const { data: starts } = await offsets.read(artifact);
    if (ids.width !== 1 || starts.at(-1) !== ids.rows) {
      throw new RetortError("artifact/unreadable", "offsets and ids do not fit");
    }
    return { ids, count: ids.rows, starts };
  },
});

/** Windows over tokens, as offsets, with how texts lie in them. `rows` gives them as samples. */
export const windows: Codec<Windows, Windows, "windows"> = defineCodec<Windows, Windows, "windows">({
  name: "windows",
  version: 2,
  async write({ length, runs, count, frame }, out) {
    const data = Float64Array.from(runs.flatMap((run) => [run.first, run.count, run.stride, run.observed]));
    await runArray.write({ data, shape: [runs.length, 4] }, out);
    return { length, windows: count, begins: frame.begins, ends: frame.ends };
  },
  async read(artifact) {
    const { data, shape } = await runArray.read(artifact);
    const runs = Array.from({ length: shape[0]! }, (_, i) => ({
      first: data[4 * i]!,
      count: data[4 * i + 1]!,
      stride: data[4 * i + 2]!,
      observed: data[4 * i + 3]!,
    }));
    const { length, begins, ends } = windowFacts.parse(artifact.artifact.facts);
    return new Windows(length, runs, { begins, ends });
  },
});
const runArray = array("window-runs", "f8", 2);
const windowFacts = z.object({ length: z.int().min(1), begins: z.enum(windowBegins), ends: z.boolean() });

/** A vocabulary as JSON, without a tokenizer. */
export const vocabularyShape: z.ZodObject<{
  kind: z.ZodEnum<{
    bytes: "bytes";
    words: "words";
    characters: "characters";
    pieces: "pieces";
  }>;
  words: z.ZodArray<z.ZodString>;
  unknown: z.ZodNullable<z.ZodInt>;
  end: z.ZodNullable<z.ZodInt>;
  glued: z.ZodOptional<z.ZodArray<z.ZodInt>>;
}> = z.object({
  kind: z.enum(["words", "characters", "bytes", "pieces"]),
  words: z.array(z.string()),
  unknown: z.int().nullable(),
  end: z.int().nullable(),
  glued: z.array(z.int()).optional(),
});

const vocabularyValue = json("vocabulary-value", vocabularyShape);

/**
 * Tokens by token id: words, characters, bytes or a teacher's pieces. `value.json` and, of pieces, the `tokenizer.json` that
 * text is cut by and shown by.
 */
export const vocabulary: Codec<Vocabulary, Vocabulary, "vocabulary"> = defineCodec<
  Vocabulary,
  Vocabulary,
  "vocabulary"
>({
  name: "vocabulary",
  version: 3,
  async write({ tokenizer, ...value }, out) {
    const { words, glued } = value;
    const plain = { ...value, words: [...words], ...(glued !== undefined && { glued: [...glued] }) };
    const facts = await vocabularyValue.write(plain as Parameters<typeof vocabularyValue.write>[0], out);
    if (tokenizer !== undefined) await out.text("tokenizer.json", tokenizer);
    return { tokens: words.length, ...facts };
  },
  async read(artifact) {
    readTokenizersBy(pieceTokenizer);
    const { glued, ...value } = await vocabularyValue.read(artifact);
    const has = artifact.artifact.files.some((file) => file.name === "tokenizer.json");
    return {
      ...value,
      ...(glued !== undefined && { glued }),
      ...(has && { tokenizer: await artifact.text("tokenizer.json") }),
    };
  },
});
