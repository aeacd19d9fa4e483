/** What pipelines over rows share: models of a table side by side, and what is asked of the best. */
import { z } from "zod";
import type { HeadlineDefinition } from "../../runner/headline.ts";
import type { files } from "../../runner/codecs/files.ts";
import type { Ref } from "../../runner/stage.ts";
import type { charts } from "../charts/codec.ts";
import type { circuit as circuitCodec } from "../codecs/circuit.ts";
import type { samples } from "../codecs/samples.ts";
import type { score } from "../codecs/score.ts";
import { type choice, chooseCircuit } from "../density/choose_circuit.ts";
import { densityResults, type densityTable } from "../density/table.ts";
import { evaluateCircuit } from "../evaluate_circuit.ts";
import { trainEm } from "../train_em.ts";
import { askRows, rowQuestions } from "./ask_rows.ts";
import type { rowColumns, rowTable } from "./codecs.ts";
import { drawTree } from "./draw_tree.ts";
import { drawnRows } from "./drawn_rows.ts";
import { fillRows } from "./fill_rows.ts";
import { loadTable, tableParams } from "./load_table.ts";
import { rowTree } from "./row_tree.ts";
import { type columnScores, scoreColumns } from "./score_columns.ts";
import { tableFile } from "./table_file.ts";

/** Parameters of models of rows. */
export const rowParams: {
  /** Numbers of hidden states to try; the validation rows choose. */
  latents: z.ZodDefault<z.ZodArray<z.ZodInt>>;
  /** Bells of a column of numbers in the models that have no hidden states. */
  bells: z.ZodDefault<z.ZodInt>;
  /** Least standard deviation of a bell, as a share of its column's. */
  minSpread: z.ZodDefault<z.ZodNumber>;
  /** Maximum number of epochs of EM: high enough that the validation rows stop training. */
  epochs: z.ZodDefault<z.ZodInt>;
  /** Minimum improvement of the validation score in nats a row. */
  tolerance: z.ZodDefault<z.ZodNumber>;
  /** Number of repetitions with different seeds. */
  seeds: z.ZodDefault<z.ZodInt>;
  /** Number of rows to draw. */
  draw: z.ZodDefault<z.ZodInt>;
  /** Rows of which some cells are known, to be completed. */
  ask: z.ZodDefault<
    z.ZodArray<z.ZodRecord<z.ZodString, z.ZodUnion<readonly [z.ZodString, z.ZodNumber, z.ZodBoolean]>>>
  >;
} = {
  /** Numbers of hidden states to try; the validation rows choose. */
  latents: z.array(z.int().min(1)).min(1).default([2, 4, 8, 16]),
  /** Bells of a column of numbers in the models that have no hidden states. */
  bells: z.int().min(1).default(8),
  /** Least standard deviation of a bell, as a share of its column's. */
  minSpread: z.number().positive().default(0.02),
  /** Maximum number of epochs of EM: high enough that the validation rows stop training. */
  epochs: z.int().min(0).default(200),
  /** Minimum improvement of the validation score in nats a row. */
  tolerance: z.number().min(0).default(0.001),
  /** Number of repetitions with different seeds. */
  seeds: z.int().min(1).default(3),
  /** Number of rows to draw. */
  draw: z.int().min(1).default(10),
  /** Rows of which some cells are known, to be completed. */
  ask: rowQuestions.default([]),
};

/** Parsed parameters of models of rows. */
export type RowParams = z.output<z.ZodObject<typeof rowParams>>;

/** A loaded table. */
export interface LoadedTable {
  /** What the columns are. */
  readonly columns: Ref<typeof rowColumns>;
  /** All rows. */
  readonly rows: Ref<typeof samples>;
  /** Rows to learn from. */
  readonly train: Ref<typeof samples>;
  /** Rows that choose. */
  readonly valid: Ref<typeof samples>;
  /** Rows that are scored. */
  readonly test: Ref<typeof samples>;
}

/** The table of a file, by the parameters of {@link loadTable}. */
export function tableAt(path: string, params: z.output<z.ZodObject<typeof tableParams>>): LoadedTable {
  const { types, header, delimiter, decimal, missing, shares } = params;
  return loadTable({ files: tableFile({}, { path }).files }, {
    types,
    decimal,
    shares,
    ...(header !== undefined && { header }),
    ...(delimiter !== undefined && { delimiter }),
    ...(missing !== undefined && { missing }),
  });
}

/**
 * The headline question of pipelines over rows and where its answer is found. The baseline is the harder of the two simpler models:
 * nearly every model says more than independent columns do.
 */
export const rowHeadline: HeadlineDefinition = {
  metric: "mean log-likelihood of test rows",
  unit: "nats",
  direction: "higher",
  decimals: 3,
  subject: "hidden tree",
  baseline: "Chow-Liu tree",
  values: [{ output: "table", rows: "rows", value: "seeds", arm: "{model}", converged: "converged" }],
};

/** The models that are compared, in the order of the table. */
const MODELS = [
  { kind: "independent", model: "independent columns" },
  { kind: "chow-liu", model: "Chow-Liu tree" },
  { kind: "hidden", model: "hidden tree" },
] as const;

/**
 * All models of a table, their log-likelihoods, and what the hidden tree says when it is asked.
 *
 * @param name what the table is called
 */
export function compareRowModels(name: string, table: LoadedTable, params: RowParams): {
  drawn: Ref<typeof rowTable>;
  filled: Ref<typeof rowTable>;
  columns: Ref<typeof rowColumns>;
  csv: Ref<typeof files>;
  model: Ref<typeof circuitCodec>;
  answers?: Ref<typeof rowTable>;
  table: Ref<typeof densityTable>;
  tree: Ref<typeof charts>;
  guesses: Ref<typeof columnScores>;
} {
  const { columns, rows: all, train, valid, test } = table;
  const choices: Ref<typeof choice>[] = [], scores: Ref<typeof score>[] = [];
  const trained = (kind: typeof MODELS[number]["kind"], model: string, latents: number, seed: number) => {
    const at = { arm: model, setting: `${latents} ${kind === "hidden" ? "hidden states" : "bells"}` };
    const own = `${kind}, ${latents} states, seed ${seed}`;
    const { circuit } = rowTree({ columns, train }, { kind, latents, minSpread: params.minSpread }, {
      ...at,
      name: `start ${own}`,
    });
    return trainEm({ circuit, train, valid }, {
      epochs: params.epochs,
      batchesPerUpdate: "auto",
      step: { kind: "anemone", step: { from: 0.5, to: 0.05 } },
      patience: 2,
      tolerance: params.tolerance,
      pseudocount: { sums: 0.1, leaves: 1 },
      leafBase: "marginal",
    }, { ...at, name: `train ${own}` });
  };
  const hidden: { label: string; one: ReturnType<typeof trained> }[] = [];
  for (const { kind, model } of MODELS) {
    for (let seed = 0; seed < params.seeds; seed++) {
      const numbers = kind === "hidden" ? params.latents : [params.bells];
      const candidates = numbers.map((latents) => trained(kind, model, latents, seed));
      if (kind === "hidden") {
        hidden.push(
          ...candidates.map((one, i) => ({ label: `${numbers[i]} hidden states, seed ${seed}`, one })),
        );
      }
      const { circuit, choice } = chooseCircuit(
        { circuits: candidates.map(({ circuit }) => circuit), logs: candidates.map(({ log }) => log) },
        { labels: kind === "hidden" ? numbers.map((latents) => `${latents} hidden states`) : ["–"] },
        { arm: model, name: `choose ${kind}, seed ${seed}` },
      );
      choices.push(choice);
      scores.push(
        evaluateCircuit({ circuit, data: test }, {}, { arm: model, name: `test ${kind}, seed ${seed}` })
          .score,
      );
    }
  }
  // What is asked is the best of all of them, whatever its seed.
  const { circuit } = chooseCircuit(
    { circuits: hidden.map(({ one }) => one.circuit), logs: hidden.map(({ one }) => one.log) },
    { labels: hidden.map(({ label }) => label) },
    { name: "choose the model" },
  );
  const rows = MODELS.map(({ model }) => ({ set: name, model, seeds: params.seeds }));
  const { table: filledTable, filled } = fillRows({ circuit, columns, rows: all });
  return {
    table: densityResults({ choices, scores }, { rows }).table,
    tree: drawTree({ circuit, columns, train }).charts,
    guesses: scoreColumns({ circuit, columns, data: test }).scores,
    ...(params.ask.length > 0 &&
      { answers: askRows({ circuit, columns }, { questions: params.ask }).answers }),
    drawn: drawnRows({ circuit, columns }, { count: params.draw }).drawn,
    filled,
    columns,
    csv: filledTable,
    model: circuit,
  };
}
