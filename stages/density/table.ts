import { z } from "zod";
import { RetortError } from "../../foundation/errors.ts";
import { tableText } from "../../foundation/text.ts";
import { json } from "../../runner/codecs/json.ts";
import { defineStage, type Many, many, type Stage } from "../../runner/stage.ts";
import { score } from "../codecs/score.ts";
import { convergenceText } from "../convergence.ts";
import { choice } from "./choose_circuit.ts";
import type { Codec } from "../../runner/codec.ts";

/** A model on a data set, possibly repeated with several seeds. Log-likelihoods are in nats. */
const row = z.object({
  /** Name of the data set. */
  set: z.string(),
  /** Name of the model. */
  model: z.string(),
  /** The setting chosen on the validation samples, for each seed. */
  chosen: z.array(z.string()),
  /** Whether EM converged on the validation samples, for each seed; null if unknown. */
  converged: z.array(z.boolean().nullable()),
  /** Mean validation log-likelihood, averaged over the seeds. */
  valid: z.number(),
  /** Mean test log-likelihood, averaged over the seeds. */
  test: z.number(),
  /** Standard deviation of the test score over the seeds; 0 if there is only one. */
  deviation: z.number(),
  /** Test score of each seed. */
  seeds: z.array(z.number()),
  /** Published test score; null if there is none. */
  published: z.number().nullable(),
});

/** Results of density estimation on several data sets. */
export interface DensityTable {
  /** A data set and a model each; log-likelihoods in nats, the published one where there is one. */
  rows: {
    set: string;
    model: string;
    chosen: string[];
    converged: (boolean | null)[];
    valid: number;
    test: number;
    deviation: number;
    seeds: number[];
    published: number | null;
  }[];
}

/** Results of density estimation on several data sets. */
export const densityTable: Codec<DensityTable, DensityTable, "density-table"> = json(
  "density-table",
  z.object({ rows: z.array(row) }),
  2,
  {
    summary: ({ rows }) => {
      const published = rows.some((r) => r.published !== null);
      return tableText(
        [
          "data set",
          "model",
          "chosen",
          "EM",
          "valid",
          "test",
          "s.d.",
          "seeds",
          ...published ? ["published"] : [],
        ],
        rows.map((r) => [
          r.set,
          r.model,
          [...new Set(r.chosen)].join(", "),
          convergenceText(r.converged),
          r.valid.toFixed(3),
          r.test.toFixed(3),
          r.seeds.length > 1 ? r.deviation.toFixed(3) : "",
          String(r.seeds.length),
          ...published ? [r.published?.toFixed(3) ?? ""] : [],
        ]),
      );
    },
  },
);

/** Combines choices and test scores into a table: row `i` takes the next `rows[i].seeds` entries of each list. */
export const densityResults: Stage<
  z.ZodObject<{
    rows: z.ZodArray<
      z.ZodObject<{
        set: z.ZodString;
        model: z.ZodString;
        seeds: z.ZodInt;
        published: z.ZodDefault<z.ZodNullable<z.ZodNumber>>;
      }, z.core.$strict>
    >;
  }, z.core.$strip>,
  { choices: Many<typeof choice>; scores: Many<typeof score> },
  { table: typeof densityTable }
> = defineStage({
  name: "density.table",
  params: z.object({
    rows: z.array(z.strictObject({
      set: z.string(),
      model: z.string(),
      seeds: z.int().min(1),
      published: z.number().nullable().default(null),
    })).min(1),
  }),
  inputs: { choices: many(choice), scores: many(score) },
  outputs: { table: densityTable },
  run({ inputs, params, context }) {
    const { choices, scores } = inputs;
    const wanted = params.rows.reduce((total, { seeds }) => total + seeds, 0);
    if (choices.length !== wanted || scores.length !== wanted) {
      throw new RetortError(
        "inputs/mismatch",
        `${choices.length} choices and ${scores.length} scores for ${wanted} models`,
      );
    }
    let at = 0;
    const rows = params.rows.map(({ set, model, seeds: count, published }) => {
      const own = choices.slice(at, at + count);
      const seeds = scores.slice(at, at + count).map((one, i) => {
        if (one.logLikelihood !== null && one.impossible === 0) return one.logLikelihood;
        throw new RetortError(
          "evaluation/impossible",
          `${set}, ${model}, seed ${i + 1}: ${one.impossible} of ${one.samples} test samples are impossible`,
          { hint: "A mean without them would say nothing: train with pseudocounts." },
        );
      });
      at += count;
      const test = meanOf(seeds);
      context.metric(`${set}, ${model}`, test);
      return {
        set,
        model,
        chosen: own.map(({ label }) => label),
        converged: own.map(({ converged }) => converged),
        valid: meanOf(own.map(({ valid }) => valid)),
        test,
        deviation: count === 1
          ? 0
          : Math.sqrt(seeds.reduce((sum, x) => sum + (x - test) ** 2, 0) / (count - 1)),
        seeds,
        published,
      };
    });
    return { table: { rows } };
  },
});

function meanOf(numbers: readonly number[]): number {
  return numbers.reduce((a, b) => a + b, 0) / numbers.length;
}
