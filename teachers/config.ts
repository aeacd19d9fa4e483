import { z } from "zod";

const ids = z.array(z.int().min(0));

/** What a teacher's graph takes and gives, and how text becomes pieces. */
export const teacherConfig = z.strictObject({
  /** What it is, for people. */
  name: z.string().min(1),
  /** Numbers in the vector of a token. */
  width: z.int().min(1),
  /** Pieces that it takes at a time, special ones counted. */
  longest: z.int().min(2),
  /** Whether a piece sees only itself and those before it. */
  causal: z.boolean(),
  /** Names of the graph's inputs. */
  inputs: z.strictObject({
    /** Ids of pieces, `[batch, tokens]`. */
    ids: z.string(),
    /** 1 where there is a piece, 0 for padding, `[batch, tokens]`. */
    mask: z.string().optional(),
    /** Kinds of pieces, all 0, `[batch, tokens]`. */
    types: z.string().optional(),
    /** Positions from 0, `[batch, tokens]`. */
    positions: z.string().optional(),
    /** One float: 1 if each piece may attend only to itself and later pieces. */
    suffixes: z.string().optional(),
    /** Type of all these but `suffixes`; int64 where it is left out. */
    integers: z.enum(["int64", "int32"]).optional(),
    /** One bool, for graphs with two branches: whether the caches are filled. */
    useCache: z.string().optional(),
    /** One integer: the number of last pieces to return logits for; 0 for all. */
    keep: z.string().optional(),
    /** Caches of earlier pieces that a causal graph takes, empty at first: `[batch, heads, 0, size]`. */
    past: z.array(z.strictObject({
      name: z.string(),
      heads: z.int().min(1),
      size: z.int().min(1),
      /** Single precision where it is left out. */
      type: z.enum(["float32", "float16"]).optional(),
      /** The output that gives it back for the next piece, where there is one. */
      present: z.string().optional(),
    })),
  }),
  /** Name of the output with the vectors of tokens, `[batch, tokens, width]`. */
  output: z.string(),
  /** Name of the output with logits of the next piece, `[batch, tokens, pieces]`, of causal language models. */
  logits: z.string().optional(),
  /**
   * For causal language models: pieces before every text, including a prompt. They are not part of the text.
   */
  start: ids.optional(),
  /** For causal language models: pieces that end a text. The first one stands for all of them. */
  ends: ids.optional(),
  /** Ids of the pieces that stand before a text: `[CLS]`. */
  before: ids,
  /** Ids of the pieces that stand after a text: `[SEP]`. */
  after: ids,
  /** Pieces for a word that the corpus leaves out, `<unk>`. */
  unknown: ids.min(1),
  /** Pieces for the end of a sentence, a line or a document, `<eos>`. */
  end: ids.min(1),
  /** Id that fills a batch up. */
  padding: z.int().min(0),
});

/** What a teacher's graph takes and gives, and how text becomes pieces. */
export type TeacherConfig = z.infer<typeof teacherConfig>;

/** Files of a teacher, as `openTeacher` takes them. */
export interface TeacherFiles {
  /** What the graph takes and gives. */
  readonly config: TeacherConfig;
  /** The graph, an `.onnx` file. */
  readonly model: Uint8Array<ArrayBuffer>;
  /** Weights that the graph stores in external files, by the names that it uses. */
  readonly external?: ReadonlyMap<string, Uint8Array<ArrayBuffer>>;
  /** The tokenizer, a `tokenizer.json`; absent where the tokens of the corpus are the teacher's own pieces. */
  readonly tokenizer?: string;
}
