/**
 * The language experiment on any corpus: hidden Markov models of several sizes, initialised at random and from teachers.
 */
import { comparisonParams } from "./arm_params.ts";
import { z } from "zod";
import {
  type Arm,
  type Corpus,
  corpusOf,
  type DistilledArm,
  distilledArm,
  randomArm,
  suffixVectors,
  tableOf,
  type TextTokens,
} from "./arms.ts";
import { languageCharts } from "./language_chart.ts";
import { chooseCircuit } from "../density/choose_circuit.ts";
import { builtIn, type OnnxOptions, teacherName, teacherOf } from "./teacher_choice.ts";
import type { Ref } from "../../runner/stage.ts";
import type { circuit } from "../codecs/circuit.ts";
import type { charts } from "../charts/codec.ts";
import type { languageTable } from "./language_table.ts";
import type { ArmTraining } from "./train_arm.ts";

/** Parameters of the experiment. */
export const experimentParams: typeof comparisonParams & {
  /** Numbers of hidden states to try. */
  states: z.ZodDefault<z.ZodArray<z.ZodInt>>;
  /** Teachers (see `teacherName`). A random initialisation is always included. */
  teachers: z.ZodDefault<z.ZodArray<z.ZodString>>;
  /** Number of repetitions of each arm with different seeds. */
  seeds: z.ZodDefault<z.ZodInt>;
  /**
   * Models with more states are run once, regardless of `seeds`: their time grows with the square of the number of
   * states.
   */
  seedsUpTo: z.ZodDefault<z.ZodInt>;
  /** Maximum number of k-means iterations. */
  iterations: z.ZodDefault<z.ZodInt>;
} = {
  ...comparisonParams,
  /** Numbers of hidden states to try. */
  states: z.array(z.int().min(2)).min(1).default([64, 128, 256, 512, 1024]),
  /** Teachers (see `teacherName`). A random initialisation is always included. */
  teachers: z.array(teacherName).default([...builtIn]),
  /** Number of repetitions of each arm with different seeds. */
  seeds: z.int().min(1).default(1),
  /**
   * Models with more states are run once, regardless of `seeds`: their time grows with the square of the number of
   * states.
   */
  seedsUpTo: z.int().min(0).default(256),
  /** Maximum number of k-means iterations. */
  iterations: z.int().min(1).default(30),
};
/** Parameters of the experiment, with defaults filled in. */
export type ExperimentParams = z.output<z.ZodObject<typeof experimentParams>> & OnnxOptions;

/**
 * Trains all arms on a corpus; returns their results table and charts.
 *
 * @param params those of the experiment, and `read` of the build, which arms in `shards` need.
 * @throws CallError for parameters that do not go together
 */
export async function compareArms(
  tokens: TextTokens,
  params: ExperimentParams & Pick<ArmTraining, "read">,
  title: string,
): Promise<{
  corpus: Corpus;
  arms: {
    random: Arm;
    distilled: DistilledArm[];
  }[];
  table: Ref<typeof languageTable>;
  charts: Ref<typeof charts>;
}> {
  const corpus = corpusOf(tokens, params.window, params.partial);
  const vectors = [...new Set(params.teachers)].map((name) =>
    [name, suffixVectors(corpus, name, teacherOf(name, params), params)] as const
  );
  const wanted = params.states.flatMap((states) =>
    Array.from({ length: states <= params.seedsUpTo ? params.seeds : 1 }, (_, seed) => ({ states, seed }))
  );
  const arms = await Promise.all(wanted.map(async ({ states, seed }) => {
    const options = { iterations: params.iterations, em: params };
    const [random, ...distilled] = await Promise.all([
      randomArm(corpus, states, seed, params),
      ...vectors.map(([name, of]) => distilledArm(corpus, of, name, states, seed, options)),
    ]);
    return { random, distilled };
  }));
  const table = tableOf(
    corpus,
    arms.flatMap(({ random, distilled }) => [random, ...distilled]),
    params.budget,
  );
  return { corpus, arms, table, charts: languageCharts({ table }, { corpus: title }).charts };
}

/**
 * The model with the best validation score of several arms, the first one on ties: what is asked, where an experiment has several sizes or
 * seeds. A single arm needs no choice.
 */
export function bestModel(arms: readonly Arm[]): Ref<typeof circuit> {
  if (arms.length === 1) return arms[0]!.circuit;
  return chooseCircuit(
    { circuits: arms.map(({ circuit }) => circuit), logs: arms.map(({ log }) => log) },
    { labels: arms.map(({ row }) => `${row.arm}, ${row.states} hidden states, seed ${row.seed}`) },
    { name: "choose the model" },
  ).circuit;
}
