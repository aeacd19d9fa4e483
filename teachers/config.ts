import { z } from "zod";
import type { Vocabulary } from "../datasets/text/vocabulary.ts";

const ids = z.array(z.int().min(0));

/** The inputs and outputs of a teacher's graph, and how text becomes pieces. */
export const teacherConfig: z.ZodObject<{
  name: z.ZodString;
  width: z.ZodInt;
  longest: z.ZodInt;
  causal: z.ZodBoolean;
  backward: z.ZodOptional<z.ZodBoolean>;
  inputs: z.ZodObject<{
    ids: z.ZodString;
    mask: z.ZodOptional<z.ZodString>;
    types: z.ZodOptional<z.ZodString>;
    positions: z.ZodOptional<z.ZodString>;
    suffixes: z.ZodOptional<z.ZodString>;
    integers: z.ZodOptional<
      z.ZodEnum<{
        int32: "int32";
        int64: "int64";
      }>
    >;
    useCache: z.ZodOptional<z.ZodString>;
    keep: z.ZodOptional<z.ZodString>;
    past: z.ZodArray<
      z.ZodObject<{
        name: z.ZodString;
        heads: z.ZodInt;
        size: z.ZodInt;
        type: z.ZodOptional<
          z.ZodEnum<{
            float32: "float32";
            float16: "float16";
          }>
        >;
        present: z.ZodOptional<z.ZodString>;
      }, z.core.$strict>
    >;
  }, z.core.$strict>;
  output: z.ZodString;
  logits: z.ZodOptional<z.ZodString>;
  start: z.ZodOptional<z.ZodArray<z.ZodInt>>;
  ends: z.ZodOptional<z.ZodArray<z.ZodInt>>;
  before: z.ZodArray<z.ZodInt>;
  after: z.ZodArray<z.ZodInt>;
  unknown: z.ZodArray<z.ZodInt>;
  end: z.ZodArray<z.ZodInt>;
  padding: z.ZodInt;
}, z.core.$strict> = z.strictObject({
  /** Display name. */
  name: z.string().min(1),
  /** Dimension of token vectors. */
  width: z.int().min(1),
  /** Maximum number of pieces per sequence, including special pieces. */
  longest: z.int().min(2),
  /** Whether a piece attends only to itself and earlier pieces. */
  causal: z.boolean(),
  /** Of causal graphs: whether texts go through from their last piece to their first, so that a state knows of what follows. */
  backward: z.boolean().optional(),
  /** Names of the graph's inputs. */
  inputs: z.strictObject({
    /** Ids of pieces, `[batch, tokens]`. */
    ids: z.string(),
    /** 1 where there is a piece, 0 for padding, `[batch, tokens]`. */
    mask: z.string().optional(),
    /** Token type ids, all 0, `[batch, tokens]`. */
    types: z.string().optional(),
    /** Positions from 0, `[batch, tokens]`. */
    positions: z.string().optional(),
    /** One float: 1 if each piece may attend only to itself and later pieces. */
    suffixes: z.string().optional(),
    /** Integer type of these inputs; int64 if omitted. */
    integers: z.enum(["int64", "int32"]).optional(),
    /** One bool, for graphs with two branches: whether the caches are filled. */
    useCache: z.string().optional(),
    /** One integer: the number of last pieces to return logits for; 0 for all. */
    keep: z.string().optional(),
    /** Key-value caches of earlier pieces that a causal graph takes, empty at first: `[batch, heads, 0, size]`. */
    past: z.array(z.strictObject({
      name: z.string(),
      heads: z.int().min(1),
      size: z.int().min(1),
      /** Single precision if omitted. */
      type: z.enum(["float32", "float16"]).optional(),
      /** The output that returns this cache for the next piece, if there is one. */
      present: z.string().optional(),
    })),
  }),
  /** Name of the output with the token vectors, `[batch, tokens, width]`. */
  output: z.string(),
  /** For causal language models: name of the output with the logits of the next piece, `[batch, tokens, pieces]`. */
  logits: z.string().optional(),
  /**
   * For causal language models: pieces before every text, including a prompt. They are not part of the text.
   */
  start: ids.optional(),
  /** For causal language models: pieces that end a text. The first one stands for all of them. */
  ends: ids.optional(),
  /** Ids of the special pieces before a text: `[CLS]`. */
  before: ids,
  /** Ids of the special pieces after a text: `[SEP]`. */
  after: ids,
  /** Pieces for a word omitted from the corpus, `<unk>`. */
  unknown: ids.min(1),
  /** Pieces for the end of a sentence, a line or a document, `<eos>`. */
  end: ids.min(1),
  /** Id of the padding piece. */
  padding: z.int().min(0),
});

/** The inputs and outputs of a teacher's graph, and how text becomes pieces. */
export type TeacherConfig = z.infer<typeof teacherConfig>;

/** Files of a teacher, as `openTeacher` takes them. */
export interface TeacherFiles {
  /** The inputs and outputs of the graph. */
  readonly config: TeacherConfig;
  /** The graph, an `.onnx` file. */
  readonly model: Uint8Array<ArrayBuffer>;
  /** Weights that the graph stores in external files, keyed by the file names used in the graph. */
  readonly external?: ReadonlyMap<string, Uint8Array<ArrayBuffer>>;
  /** The tokenizer, a `tokenizer.json`; absent if the tokens of the corpus are the teacher's own pieces. */
  readonly tokenizer?: string;
  /** For language models whose pieces are the tokens of a corpus: these tokens. */
  readonly vocabulary?: Vocabulary;
}
