import { z } from "zod";
import { RetortError } from "../../foundation/errors.ts";
import { tableText } from "../../foundation/text.ts";
import { json } from "../../runner/codecs/json.ts";
import { defineStage, type Many, many, type Stage } from "../../runner/stage.ts";
import { languageScore } from "../codecs.ts";
import { type MeanScore, trainingLog } from "../codecs/score.ts";
import { bestBy, convergenceText } from "../convergence.ts";
import type { Codec } from "../../runner/codec.ts";

const perplexity = z.number().nullable();

/** One trained model. */
const row = z.object({
  /** How it was made. */
  arm: z.string(),
  /** Hidden states. */
  states: z.int(),
  /** Which of several that differ in their random numbers alone. */
  seed: z.int(),
  /** Validation perplexity before EM, after the number of epochs that all arms ran, and of the best epoch. */
  start: perplexity,
  atBudget: perplexity,
  best: perplexity,
  /** Epoch of the best one, and of the last one that was run. */
  bestEpoch: z.int(),
  epochs: z.int(),
  /** Whether the validation text ended EM, rather than its epochs. */
  converged: z.boolean().nullable(),
  /** After the emissions were smoothed as the validation text wants it. */
  valid: perplexity,
  test: perplexity,
});

/** A model without hidden states on the same text. */
const floor = z.object({ model: z.string(), valid: perplexity, test: perplexity });

const table = z.object({ budget: z.int(), rows: z.array(row), floors: z.array(floor) });

/** Perplexities of language models, arm by arm. */
export interface LanguageTable {
  /** Epochs after which all arms are compared. */
  budget: number;
  /** An arm, a number of states and a seed each; perplexities, null where infinite or unknown. */
  rows: {
    arm: string;
    states: number;
    seed: number;
    start: number | null;
    atBudget: number | null;
    best: number | null;
    bestEpoch: number;
    epochs: number;
    converged: boolean | null;
    valid: number | null;
    test: number | null;
  }[];
  /** Models without hidden states; perplexities, null where infinite. */
  floors: {
    model: string;
    valid: number | null;
    test: number | null;
  }[];
}

/** Perplexities of language models, arm by arm. */
export const languageTable: Codec<LanguageTable, LanguageTable, "language-table"> = json(
  "language-table",
  table,
  2,
  { summary: summaryOf },
);

/** Gathers trainings and scores of hidden Markov models: those of row `i` stand at position `i` of each list. */
export const languageResults: Stage<
  z.ZodObject<{
    budget: z.ZodInt;
    rows: z.ZodArray<
      z.ZodObject<{
        arm: z.ZodString;
        states: z.ZodInt;
        seed: z.ZodInt;
      }, z.core.$strict>
    >;
    floors: z.ZodDefault<z.ZodArray<z.ZodString>>;
  }, z.core.$strip>,
  {
    logs: Many<typeof trainingLog>;
    valid: Many<typeof languageScore>;
    test: Many<typeof languageScore>;
    floorValid: Many<typeof languageScore>;
    floorTest: Many<typeof languageScore>;
  },
  { table: typeof languageTable }
> = defineStage({
  name: "text.table",
  params: z.object({
    /** Epochs after which all arms are compared. */
    budget: z.int().min(0),
    rows: z.array(z.strictObject({ arm: z.string(), states: z.int().min(1), seed: z.int().min(0) })).min(1),
    /**
     * Names of the models without hidden states; of those with equal names the best on the validation text is
     * shown.
     */
    floors: z.array(z.string()).default([]),
  }),
  inputs: {
    logs: many(trainingLog),
    valid: many(languageScore),
    test: many(languageScore),
    floorValid: many(languageScore),
    floorTest: many(languageScore),
  },
  outputs: { table: languageTable },
  run({ inputs, params, context }) {
    for (
      const [name, list, wanted] of [
        ["trainings", inputs.logs, params.rows],
        ["validation scores", inputs.valid, params.rows],
        ["test scores", inputs.test, params.rows],
        ["validation scores of floors", inputs.floorValid, params.floors],
        ["test scores of floors", inputs.floorTest, params.floors],
      ] as const
    ) {
      if (list.length !== wanted.length) {
        throw new RetortError("inputs/mismatch", `${list.length} ${name} for ${wanted.length} models`);
      }
    }
    const rows = params.rows.map((one, i) => {
      const { epochs, bestEpoch, converged } = inputs.logs[i]!;
      const { tokens } = inputs.valid[i]!;
      const perplexityOf = (score: MeanScore | undefined): number | null => {
        if (score === undefined || score.logLikelihood === null || score.impossible > 0) return null;
        return Math.exp(-score.logLikelihood * score.samples / tokens);
      };
      const after = (epoch: number) => perplexityOf(epochs.find((report) => report.epoch === epoch)?.valid);
      const test = inputs.test[i]!.perplexity;
      if (test !== null) context.metric(`${one.arm}, ${one.states} states, seed ${one.seed}`, test);
      return {
        ...one,
        start: after(0),
        atBudget: perplexityOf(bestBy(inputs.logs[i]!, params.budget)),
        best: after(bestEpoch),
        bestEpoch,
        epochs: Math.max(0, ...epochs.map(({ epoch }) => epoch)),
        converged,
        valid: inputs.valid[i]!.perplexity,
        test,
      };
    });
    const floors = params.floors.map((model, i) => ({
      model,
      valid: inputs.floorValid[i]!.perplexity,
      test: inputs.floorTest[i]!.perplexity,
    }));
    const best = [...Map.groupBy(floors, ({ model }) => model).values()].map((tried) =>
      tried.reduce((a, b) => (b.valid ?? Infinity) < (a.valid ?? Infinity) ? b : a)
    );
    return { table: { budget: params.budget, rows, floors: best } };
  },
});

/** Rows of one arm and size together, with the lowest and highest over seeds. */
function summaryOf({ budget, rows, floors }: z.output<typeof table>): string {
  const groups = Map.groupBy(rows, ({ arm, states }) => `${arm}\n${states}`);
  const spread = (values: readonly (number | null)[]): string => {
    const shown = values.map((p) => p ?? Infinity).toSorted((a, b) => a - b);
    const mean = shown.reduce((a, b) => a + b, 0) / shown.length;
    const text = mean === Infinity ? "infinite" : mean.toFixed(1);
    return shown.length === 1 ? text : `${text} (${shown[0]!.toFixed(1)} to ${shown.at(-1)!.toFixed(1)})`;
  };
  const lines = [...groups.values()].map((group) => {
    const of = (column: "start" | "atBudget" | "best" | "valid" | "test") =>
      spread(group.map((one) => one[column]));
    const epochs = [...new Set(group.map(({ bestEpoch, epochs }) => `${bestEpoch} of ${epochs}`))].join(", ");
    const { arm, states } = group[0]!;
    return [
      arm,
      String(states),
      of("start"),
      of("atBudget"),
      of("best"),
      epochs,
      convergenceText(group.map(({ converged }) => converged)),
      of("valid"),
      of("test"),
      String(group.length),
    ];
  });
  const floorLines = floors.map((
    { model, valid, test },
  ) => [model, "", "", "", "", "", "", spread([valid]), spread([test]), ""]);
  return tableText(
    ["arm", "states", "before EM", `by epoch ${budget}`, "best", "epoch", "EM", "valid", "test", "seeds"],
    [...lines, ...floorLines],
  );
}
