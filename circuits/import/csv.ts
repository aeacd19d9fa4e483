import type { Variable } from "../circuit.ts";
import { CircuitError, type Fault } from "../errors.ts";
import { samplesFromRows } from "../samples.ts";
import { type SampleTable, statesNote } from "../table.ts";
import { decimalNumber } from "./lines.ts";
import { readModelText } from "./read_text.ts";

/** The type of a column. */
export type ColumnType = "categorical" | "count" | "real";

/** Options for what a table does not tell by itself. */
export interface CsvOptions {
  /** Whether the first row contains column names; if omitted, it does if none of its cells is a number. */
  readonly header?: boolean;
  /** Cell delimiter; a comma if omitted. */
  readonly delimiter?: string;
  /** Types of columns by name (`x0`, `x1`, … without a header), where the cells alone are ambiguous. */
  readonly types?: Readonly<Record<string, ColumnType>>;
  /** Cells that stand for missing values; empty ones, `NA`, `NaN`, `null` and `?` if omitted. */
  readonly missing?: readonly string[];
}

/** What {@link readCsv} reads: real columns, columns of counts, and columns of states with a word for each. */
export interface CsvTable extends SampleTable {
  /** For each categorical column, by name: the cell text of each state, in state order. */
  readonly states: ReadonlyMap<string, readonly string[]>;
}

const MISSING = ["", "NA", "NaN", "null", "?"];

/**
 * Reads the text of a CSV table (RFC 4180). Columns with words are categorical; numeric columns are real if any value has
 * a fraction, and categorical if all are 0 or 1. Other integer columns are ambiguous (counts or codes): specify their
 * `types` (`count` for non-negative integers without an upper bound). States are sorted alphabetically if they are words
 * and numerically if they are numbers.
 * @param where how messages name the text
 * @throws {CircuitError} when it is not valid CSV, rows differ in length, a real column has words, or types are open: all of them
 *   named at once
 */
export async function parseCsv(
  text: string,
  options: CsvOptions = {},
  where = "the table",
): Promise<CsvTable> {
  const { header, delimiter = ",", types = {}, missing = MISSING } = options;
  const cells = await cellsOf(text, delimiter, where);
  const [first = []] = cells;
  const named = header ?? first.every((cell) => missing.includes(cell) || decimalNumber(cell) === undefined);
  const names = named ? first : first.map((_, v) => `x${v}`);
  const rows = named ? cells.slice(1) : cells;
  if (rows.length === 0) throw new CircuitError("table/empty", `${where} has no rows`);
  const faults = namingFaults(names, types);
  const columns = names.map((name, v) => {
    const seen = rows.map((row) => row[v] as string).filter((cell) => !missing.includes(cell));
    const column = columnOf(seen, types[name]);
    if ("problem" in column) faults.push({ where: `column \`${name}\``, problem: column.problem });
    return "states" in column ? column.states : undefined;
  });
  if (faults.length > 0) {
    throw CircuitError.of(
      "table/column-types",
      `${where} leaves open what its columns are`,
      faults,
      'Say it: `types: { NAME: "count" }`, `"real"` or `"categorical"`.',
    );
  }
  const values = columns.map((column) => column && new Map(column.map((state, k) => [state, k])));
  const samples = samplesFromRows(
    rows.map((row) =>
      row.map((cell, v) => missing.includes(cell) ? null : values[v]?.get(cell) ?? Number(cell))
    ),
  );
  const variables = names.map((name, v): Variable => {
    const states = values[v];
    return states === undefined
      ? { kind: types[name] === "count" ? "count" : "real", name }
      : { kind: "categorical", name, states: Math.max(1, states.size) };
  });
  const states = new Map<string, readonly string[]>();
  columns.forEach((column, v) => {
    if (column !== undefined) states.set(names[v] as string, column);
  });
  return { variables, samples, states, ...(states.size > 0 && { notes: statesNote(states) }) };
}

/** Reads a CSV file, gzipped or not: see {@link parseCsv}. */
export async function readCsv(path: string, options: CsvOptions = {}): Promise<CsvTable> {
  return await parseCsv(await readModelText(path), options, path);
}

async function cellsOf(text: string, delimiter: string, where: string): Promise<string[][]> {
  // Imported lazily: it needs a server environment, and pages that never read a table must load without it.
  const { parse } = await import("csv-parse/sync");
  try {
    return parse(text, { bom: true, delimiter, skip_empty_lines: true, trim: true });
  } catch (cause) {
    throw new CircuitError("table/syntax", `${where} is not valid CSV: ${(cause as Error).message}`, {
      cause,
      hint:
        "Every row needs as many cells as the first; a cell with a delimiter stands between quotation marks.",
    });
  }
}

function namingFaults(names: readonly string[], types: Readonly<Record<string, ColumnType>>): Fault[] {
  const twice = names.filter((name, v) => names.indexOf(name) !== v);
  const strange = Object.keys(types).filter((name) => !names.includes(name));
  return [
    ...twice.map((name) => ({ where: `column \`${name}\``, problem: "another column has its name" })),
    ...strange.map((name) => ({
      where: "types",
      problem: `there is no column \`${name}\`; there are ${names.slice(0, 8).join(", ")}`,
    })),
  ];
}

/** A column: real, or the cells that are its states; or why that is ambiguous. */
type Column = { readonly states?: readonly string[] } | { readonly problem: string };

function columnOf(seen: readonly string[], type: ColumnType | undefined): Column {
  const numbers = seen.map(decimalNumber), word = numbers.indexOf(undefined);
  const states = () => {
    const distinct = [...new Set(seen)];
    if (word < 0) distinct.sort((a, b) => Number(a) - Number(b) || (a < b ? -1 : 1));
    else distinct.sort((a, b) => a < b ? -1 : 1);
    return { states: distinct };
  };
  if (type === "categorical") return states();
  if (type === "real") {
    return word < 0 ? {} : { problem: `it has the word \`${seen[word]}\`, and a real column has none` };
  }
  if (type === "count") {
    const bad = numbers.findIndex((x) => !(Number.isInteger(x) && (x as number) >= 0));
    return bad < 0 ? {} : { problem: `it has \`${seen[bad]}\`, and counts are whole numbers from 0` };
  }
  if (type !== undefined) {
    return { problem: `its type is \`${type}\`, expected "categorical", "count" or "real"` };
  }
  if (word >= 0) {
    const some = numbers.find((x) => x !== undefined);
    return some === undefined
      ? states()
      : { problem: `it has words (\`${seen[word]}\`) and numbers (${some})` };
  }
  if (numbers.some((x) => !Number.isInteger(x))) return {};
  if (numbers.every((x) => x === 0 || x === 1)) return { states: ["0", "1"] };
  return { problem: "its whole numbers may be states or quantities" };
}
