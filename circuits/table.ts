import { didYouMean } from "../foundation/nearest.ts";
import type { Circuit, Variable } from "./circuit.ts";
import { CircuitError } from "./errors.ts";
import { kindOf, requireList, requireObject, requireSamples } from "./guards.ts";
import { isObserved, type Samples, samplesFromRows } from "./samples.ts";

/** Samples with what their columns are: what {@link readCsv} reads, and what structures and `fit` learn from. */
export interface SampleTable {
  /** Its columns, as the variables of circuits. */
  readonly variables: readonly Variable[];
  /** Its rows; `samples.variables` is the number of columns. */
  readonly samples: Samples;
  /** What circuits over these columns should note: the words for the states, see {@link statesNote}. */
  readonly notes?: Circuit["notes"];
}

/** What the columns of samples are: a circuit or a table. */
export type NamedColumns = Pick<SampleTable, "variables" | "notes">;

/** A row by the names of its columns: words or numbers for states, numbers for others, null where a value is missing. */
export type TableRecord = Readonly<Record<string, string | number | null>>;

/** Name of the note with the words for the states of categorical columns. */
const STATES = "states";

/** Rejects anything but a table. @throws {CircuitError} */
export function requireTable(x: unknown): void {
  requireObject("the table", x, ["variables", "samples"]);
  requireList("the variables of the table", (x as SampleTable).variables);
  requireSamples((x as SampleTable).samples);
}

/** The note of a table or circuit that says the words for the states of its categorical columns, in state order, by name. */
export function statesNote(states: ReadonlyMap<string, readonly string[]>): Readonly<Record<string, string>> {
  return { [STATES]: JSON.stringify(Object.fromEntries(states)) };
}

/**
 * The words for the states of categorical columns by name, as a circuit or a table notes them; empty if it notes none.
 * @throws {CircuitError} when the note is damaged
 */
export function stateWords(columns: NamedColumns): ReadonlyMap<string, readonly string[]> {
  requireObject("the circuit or table", columns, ["variables"]);
  const note = columns.notes?.[STATES];
  if (note === undefined) return new Map();
  const words = wordsIn(note);
  for (const variable of columns.variables) {
    const own = words[variable.name];
    if (variable.kind !== "categorical" || own === undefined) continue;
    if (Array.isArray(own) && own.length <= variable.states) continue;
    throw new CircuitError(
      "circuit-file/invalid",
      `the note \`${STATES}\` does not list at most ${variable.states} words for \`${variable.name}\``,
    );
  }
  return new Map(Object.entries(words));
}

function wordsIn(note: string): Readonly<Record<string, readonly string[]>> {
  try {
    return JSON.parse(note);
  } catch (cause) {
    throw new CircuitError("circuit-file/invalid", `the note \`${STATES}\` is not JSON`, { cause });
  }
}

/**
 * Samples from rows by column name: what a query is about, in the words of the table. Columns that a row leaves out are
 * missing, as are those that are null.
 *
 * @param columns the circuit that is asked, or the table that it was learned from
 * @throws {CircuitError} naming the row: a column or a state that there is not, a word for a number
 */
export function samplesFromRecords(columns: NamedColumns, rows: readonly TableRecord[]): Samples {
  requireList("the rows", rows);
  const words = stateWords(columns), names = columns.variables.map(({ name }) => name);
  const list = rows.map((row, s) => {
    requireObject(`row ${s}`, row);
    const strange = Object.keys(row).find((name) => !names.includes(name));
    if (strange !== undefined) {
      throw new CircuitError(
        "circuit/unknown-variable",
        `row ${s}: there is no column \`${strange}\`${didYouMean(strange, names)}`,
        { hint: `The columns are ${names.slice(0, 20).join(", ")}.` },
      );
    }
    return columns.variables.map((variable) => {
      const cell = row[variable.name] ?? null;
      return cell === null ? null : numberOf(cell, variable, words.get(variable.name), s);
    });
  });
  return list.length > 0 ? samplesFromRows(list) : { ...samplesFromRows([]), variables: names.length };
}

function numberOf(
  cell: string | number,
  variable: Variable,
  words: readonly string[] | undefined,
  row: number,
): number {
  const where = `row ${row}, column \`${variable.name}\``;
  if (variable.kind === "categorical" && words !== undefined) {
    const text = String(cell), state = words.indexOf(text);
    if (state >= 0) return state;
    const same = typeof cell === "number" ? words.findIndex((word) => Number(word) === cell) : -1;
    if (same >= 0) return same;
    throw new CircuitError(
      "samples/value",
      `${where}: there is no state ${JSON.stringify(cell)}${didYouMean(text, words)}`,
      { hint: `Its states are ${words.slice(0, 20).map((word) => JSON.stringify(word)).join(", ")}.` },
    );
  }
  if (typeof cell === "number") return cell;
  throw new CircuitError("samples/value", `${where}: expected a number, got ${kindOf(cell)}`);
}

/**
 * Rows by column name from samples, such as those that `sample` draws: words for states that have them, otherwise numbers,
 * null where a value is missing.
 *
 * @param columns the circuit that the samples are of, or the table that it was learned from
 */
export function recordsOf(columns: NamedColumns, samples: Samples): TableRecord[] {
  requireSamples(samples);
  const words = stateWords(columns);
  if (samples.variables !== columns.variables.length) {
    throw new CircuitError(
      "samples/shape",
      `the samples have ${samples.variables} columns, but there are ${columns.variables.length} variables`,
    );
  }
  return Array.from(
    { length: samples.count },
    (_, s) =>
      Object.fromEntries(columns.variables.map(({ name }, v) => {
        const x = samples.values[s * samples.variables + v] as number;
        return [name, isObserved(samples, s, v) ? words.get(name)?.[x] ?? x : null];
      })),
  );
}
