/**
 * Distills a transformer into hidden Markov models of your own text: files or folders of plain text, JSON lines, CSV or
 * parquet, split by file name or by hash. Compares with the same models initialised at random and, optionally, from
 * other teachers. Outputs perplexities; for the first teacher and the first number of states, the meaning of the hidden
 * states before EM; and, of the first teacher's models, the one with the best validation score, sentences sampled from it,
 * and blanks in your sentences filled in by it.
 *
 *     deno task run pipelines/text_hmm.ts --set text=FOLDER_OR_FILE
 *     deno task run pipelines/text_hmm.ts --set 'text=["a.txt","b.txt"]' --set format=lines
 *     deno task run pipelines/text_hmm.ts --set text.train=a.txt --set text.valid=b.txt --set text.test=c.txt
 *     deno task run pipelines/text_hmm.ts --set text=reviews.jsonl --set column=review --set by=words
 *     deno task run pipelines/text_hmm.ts --set text=FOLDER --set 'teachers=["./my-onnx-model","static"]'
 *     deno task run pipelines/text_hmm.ts --set text=FOLDER --set 'blanks=["The _ of the _."]'
 */
import { z } from "zod";
import { CallError, definePipeline } from "retort";
import {
  bestModel,
  blankedTexts,
  compareArms,
  completeText,
  experimentParams,
  isOnnx,
  loadParams,
  loadText,
  localText,
  sampleText,
  teacherFiles,
  textHeadline,
  textPaths,
  tokenize,
  tokenizePieces,
  tokenParams,
} from "retort/stages/text";

export default definePipeline({
  name: "text-hmm",
  question: "Does distilling a teacher make better hidden Markov models of this text than a random start?",
  headline: ({ params }) => textHeadline(params.teachers[0]!),
  params: z.object({
    ...experimentParams,
    /** Path of the text: a file, a folder, a list of them, or an object of them with `train`, `valid` and `test`. */
    text: textPaths,
    /** If given, only files with these name endings are read. */
    endings: z.array(z.string().min(1)).default([]),
    /** How a file is divided into documents. */
    format: loadParams.format.unwrap().default("paragraphs"),
    /** The text column of tables; each row is a document. */
    column: loadParams.column,
    /** How documents are assigned to splits: by file name if each split has a file, otherwise by hash. */
    split: loadParams.split.unwrap().default("auto"),
    /** Fractions of the documents in each split, if they are split by hash. */
    shares: loadParams.shares,
    /** What a token is; `pieces` uses those of the first ONNX teacher. */
    by: z.enum(["words", "spaces", "characters", "bytes", "pieces"]).default("words"),
    units: tokenParams.units,
    /** What the end token follows. */
    ends: tokenParams.ends,
    /** Whether to lowercase the text; for `words` and `spaces`. */
    lowercase: z.boolean().default(false),
    /** Tokens with fewer occurrences in the training text become the unknown token; not for `bytes` and `pieces`. */
    minimum: z.int().min(1).default(2),
    /** Maximum vocabulary size; not for `bytes` and `pieces`. */
    largest: tokenParams.largest,
    /**
     * What to do with a window that extends past the end of the text: pad it, so that a text may be shorter than a
     * window, or omit it.
     */
    partial: experimentParams.partial.unwrap().default("pad"),
    states: experimentParams.states.unwrap().default([128]),
    teachers: experimentParams.teachers.unwrap().min(1).default(["transformer", "static"]),
    /** The `.onnx` file, for teachers with several. */
    graph: z.string().optional(),
    /** The output of a teacher's graph with the token vectors, if there are several. */
    output: z.string().optional(),
    /** Sentences to fill in, with `_` for each missing token. */
    blanks: blankedTexts.default([]),
  }),
  async build({ params, read }) {
    const { text: path, endings, format, column, split, shares, by, ends } = params;
    const text = loadText({ files: localText({}, { path, endings }).files }, {
      format,
      split: typeof path === "string" || Array.isArray(path) ? split : "names",
      shares,
      ...(column !== undefined && { column }),
    });
    const tokens = by === "pieces"
      ? tokenizePieces({ ...text, tokenizer: piecesOf(params.teachers) }, { ends })
      : tokenize(text, {
        by,
        ends,
        lowercase: params.lowercase,
        minimum: params.minimum,
        ...(params.largest !== undefined && { largest: params.largest }),
      });
    const { arms, table, charts } = await compareArms(tokens, { ...params, read }, "the text");
    const { clusters } = arms[0]!.distilled[0]!;
    const circuit = bestModel(arms.map(({ distilled }) => distilled[0]!));
    const { vocabulary } = tokens;
    const { blanks } = params;
    return {
      clusters,
      table,
      charts,
      sentences: sampleText({ circuit, vocabulary }, { count: 10 }).sentences,
      ...(blanks.length > 0 && {
        completions: completeText({ circuit, vocabulary }, { sentences: blanks }).completions,
      }),
      model: circuit,
    };
  },
});

/** The tokenizer files of the first teacher that has a tokenizer. */
function piecesOf(teachers: readonly string[]) {
  const own = teachers.find(isOnnx);
  if (own !== undefined) return teacherFiles(own).at(-1)!;
  throw new CallError(
    "pipeline/parameters",
    "by=pieces needs a teacher in ONNX, whose pieces are the tokens (see `teachers`)",
  );
}
