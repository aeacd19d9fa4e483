/**
 * Perplexity of hidden Markov models against their size: dense ones, and blocked ones in which a word has the states of its
 * class alone, so that tens of thousands of states are affordable. Each size starts at random and from teachers; every
 * arm is trained until the validation text ends it, and scored alone and with the n-grams of the training text. The floors are those of the text: n-grams that start anew with each window.
 *
 *     deno task run pipelines/plateau_text.ts
 *     deno task run pipelines/plateau_text.ts --set 'blocked=[{"blocks":128,"states":32}]' --set dense=[]
 *     deno task run pipelines/plateau_text.ts --set text=FOLDER_OR_FILE
 */
import { z } from "zod";
import { definePipeline } from "retort";
import { dataSet } from "retort/stages";
import {
  blockedArm,
  classesOf,
  comparisonParams,
  contextVectors,
  corpusOf,
  distilledArm,
  languageCharts,
  loadText,
  localText,
  randomArm,
  smoothingLevels,
  suffixVectors,
  tableOf,
  teacherName,
  teacherOf,
  textHeadline,
  textPaths,
  tokenize,
  withNgrams,
} from "retort/stages/text";

export default definePipeline({
  name: "plateau-text",
  question:
    "How far do hidden Markov models of text fall with their size, and what is a teacher worth there?",
  headline: {
    ...textHeadline("contexts"),
    arms: {
      random: "random start",
      contexts: "clusters of static contexts",
      "random with n-grams": "random start, with n-grams",
      "contexts with n-grams": "clusters of static contexts, with n-grams",
    },
  },
  params: z.object({
    ...comparisonParams,
    /** Another text than WikiText-2: see `text_hmm.ts`. Its words are separated by spaces. */
    text: textPaths.optional(),
    /** Sizes of blocked models. */
    blocked: z.array(z.strictObject({ blocks: z.int().min(1), states: z.int().min(1) })).default([
      { blocks: 64, states: 16 },
      { blocks: 128, states: 16 },
      { blocks: 128, states: 32 },
      { blocks: 128, states: 64 },
      { blocks: 128, states: 128 },
    ]),
    /** Hidden states of dense models. */
    dense: z.array(z.int().min(2)).default([64, 128, 256, 512, 1024]),
    /** How blocked models start: `random`, `contexts` (clusters of static vectors of both sides), or a teacher of suffixes. */
    starts: z.array(z.union([z.enum(["random", "contexts"]), teacherName])).min(1).default([
      "random",
      "contexts",
    ]),
    /** The teacher of dense models beside a random start; none if empty. */
    denseTeachers: z.array(teacherName).default(["static"]),
    /** Number of repetitions with different seeds. */
    seeds: z.int().min(1).default(1),
    /** Numbers of a word vector. */
    width: z.int().min(1).default(32),
    /** Most iterations of k-means. */
    iterations: z.int().min(1).default(12),
    /** Smoothing of blocked models, where clusters are counted and in EM: see docs/large.md. */
    levels: z.strictObject(smoothingLevels).prefault({}),
    /** Longest n-grams that a second row of each blocked model may go on in, see `evaluate.switching`; 0: no such row. */
    ngrams: z.union([z.literal(0), z.int().min(2).max(9)]).default(5),
    /** Most windows at a time of blocked models, whose updates are one an epoch. */
    blockedBatch: z.int().min(1).default(16384),
  }),
  async build({ params, read }) {
    const { text: path, seeds, starts, iterations } = params;
    const text = path === undefined
      ? loadText({ files: dataSet({}, { name: "wikitext-2" }).files }, { format: "file", split: "names" })
      : loadText({ files: localText({}, { path }).files }, {
        format: "file",
        split: typeof path === "string" || Array.isArray(path) ? "auto" : "names",
      });
    const corpus = corpusOf(tokenize(text, { by: "spaces", ends: "lines" }), params.window, params.partial);
    // Updates of blocked models are one an epoch and one node's, in shards as well.
    const { levels, ...others } = params, dense = { ...others, read };
    const { shardsPerUpdate: _, parts: __, ...whole } = dense;
    const em = {
      ...whole,
      levels,
      batchSize: params.blockedBatch,
      batchesPerUpdate: "epoch",
    } as const;
    const vectorsOf = (name: string) =>
      name === "random"
        ? undefined
        : name === "contexts"
        ? contextVectors(corpus, params.width)
        : suffixVectors(corpus, name, teacherOf(name, {}), params);
    const begun = params.blocked.length === 0 ? [] : [...new Set(starts)].map((name) => {
      const vectors = vectorsOf(name);
      return { name, ...(vectors !== undefined && { vectors }) };
    });
    const classes = new Map(
      [...new Set(params.blocked.map(({ blocks }) => blocks))].map((
        blocks,
      ) => [blocks, classesOf(corpus, blocks)]),
    );
    const teachers = params.dense.length === 0
      ? []
      : [...new Set(params.denseTeachers)].map((name) =>
        [name, suffixVectors(corpus, name, teacherOf(name, {}), params)] as const
      );
    const every = Array.from({ length: seeds }, (_, seed) => seed);
    const arms = (await Promise.all([
      ...params.blocked.flatMap((size) =>
        every.flatMap((seed) =>
          begun.map(async (start) => {
            const arm = await blockedArm(corpus, classes.get(size.blocks)!, size, start, seed, {
              em,
              iterations,
            });
            return params.ngrams === 0 ? [arm] : [arm, withNgrams(corpus, arm, params.ngrams)];
          })
        )
      ),
      ...params.dense.flatMap((states) =>
        every.flatMap((seed) => [
          randomArm(corpus, states, seed, dense),
          ...teachers.map(([name, vectors]) =>
            distilledArm(corpus, vectors, name, states, seed, { iterations, em: dense })
          ),
        ])
      ),
    ])).flat();
    const table = tableOf(corpus, arms, params.budget);
    return {
      table,
      charts: languageCharts({ table }, { corpus: path === undefined ? "WikiText-2" : "the text" }).charts,
    };
  },
});
