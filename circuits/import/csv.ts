import { delimiterOf } from "../../foundation/delimiter.ts";
import { CircuitError } from "../errors.ts";
import { requireObject, requireText } from "../guards.ts";
import { type ColumnTypes, type RawColumn, tableOfColumns, type TypedTable } from "./columns.ts";
import { decimalNumber } from "./lines.ts";
import { readModelText } from "./read_text.ts";

/** Options for what a table does not tell by itself. */
export interface CsvOptions {
  /** Whether the first row contains column names; if omitted, it does if none of its cells is a number. */
  readonly header?: boolean;
  /** Cell delimiter; if omitted, the most frequent of comma, semicolon, tab and bar in the first row. */
  readonly delimiter?: string;
  /** What stands before the fraction of a number; a point if omitted. */
  readonly decimal?: "." | ",";
  /** Types of columns by name (`x0`, `x1`, … without a header), where the cells alone are ambiguous. */
  readonly types?: ColumnTypes;
  /** Cells that stand for missing values; empty ones, `NA`, `NaN`, `null` and `?` if omitted. */
  readonly missing?: readonly string[];
}

/** Cells that stand for missing values. */
const MISSING = ["", "NA", "NaN", "null", "?"];

/**
 * Reads the text of a CSV table (RFC 4180). Columns with words are categorical, with ISO 8601 dates dates; numeric columns
 * are real if any value has a fraction, and categorical if all are 0 or 1. Other integer columns are ambiguous (counts or
 * codes): specify their `types` (`count` for non-negative integers without an upper bound). So are columns in which words
 * are as good as never equal. States are sorted alphabetically if they are words and numerically if they are numbers.
 * @param where how messages name the text
 * @throws {CircuitError} when it is not valid CSV, rows differ in length, a real column has words, or types are open: all of them
 *   named at once
 */
export async function parseCsv(
  text: string,
  options: CsvOptions = {},
  where = "the table",
): Promise<TypedTable> {
  return tableOfColumns(await csvColumns(text, options, where), options.types, where);
}

/** Reads a CSV file, gzipped or not: see {@link parseCsv}. */
export async function readCsv(path: string, options: CsvOptions = {}): Promise<TypedTable> {
  return await parseCsv(await readModelText(path), options, path);
}

/**
 * The columns of a CSV table, as texts.
 * @throws {CircuitError} when it is not valid CSV
 */
export async function csvColumns(text: string, options: CsvOptions, where: string): Promise<RawColumn[]> {
  requireText("a table", text);
  requireObject("the options of a table", options);
  const { header, delimiter = delimiterOf(text), decimal = ".", missing = MISSING } = options;
  const cells = await cellsOf(text, delimiter, where);
  const [first = []] = cells;
  const isMissing = new Set(missing),
    isNumber = (cell: string) => decimalNumber(plain(cell, decimal)) !== undefined;
  const named = header ?? first.every((cell) => isMissing.has(cell) || !isNumber(cell));
  const rows = named ? cells.slice(1) : cells;
  return first.map((name, v) => ({
    name: named && name !== "" ? name : `x${v}`,
    cells: rows.map((row) => {
      const cell = row[v] as string;
      return isMissing.has(cell) ? null : plain(cell, decimal);
    }),
  }));
}

/** A cell, with a point in the place of a decimal comma. */
function plain(cell: string, decimal: "." | ","): string {
  return decimal === "," && /^[+-]?\d*,\d+(e[+-]?\d+)?$/i.test(cell) ? cell.replace(",", ".") : cell;
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
