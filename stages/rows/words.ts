/** Columns and scores in words, for terminals and pages alike. */
import { shareText } from "../../foundation/format.ts";

/** Number of states spelled out. */
const SHOWN_STATES = 6;

/** What values a column has: its states, or what is typical. */
export function valuesText(
  { states, typical, type }: { type: string; states?: readonly string[] | undefined; typical: string },
): string {
  if (states === undefined) return `${type === "date" ? "around" : "mean"} ${typical}`;
  const shown = states.slice(0, SHOWN_STATES).join(", ");
  return states.length > SHOWN_STATES ? `${states.length}: ${shown}, …` : shown;
}

/** Head of a table of how well columns are guessed. */
export const SCORE_HEAD: string[] = [
  "column",
  "type",
  "rows",
  "guessed alone",
  "given the others",
  "bits gained",
];

/** What its numbers are. */
export const SCORE_NOTE =
  "On test rows. States: the share guessed right; numbers: the mean distance of the guess from the value.";

/** How well a column is guessed, without and with the other columns. */
export interface ColumnScore {
  /** Name of the column. */
  readonly column: string;
  /** What it holds. */
  readonly type: string;
  /** Test rows with a value in it. */
  readonly rows: number;
  /** Share of values guessed right, or mean distance of the guess from the value, knowing nothing else. */
  readonly alone: number;
  /** The same, knowing all other columns. */
  readonly given: number;
  /** Bits by which the others make a value likelier, on average. */
  readonly bits: number;
}

/** The cells of a column's score. */
export function scoreCells({ column, type, rows, alone, given, bits }: ColumnScore): string[] {
  const text = (x: number) =>
    type === "categorical" ? `${shareText(x, 1)} %` : String(Number(x.toPrecision(3)));
  // Rounding must not leave a zero with a sign.
  return [
    column,
    type,
    String(rows),
    text(alone),
    text(given),
    (Math.round(100 * bits) / 100 + 0).toFixed(2),
  ];
}
