/**
 * Hidden Markov models of WikiText-103 in the setting in which others publish theirs: pieces of GPT-2, windows of 128 that
 * do not overlap, 256 to 1,024 hidden states; from a random start and from clusters of a teacher's vectors, each trained
 * until the validation text ends it. What others give as nats a window of 128 is 128 times the logarithm of a perplexity here.
 *
 *     deno task run pipelines/wikitext103_arena.ts
 *     deno task run pipelines/wikitext103_arena.ts --set text=FOLDER_OR_FILE --set teacherEvery=1
 */
import { z } from "zod";
import { definePipeline } from "retort";
import { dataSet } from "retort/stages";
import {
  comparisonParams,
  corpusOf,
  distilledArm,
  languageCharts,
  layWindows,
  loadText,
  localText,
  randomArm,
  suffixVectors,
  tableOf,
  teacherName,
  teacherOf,
  textHeadline,
  textPaths,
  tokenizePieces,
} from "retort/stages/text";

export default definePipeline({
  name: "wikitext103-arena",
  question: "Does distillation make better hidden Markov models of WikiText-103 in pieces of GPT-2?",
  headline: ({ params }) => textHeadline(params.teachers[0] ?? "random"),
  params: z.object({
    ...comparisonParams,
    window: comparisonParams.window.unwrap().default(128),
    /** Another text than WikiText-103: see `text_hmm.ts`. */
    text: textPaths.optional(),
    /** A folder with another `tokenizer.json` than GPT-2's. */
    tokenizer: z.string().min(1).optional(),
    /** Numbers of hidden states. */
    states: z.array(z.int().min(2)).min(1).default([256, 512, 1024]),
    /** Teachers beside a random start. */
    teachers: z.array(teacherName).default(["static"]),
    /** Number of repetitions of each arm with different seeds. */
    seeds: z.int().min(1).default(1),
    /** Maximum number of k-means iterations. */
    iterations: z.int().min(1).default(30),
    /** Teachers read one of so many training windows: vectors of all 117 million pieces would take 15 GB. EM reads them all. */
    teacherEvery: z.int().min(1).default(16),
    /** Longest n-grams of the Kneser-Ney models beside them, whose n-grams are all in memory. */
    ngrams: z.array(z.int().min(2).max(9)).default([2]),
  }),
  async build({ params, read }) {
    const { text: path, window: length, states, seeds, iterations } = params;
    const text = path === undefined
      ? loadText({ files: dataSet({}, { name: "wikitext-103-raw" }).files }, {
        // Article by article: the training file is longer than a string may be.
        format: "wikitext",
        split: "names",
      })
      : loadText({ files: localText({}, { path }).files }, {
        format: "file",
        split: typeof path === "string" || Array.isArray(path) ? "auto" : "names",
      });
    const tokenizer = params.tokenizer === undefined
      ? dataSet({}, { name: "gpt2-tokenizer" }, { name: "GPT-2's tokenizer" }).files
      : localText({}, { path: params.tokenizer }, { name: "the tokenizer" }).files;
    const tokens = tokenizePieces({ ...text, tokenizer }, { ends: "nothing" });
    const corpus = corpusOf(tokens, length, params.partial);
    const { train, vocabulary } = tokens;
    const { windows } = params.teacherEvery === 1
      ? { windows: corpus.windows.train }
      : layWindows({ tokens: train, vocabulary }, {
        length,
        stride: length * params.teacherEvery,
        partial: params.partial,
      }, { name: "windows of teachers" });
    const few = { ...corpus, windows: { ...corpus.windows, train: windows } };
    const vectors = [...new Set(params.teachers)].map((name) =>
      [name, suffixVectors(few, name, teacherOf(name, {}), params)] as const
    );
    const em = { ...params, read };
    const arms = await Promise.all(
      states.flatMap((size) =>
        Array.from({ length: seeds }, (_, seed) => [
          randomArm(corpus, size, seed, em),
          ...vectors.map(([name, of]) =>
            distilledArm(corpus, of, name, size, seed, { iterations, em, windows })
          ),
        ])
      ).flat(),
    );
    const table = tableOf(corpus, arms, params.budget, params.ngrams);
    const { charts } = languageCharts({ table }, {
      corpus: path === undefined ? "WikiText-103" : "the text",
    });
    return { table, charts };
  },
});
