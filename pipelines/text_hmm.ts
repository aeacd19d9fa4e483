/**
 * Distils a transformer into hidden Markov models of a text of your own: files or folders, plain text, JSON lines, CSV or
 * parquet, split by their names or by hash. Beside it the same models from a random start, and from other teachers where
 * wanted. Ends with perplexities, what the hidden states were, sentences drawn from the model of the first teacher and the
 * first number of states, blanks in sentences of yours filled in by it, and that model.
 *
 *     deno task run pipelines/text_hmm.ts --set text=FOLDER_OR_FILE
 *     deno task run pipelines/text_hmm.ts --set 'text=["a.txt","b.txt"]' --set format=lines
 *     deno task run pipelines/text_hmm.ts --set text.train=a.txt --set text.valid=b.txt --set text.test=c.txt
 *     deno task run pipelines/text_hmm.ts --set text=reviews.jsonl --set column=review --set by=words
 *     deno task run pipelines/text_hmm.ts --set text=FOLDER --set 'teachers=["./my-onnx-model","static"]'
 *     deno task run pipelines/text_hmm.ts --set text=FOLDER --set 'blanks=["The _ of the _."]'
 */
import { z } from "zod";
import { CallError, definePipeline } from "../mod.ts";
import { blankedTexts, completeText } from "../stages/text/complete_text.ts";
import { loadParams, loadText } from "../stages/text/load.ts";
import { localText, textPaths } from "../stages/text/local.ts";
import { sampleText } from "../stages/text/sample_text.ts";
import { tokenize, tokenizePieces, tokenParams } from "../stages/text/tokenize.ts";
import { textHeadline } from "./parts/hmm_arms.ts";
import { isOnnx, teacherFiles } from "./parts/teachers.ts";
import { compareArms, experimentParams } from "./parts/text_experiment.ts";

export default definePipeline({
  name: "text-hmm",
  question: "Does distilling a teacher make better hidden Markov models of this text than a random start?",
  headline: ({ params }) => textHeadline(params.teachers[0]!),
  params: z.object({
    ...experimentParams,
    /** Where the text lies: a file, a folder, a list of them, or `train`, `valid` and `test` of them. */
    text: textPaths,
    /** Take only files whose names end so. */
    endings: z.array(z.string().min(1)).default([]),
    /** How documents are told apart in a file. */
    format: loadParams.format.unwrap().default("paragraphs"),
    /** The column of tables that is the text: each row is a document. */
    column: loadParams.column,
    /** How documents get into splits: by the names of files where each split has one, else by hash. */
    split: loadParams.split.unwrap().default("auto"),
    /** Shares of the documents, where they are split by hash. */
    shares: loadParams.shares,
    /** What a token is; `pieces`: those of the first teacher in ONNX. */
    by: z.enum(["words", "spaces", "characters", "bytes", "pieces"]).default("words"),
    units: tokenParams.units,
    /** What the end token stands after. */
    ends: tokenParams.ends,
    /** Whether capitals become small letters; for `words` and `spaces`. */
    lowercase: z.boolean().default(false),
    /** Tokens rarer than this in the training text become the unknown token; not for `bytes` and `pieces`. */
    minimum: z.int().min(1).default(2),
    /** Ids at most; not for `bytes` and `pieces`. */
    largest: tokenParams.largest,
    /** A window that reaches over the end of the text: filled up, so that a text may be shorter than one, or left out. */
    partial: experimentParams.partial.unwrap().default("pad"),
    states: experimentParams.states.unwrap().default([128]),
    teachers: experimentParams.teachers.unwrap().min(1).default(["transformer", "static"]),
    /** The `.onnx` file of a teacher that has several. */
    graph: z.string().optional(),
    /** The output of a teacher's graph with the vectors of tokens, where there are several. */
    output: z.string().optional(),
    /** Sentences with `_` for each missing token, to be filled in. */
    blanks: blankedTexts.default([]),
  }),
  build({ params }) {
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
    const { arms, table, charts } = compareArms(tokens, params, "the text");
    const { circuit, clusters } = arms[0]!.distilled[0]!;
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

/** The files with the tokenizer of the first teacher that has one. */
function piecesOf(teachers: readonly string[]) {
  const own = teachers.find(isOnnx);
  if (own !== undefined) return teacherFiles(own).at(-1)!;
  throw new CallError(
    "pipeline/parameters",
    "by=pieces needs a teacher in ONNX, whose pieces are the tokens (see `teachers`)",
  );
}
