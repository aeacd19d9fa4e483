import { TextError } from "../errors.ts";
import { csvRows } from "./csv.ts";
import { jsonLines, looksLikeJsonLines } from "./json_lines.ts";
import { isParquet, parquetRows } from "./parquet.ts";
import type { TableReader } from "./row.ts";

/** A kind of table. */
export interface TableKind {
  /** Display name. */
  readonly what: string;
  /** Reads its rows. */
  readonly rows: TableReader;
}

const json: TableKind = { what: "JSON lines", rows: jsonLines };
const parquet: TableKind = { what: "parquet", rows: parquetRows };

/** Kinds of tables by file extension. */
const KINDS: Readonly<Record<string, TableKind>> = {
  jsonl: json,
  ndjson: json,
  json,
  csv: { what: "CSV", rows: csvRows },
  tsv: { what: "CSV", rows: csvRows },
  parquet,
};

/**
 * The kind of table a file is, by its name (`.jsonl`, `.ndjson`, `.json`, `.csv`, `.tsv`, `.parquet`, optionally
 * followed by `.gz` or `.zst`) or, if that is inconclusive, by its first bytes; undefined for text, which `.txt` always
 * is.
 */
export async function tableKind(path: string, name: string): Promise<TableKind | undefined> {
  const ending = name.toLowerCase().replace(/\.(gz|gzip|zst|zstd)$/, "").match(/\.([a-z]+)$/)?.[1] ?? "";
  if (Object.hasOwn(KINDS, ending)) return KINDS[ending];
  if (await isParquet(path)) return parquet;
  return ending !== "txt" && await looksLikeJsonLines(path, name) ? json : undefined;
}

/**
 * The texts in a column of a table, in order; empty cells (null or only white space) are skipped.
 *
 * @throws TextError when there is no such column, with those that there are; for cells that hold something else.
 */
export async function* columnTexts(
  path: string,
  { what, rows }: TableKind,
  column: string | undefined,
  name: string,
): AsyncGenerator<string> {
  for await (const row of rows(path, name, column)) {
    const there = row.columns.map((one) => JSON.stringify(one)).join(", ");
    if (column === undefined) {
      throw new TextError(
        "table/columns",
        `${name}: it is a table (${what}): which column is the text? There are ${there}`,
        {
          hint: `Set \`column\` to the one that is the text. What is to be read as it stands is called .txt.`,
        },
      );
    }
    const cell = row.columns.includes(column) ? row.cell(column) : undefined;
    if (!row.columns.includes(column)) {
      throw new TextError(
        "table/columns",
        `${name}, ${row.where}: there is no column ${JSON.stringify(column)}, but ${there}`,
        { hint: "`column` names the one that is the text; a row that has none holds null there." },
      );
    }
    if (cell === null || cell === undefined) continue;
    if (typeof cell !== "string") {
      const found = Array.isArray(cell)
        ? "a list"
        : cell instanceof Uint8Array
        ? "bytes"
        : typeof cell === "object"
        ? "several values"
        : `a ${typeof cell}`;
      throw new TextError(
        "table/columns",
        `${name}, ${row.where}: column ${JSON.stringify(column)} holds ${found}, expected text`,
        { hint: `The columns are ${there}.` },
      );
    }
    if (!cell.isWellFormed()) {
      throw new TextError(
        "text/encoding",
        `${name}, ${row.where}: column ${JSON.stringify(column)} holds half a character (a surrogate alone)`,
        { hint: "Write \\ufffd in its place, or leave it out." },
      );
    }
    if (cell.trim() !== "") yield cell;
  }
}
