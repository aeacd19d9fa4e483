/** Codecs of tables: what their columns are, and rows for people. */
import { z } from "zod";
import { COLUMN_TYPES, dateOf } from "../../circuits/import/columns.ts";
import type { Variable } from "../../circuits/circuit.ts";
import { isObserved, type Samples } from "../../circuits/samples.ts";
import { tableText } from "../../foundation/text.ts";
import { json } from "../../runner/codecs/json.ts";
import { valuesText } from "./words.ts";
import type { Codec } from "../../runner/codec.ts";

/** What a column of a table is. */
export const rowColumn: z.ZodObject<{
  name: z.ZodString;
  type: z.ZodEnum<{
    categorical: "categorical";
    count: "count";
    real: "real";
    date: "date";
  }>;
  states: z.ZodOptional<z.ZodArray<z.ZodString>>;
  decimals: z.ZodOptional<z.ZodNullable<z.ZodInt>>;
  time: z.ZodOptional<z.ZodBoolean>;
  typical: z.ZodString;
  missing: z.ZodInt;
}, z.core.$strip> = z.object({
  name: z.string(),
  type: z.enum(COLUMN_TYPES).exclude(["skip"]),
  /** For categorical columns: the text of each state. */
  states: z.array(z.string()).optional(),
  /** For real columns: decimals of the numbers in the file; null where they have an exponent or very many. */
  decimals: z.int().nullable().optional(),
  /** For dates: whether they have a time of day. */
  time: z.boolean().optional(),
  /** What most cells have, or their mean. */
  typical: z.string(),
  /** Number of cells without a value. */
  missing: z.int(),
});

/** A column of a table as a model sees it. */
export type RowColumn = z.output<typeof rowColumn>;

/** What the columns of a table are. Variable `v` of the samples is column `v`. */
export interface RowColumns {
  /** Rows of the table. */
  rows: number;
  /** Columns, in the order of the variables. */
  columns: {
    name: string;
    type: "categorical" | "count" | "real" | "date";
    typical: string;
    missing: number;
    states?: string[] | undefined;
    decimals?: number | null | undefined;
    time?: boolean | undefined;
  }[];
  /** Columns that are left out. */
  skipped: string[];
}

/** What the columns of a table are. Variable `v` of the samples is column `v`. */
export const rowColumns: Codec<RowColumns, RowColumns, "row-columns"> = json(
  "row-columns",
  z.object({
    rows: z.int(),
    columns: z.array(rowColumn).min(1),
    /** Columns that were left out. */
    skipped: z.array(z.string()),
  }),
  1,
  {
    summary: ({ rows, columns, skipped }) =>
      `${rows} rows${skipped.length > 0 ? `; left out: ${skipped.join(", ")}` : ""}\n${
        tableText(
          ["column", "type", "values", "missing"],
          columns.map((
            one,
          ) => [one.name, one.type, valuesText(one), one.missing === 0 ? "" : String(one.missing)]),
        )
      }`,
  },
);

/** Rows for people, with the columns' own names and values. */
export interface RowTable {
  /** What the table shows. */
  title: string;
  /** Heads of its columns. */
  head: string[];
  /** Its cells as text. */
  rows: string[][];
  /** What is to be known about it. */
  note?: string | undefined;
}

/** Rows for people, with the columns' own names and values. */
export const rowTable: Codec<RowTable, RowTable, "row-table"> = json(
  "row-table",
  z.object({
    title: z.string(),
    head: z.array(z.string()),
    rows: z.array(z.array(z.string())),
    note: z.string().optional(),
  }),
  1,
  {
    summary: ({ head, rows, note }) => tableText(head, rows) + (note === undefined ? "" : `\n${note}`),
  },
);

/** The variables of a model of rows. */
export function rowVariables(columns: readonly RowColumn[]): Variable[] {
  return columns.map(({ name, type, states }): Variable =>
    type === "categorical"
      ? { kind: "categorical", name, states: Math.max(1, states!.length) }
      : { kind: type === "count" ? "count" : "real", name }
  );
}

/** A value in the table's own words. */
export function cellText({ type, states, decimals, time }: RowColumn, value: number): string {
  if (type === "categorical") return states![value] ?? "";
  if (type === "count") return String(value);
  if (type === "date") return dateOf(value, time === true);
  return decimals === null || decimals === undefined
    ? String(Number(value.toPrecision(6)))
    : value.toFixed(decimals);
}

/** A row in the table's own words; empty where a value is missing. */
export function rowTexts(columns: readonly RowColumn[], samples: Samples, s: number): string[] {
  return columns.map((column, v) =>
    isObserved(samples, s, v) ? cellText(column, samples.values[s * samples.variables + v]!) : ""
  );
}
