import { z } from "zod";
import { TextError } from "../../datasets/text/errors.ts";
import {
  byteTokenizer,
  characterTokenizer,
  endsOf,
  type Tokenizer,
  wordTokenizer,
} from "../../datasets/text/tokenizer.ts";
import { pieceDocumentTokenizer, pieceTokenizer } from "../../datasets/text/pieces.ts";
import { files } from "../../runner/codecs/files.ts";
import type { IntegerType } from "../../runner/codecs/shard_codecs.ts";
import { ShardWriter } from "../../runner/codecs/shard_writer.ts";
import { defineStage, type Stage, type StageContext } from "../../runner/stage.ts";
import { type Documents, documents, type NewTokens, tokens, vocabulary } from "./codecs.ts";

/** Documents of each split. */
export type DocumentInputs = Record<"train" | "valid" | "test", typeof documents>;

/** Tokens of each split, and the vocabulary, that of the training text. */
export type TokenOutputs =
  & Record<"train" | "valid" | "test", typeof tokens>
  & Record<"vocabulary", typeof vocabulary>;

const texts: DocumentInputs = { train: documents, valid: documents, test: documents };
const outputs: TokenOutputs = { vocabulary, train: tokens, valid: tokens, test: tokens };

/** Parameters of {@link tokenize}, for pipelines that hand them on. */
export const tokenParams: {
  /**
   * What a token is. `words`: letters and digits in a row, in Chinese, Japanese and Thai by a dictionary, other marks alone; `spaces`: what stands between white space, for text that
   * is in tokens already (WikiText); `characters`; `bytes`.
   */
  by: z.ZodDefault<
    z.ZodEnum<{
      bytes: "bytes";
      words: "words";
      characters: "characters";
      spaces: "spaces";
    }>
  >;
  /** The name of `by` before 0.2.0. */
  units: z.ZodOptional<z.ZodNever>;
  /** What the end token stands after. For WikiText: `lines`. */
  ends: z.ZodDefault<
    z.ZodEnum<{
      sentences: "sentences";
      documents: "documents";
      lines: "lines";
      nothing: "nothing";
    }>
  >;
  /** Whether capitals become small letters; for `words` and `spaces`. */
  lowercase: z.ZodDefault<z.ZodBoolean>;
  /** Least number of occurrences in the training text; rarer tokens become the unknown token. */
  minimum: z.ZodDefault<z.ZodInt>;
  /** Largest number of ids, with those of the unknown token and of the end token. */
  largest: z.ZodOptional<z.ZodInt>;
} = {
  /**
   * What a token is. `words`: letters and digits in a row, in Chinese, Japanese and Thai by a dictionary, other marks alone; `spaces`: what stands between white space, for text that
   * is in tokens already (WikiText); `characters`; `bytes`.
   */
  by: z.enum(["words", "spaces", "characters", "bytes"]).default("words"),
  /** The name of `by` before 0.2.0. */
  units: z.never("it is called `by` since 0.2.0").optional(),
  /** What the end token stands after. For WikiText: `lines`. */
  ends: z.enum(endsOf).default("sentences"),
  /** Whether capitals become small letters; for `words` and `spaces`. */
  lowercase: z.boolean().default(false),
  /** Least number of occurrences in the training text; rarer tokens become the unknown token. */
  minimum: z.int().min(1).default(1),
  /** Largest number of ids, with those of the unknown token and of the end token. */
  largest: z.int().min(2).optional(),
};

/** Tokens of a corpus. The vocabulary is that of the training text. */
export const tokenize: Stage<
  z.ZodObject<typeof tokenParams, z.core.$strip>,
  DocumentInputs,
  TokenOutputs
> = defineStage({
  name: "text.tokenize",
  params: z.object(tokenParams),
  inputs: texts,
  outputs,
  async run({ inputs, params, context }) {
    const limits = {
      minimum: params.minimum,
      ...(params.largest === undefined ? {} : { largest: params.largest }),
    };
    const passages = inputs.train.passages();
    const tokenizer = params.by === "bytes"
      ? byteTokenizer(params.ends)
      : params.by === "characters"
      ? await characterTokenizer(passages, params.ends, limits)
      : await wordTokenizer(passages, {
        split: params.by === "words" ? "letters" : "spaces",
        lowercase: params.lowercase,
        ends: params.ends,
      }, limits);
    return await encodeAll(tokenizer, inputs, context);
  },
});

/** Tokens of a corpus in the pieces of a teacher's own tokenizer: a folder with a `tokenizer.json`. */
export const tokenizePieces: Stage<
  z.ZodObject<{
    ends: z.ZodDefault<
      z.ZodEnum<{
        sentences: "sentences";
        documents: "documents";
        lines: "lines";
        nothing: "nothing";
      }>
    >;
  }, z.core.$strip>,
  DocumentInputs & { tokenizer: typeof files },
  TokenOutputs
> = defineStage({
  name: "text.pieces",
  params: z.object({
    /** What the end token stands after; `nothing` where the tokenizer has no such piece. */
    ends: z.enum(endsOf).default("documents"),
  }),
  inputs: { ...texts, tokenizer: files },
  outputs,
  async run({ inputs, params, context }) {
    const name = inputs.tokenizer.entries.find((entry) => /(^|\/)tokenizer\.json$/.test(entry.name))?.name;
    if (name === undefined) {
      throw new TextError(
        "text/tokenizer",
        `no tokenizer.json among ${inputs.tokenizer.entries.map((entry) => entry.name).join(", ")}`,
        { hint: "Hand over the folder of the teacher whose tokenizer it is." },
      );
    }
    const pieces = pieceTokenizer(await inputs.tokenizer.text(name), name);
    return await encodeAll(pieceDocumentTokenizer(pieces, params.ends), inputs, context);
  },
});

async function encodeAll(
  tokenizer: Tokenizer,
  inputs: { readonly train: Documents; readonly valid: Documents; readonly test: Documents },
  context: StageContext,
) {
  const { vocabulary } = tokenizer;
  const scratch = await context.scratch();
  context.metric("vocabulary", vocabulary.words.length);
  const encoded = async (split: "train" | "valid" | "test") => {
    const folder = `${scratch}/${split}`;
    await Deno.mkdir(folder);
    const made = await encode(tokenizer, inputs[split], folder, context);
    context.metric(`${split} tokens`, made.starts.at(-1)!);
    return made;
  };
  return {
    vocabulary,
    train: await encoded("train"),
    valid: await encoded("valid"),
    test: await encoded("test"),
  };
}

async function encode(
  tokenizer: Tokenizer,
  texts: Documents,
  folder: string,
  context: StageContext,
): Promise<NewTokens> {
  const size = tokenizer.vocabulary.words.length;
  const type: IntegerType = size <= 1 << 8 ? "u1" : size <= 1 << 16 ? "u2" : "i4";
  const writer = new ShardWriter({ folder, type, width: 1 });
  const starts: number[] = [];
  for await (const passage of texts.passages()) {
    context.signal.throwIfAborted();
    while (starts.length <= passage.document) starts.push(writer.rows);
    await writer.append(Int32Array.from(tokenizer.encode(passage)));
    context.progress(passage.document + 1, texts.count, "documents");
  }
  while (starts.length <= texts.count) starts.push(writer.rows);
  return { ids: await writer.finish(), starts: Float64Array.from(starts) };
}
