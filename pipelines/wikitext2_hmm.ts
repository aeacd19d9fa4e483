/**
 * The paper's language experiment: hidden Markov models of WikiText-2, more and more hidden states, started at random
 * and by latent variable distillation from a transformer and from control teachers: the decayed sum of static word
 * vectors (which knows no sentences), and noise (which knows nothing). Every arm is trained by EM in
 * mini-batches, keeps the epoch that predicts the validation text best, and is smoothed as that text wants it.
 *
 *     deno task run pipelines/wikitext2_hmm.ts
 *     deno task run pipelines/wikitext2_hmm.ts --set states=[64,128] --set seeds=3
 */
import { z } from "zod";
import { definePipeline } from "../mod.ts";
import { dataSet } from "../stages/data_set.ts";
import { languageCharts } from "../stages/text/language_chart.ts";
import { loadText } from "../stages/text/load.ts";
import { useLiteTeacher } from "../stages/text/teachers.ts";
import { tokenize } from "../stages/text/tokenize.ts";
import {
  corpusOf,
  distilledArm,
  embeddingParams,
  emParams,
  randomArm,
  suffixVectors,
  tableOf,
  teacherNames,
} from "./parts/hmm_arms.ts";

/** Seed of every run; more of them are whole numbers after it. */
const range = (count: number) => Array.from({ length: count }, (_, i) => i);

export default definePipeline({
  name: "wikitext2-hmm",
  params: z.object({
    ...emParams,
    ...embeddingParams,
    /** Numbers of hidden states. */
    states: z.array(z.int().min(2)).min(1).default([64, 128, 256, 512, 1024]),
    /** Teachers; a start at random is always there. */
    teachers: z.array(z.enum(teacherNames)).default([...teacherNames]),
    /** Runs of each arm that differ in their random numbers. */
    seeds: z.int().min(1).default(1),
    /** Larger models are run once, whatever `seeds` says: their time grows with the square of their states. */
    seedsUpTo: z.int().min(0).default(256),
    /** Tokens of a window. */
    window: z.int().min(2).default(32),
    /** Most iterations of k-means. */
    iterations: z.int().min(1).default(30),
  }),
  build({ params }) {
    const text = loadText({ files: dataSet({}, { name: "wikitext-2" }).files }, {
      format: "file",
      split: "names",
    });
    const tokens = tokenize(text, { units: "spaces", ends: "lines" });
    const corpus = corpusOf(tokens, params.window);
    const vectors = new Map(
      params.teachers.map((name) => [name, suffixVectors(corpus, name, useLiteTeacher({}).teacher, params)]),
    );
    const arms = params.states.flatMap((states) =>
      range(states <= params.seedsUpTo ? params.seeds : 1).flatMap((seed) => [
        randomArm(corpus, states, seed, params),
        ...[...vectors].map(([name, of]) =>
          distilledArm(corpus, of, name, states, seed, { iterations: params.iterations, em: params })
        ),
      ])
    );
    const table = tableOf(corpus, arms, params.budget);
    return { table, charts: languageCharts({ table }, { corpus: "WikiText-2" }).charts };
  },
});
