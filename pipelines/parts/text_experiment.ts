/** The language experiment on any corpus: hidden Markov models by number of states, started at random and by teachers. */
import { z } from "zod";
import { languageCharts } from "../../stages/text/language_chart.ts";
import {
  comparisonParams,
  corpusOf,
  type DistilledArm,
  distilledArm,
  randomArm,
  suffixVectors,
  tableOf,
  type TextTokens,
} from "./hmm_arms.ts";
import { builtIn, type OnnxOptions, teacherName, teacherOf } from "./teachers.ts";

/** Parameters of the experiment. */
export const experimentParams = {
  ...comparisonParams,
  /** Numbers of hidden states. */
  states: z.array(z.int().min(2)).min(1).default([64, 128, 256, 512, 1024]),
  /** Teachers (see `teacherName`); a start at random is always there. */
  teachers: z.array(teacherName).default([...builtIn]),
  /** Runs of each arm that differ in their random numbers. */
  seeds: z.int().min(1).default(1),
  /** Larger models are run once, whatever `seeds` says: their time grows with the square of their states. */
  seedsUpTo: z.int().min(0).default(256),
  /** Most iterations of k-means. */
  iterations: z.int().min(1).default(30),
};
type Params = z.output<z.ZodObject<typeof experimentParams>> & OnnxOptions;

/** All arms on a corpus, with their table and charts. */
export function compareArms(tokens: TextTokens, params: Params, title: string) {
  const corpus = corpusOf(tokens, params.window, params.partial);
  const vectors = [...new Set(params.teachers)].map((name) =>
    [name, suffixVectors(corpus, name, teacherOf(name, params), params)] as const
  );
  const arms = params.states.flatMap((states) =>
    Array.from({ length: states <= params.seedsUpTo ? params.seeds : 1 }, (_, seed) => ({
      random: randomArm(corpus, states, seed, params),
      distilled: vectors.map(([name, of]): DistilledArm =>
        distilledArm(corpus, of, name, states, seed, { iterations: params.iterations, em: params })
      ),
    }))
  );
  const table = tableOf(
    corpus,
    arms.flatMap(({ random, distilled }) => [random, ...distilled]),
    params.budget,
  );
  return { corpus, arms, table, charts: languageCharts({ table }, { corpus: title }).charts };
}
