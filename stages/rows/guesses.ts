/** What a model says of cells that are missing. */
import type { Evaluator } from "../../circuits/evaluator.ts";
import { conditional, conditionalMean } from "../../circuits/queries/conditional.ts";
import { isObserved, type Samples, takeSamples } from "../../circuits/samples.ts";
import type { RowColumn } from "./codecs.ts";

/** What is likeliest in a cell. */
export interface Guess {
  /** Row of the samples. */
  readonly row: number;
  /** Index of the column. */
  readonly column: number;
  /** The most probable state, or the expected number (whole, for counts). */
  readonly value: number;
  /** Probability of that state; absent for numbers. */
  readonly probability?: number;
}

/** A guess for the cell of a column in every row, given the row's other cells: exact. */
export async function guessColumn(
  evaluator: Evaluator,
  { type, states = [] }: RowColumn,
  samples: Samples,
  column: number,
): Promise<Guess[]> {
  const asked = type === "categorical" ? conditional : conditionalMean;
  const answers = (await asked(evaluator, samples, [column])).get(column)!;
  return Array.from({ length: samples.count }, (_, row) => {
    if (type !== "categorical") {
      const mean = answers[row]!;
      return { row, column, value: type === "count" ? Math.round(mean) : mean };
    }
    const chances = answers.subarray(row * states.length, (row + 1) * states.length);
    const value = chances.reduce((best, p, k) => p > chances[best]! ? k : best, 0);
    return { row, column, value, probability: chances[value]! };
  });
}

/** A guess for each missing cell, given all other cells of its row, each cell by itself. */
export async function guessMissing(
  evaluator: Evaluator,
  columns: readonly RowColumn[],
  samples: Samples,
): Promise<Guess[]> {
  const found: Guess[] = [];
  for (const [v, column] of columns.entries()) {
    const open = Array.from({ length: samples.count }, (_, s) => s).filter((s) => !isObserved(samples, s, v));
    if (open.length === 0) continue;
    const guesses = await guessColumn(evaluator, column, takeSamples(samples, open), v);
    found.push(...guesses.map((guess) => ({ ...guess, row: open[guess.row]! })));
  }
  return found.sort((a, b) => a.row - b.row || a.column - b.column);
}
