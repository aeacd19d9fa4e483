import { z } from "zod";
import {
  COLUMN_TYPES,
  type ColumnTypes,
  namingFaults,
  type OpenColumn,
  type RawColumn,
  suggestedTypes,
  tableOfColumns,
  typeColumn,
  type TypedTable,
} from "../../circuits/import/columns.ts";
import type { CsvOptions } from "../../circuits/import/csv.ts";
import { CircuitError } from "../../circuits/errors.ts";
import { isObserved, type Samples, takeSamples } from "../../circuits/samples.ts";
import { type Split, splitOfDigest, splits } from "../../datasets/text/documents.ts";
import { RetortError } from "../../foundation/errors.ts";
import { nodeModule } from "../../foundation/node_module.ts";
import { files } from "../../runner/codecs/files.ts";
import { defineStage, type Stage } from "../../runner/stage.ts";
import { samples } from "../codecs/samples.ts";
import { cellText, type RowColumn, rowColumns } from "./codecs.ts";
import { readTable } from "./read_table.ts";

/** Parameters of {@link loadTable}, for pipelines that hand them on. */
export const tableParams: {
  /** Types of columns that the cells leave open, by name; `*` for all others of these. */
  types: z.ZodDefault<
    z.ZodRecord<
      z.ZodString,
      z.ZodEnum<{
        date: "date";
        skip: "skip";
        count: "count";
        categorical: "categorical";
        real: "real";
      }>
    >
  >;
  /** For CSV: whether the first row names the columns; by default it does if none of its cells is a number. */
  header: z.ZodOptional<z.ZodBoolean>;
  /** For CSV: what stands between cells; by default the most frequent of comma, semicolon, tab and bar. */
  delimiter: z.ZodOptional<z.ZodString>;
  /** For CSV: what stands before the fraction of a number. */
  decimal: z.ZodDefault<
    z.ZodEnum<{
      ",": ",";
      ".": ".";
    }>
  >;
  /** For CSV: cells that stand for missing values; by default empty ones, `NA`, `NaN`, `null` and `?`. */
  missing: z.ZodOptional<z.ZodArray<z.ZodString>>;
  /** Shares of the rows. A row falls into a split by the sha256 of its cells. */
  shares: z.ZodDefault<
    z.ZodObject<{
      train: z.ZodNumber;
      valid: z.ZodNumber;
      test: z.ZodNumber;
    }, z.core.$strict>
  >;
} = {
  /** Types of columns that the cells leave open, by name; `*` for all others of these. */
  types: z.record(z.string(), z.enum(COLUMN_TYPES)).default({}),
  /** For CSV: whether the first row names the columns; by default it does if none of its cells is a number. */
  header: z.boolean().optional(),
  /** For CSV: what stands between cells; by default the most frequent of comma, semicolon, tab and bar. */
  delimiter: z.string().min(1).optional(),
  /** For CSV: what stands before the fraction of a number. */
  decimal: z.enum([".", ","]).default("."),
  /** For CSV: cells that stand for missing values; by default empty ones, `NA`, `NaN`, `null` and `?`. */
  missing: z.array(z.string()).optional(),
  /** Shares of the rows. A row falls into a split by the sha256 of its cells. */
  shares: z.strictObject({ train: z.number().min(0), valid: z.number().min(0), test: z.number().min(0) })
    .default({ train: 0.8, valid: 0.1, test: 0.1 }),
};

/** With fewer rows, splits would say nothing. */
const FEWEST = 20;

/** Columns whose longest numbers have more decimals are shown with six digits. */
const MOST_DECIMALS = 6;

/**
 * The rows of a table, and their splits. A row falls into a split by its own cells, and by how many equal rows stand before
 * it: the order of different rows does not matter, new rows leave the old ones where they are, and equal rows are
 * spread as others are.
 */
export const loadTable: Stage<
  z.ZodObject<typeof tableParams, z.core.$strip>,
  { files: typeof files },
  {
    columns: typeof rowColumns;
    rows: typeof samples;
    train: typeof samples;
    valid: typeof samples;
    test: typeof samples;
  }
> = defineStage({
  name: "rows.load",
  params: z.object(tableParams),
  inputs: { files },
  outputs: { columns: rowColumns, rows: samples, train: samples, valid: samples, test: samples },
  async run({ inputs, params, context }) {
    const { name } = inputs.files.entries[0]!;
    const { shares, types, ...options } = params;
    const raw = await readTable(
      await inputs.files.path(name),
      name,
      { ...withoutUndefined(options), types },
    );
    const table = learnable(raw, types, name);
    const columns = describe(raw, table);
    const notes = { ...table.notes, types: JSON.stringify(Object.fromEntries(table.types)) };
    const all = { ...table.samples, notes };
    const found = splitRows(raw, shares);
    const parts = Object.fromEntries(splits.map((split) => {
      const part = takeSamples(table.samples, found.flatMap((one, s) => one === split ? [s] : []));
      context.metric(`${split} rows`, part.count);
      return [split, { ...part, notes }];
    })) as unknown as Record<Split, Samples>;
    const empty = splits.filter((split) => parts[split].count === 0);
    if (empty.length > 0) {
      throw new RetortError(
        "rows/too-few",
        `${name}: of ${all.count} rows none fell into ${empty.map((split) => `\`${split}\``).join(" and ")}`,
        { hint: "Give more rows, or other `shares`; each split needs some." },
      );
    }
    const skipped = [...table.types].flatMap(([name, type]) => type === "skip" ? [name] : []);
    for (const { name, type } of columns) {
      if (type === "date") context.log(`column \`${name}\` is read as dates`);
    }
    return { columns: { rows: all.count, columns, skipped }, rows: all, ...parts };
  },
});

/** The table, unless a column is open or there is nothing to learn of it. */
function learnable(raw: readonly RawColumn[], types: ColumnTypes, name: string): TypedTable {
  const rows = raw[0]?.cells.length ?? 0;
  if (rows < FEWEST) {
    throw new RetortError(
      "rows/too-few",
      `${name} has ${rows} row${rows === 1 ? "" : "s"}: at least ${FEWEST} are needed`,
      {
        hint: "Rows are split into those to learn from, to choose by and to test on.",
      },
    );
  }
  const open: OpenColumn[] = raw.flatMap((column) => {
    const typed = typeColumn(column, types);
    if ("problem" in typed) return [typed];
    return typed.type === "skip" ? [] : emptyFault(column);
  });
  const faults = [
    ...namingFaults(raw.map(({ name }) => name), types),
    ...open.map(({ name, problem }) => ({ where: `column \`${name}\``, problem })),
  ];
  if (faults.length > 0) {
    const suggested = JSON.stringify(suggestedTypes(types, open)).replaceAll("'", "'\\''");
    throw CircuitError.of(
      "table/column-types",
      `${name} leaves open what its columns are`,
      faults,
      open.length === 0
        ? "Give each column a name of its own, and types to those names alone."
        : `Say it, for example: --set 'types=${suggested}'. Types are ${
          COLUMN_TYPES.map((type) => `"${type}"`).join(", ")
        }; "*" stands for all other columns that are open.`,
    );
  }
  const table = tableOfColumns(raw, types, name);
  if (table.variables.length > 0) return table;
  throw new CircuitError("table/column-types", `${name}: every column is skipped, and none is left to learn`);
}

/** A column that holds nothing, or one value alone. */
function emptyFault({ name, cells }: RawColumn): OpenColumn[] {
  const seen = new Set(cells.filter((cell) => cell !== null));
  if (seen.size > 1) return [];
  const [only] = seen;
  const problem = only === undefined ? "all its cells are missing" : `all its values are equal (\`${only}\`)`;
  return [{ name, problem, likely: "skip" }];
}

function describe(raw: readonly RawColumn[], { samples, states, types }: TypedTable): RowColumn[] {
  return raw.filter(({ name }) => types.get(name) !== "skip").map(({ name, cells }, v) => {
    const type = types.get(name) as RowColumn["type"];
    const seen = cells.filter((cell) => cell !== null);
    const column = {
      name,
      type,
      typical: "",
      missing: cells.length - seen.length,
      ...(type === "categorical" && { states: [...states.get(name)!] }),
      ...(type === "real" && { decimals: decimalsOf(seen) }),
      ...(type === "date" && { time: seen.some((cell) => cell.length > 10) }),
    };
    return { ...column, typical: typicalOf(column, samples, v) };
  });
}

/** The most frequent state, or the mean. */
function typicalOf(column: RowColumn, samples: Samples, v: number): string {
  const values: number[] = [];
  for (let s = 0; s < samples.count; s++) {
    if (isObserved(samples, s, v)) values.push(samples.values[s * samples.variables + v]!);
  }
  if (column.type !== "categorical") {
    const mean = values.reduce((sum, x) => sum + x / values.length, 0);
    return column.type === "count" ? mean.toFixed(1) : cellText(column, mean);
  }
  const counts = Map.groupBy(values, (x) => x);
  const [common] = [...counts].reduce((best, one) => one[1].length > best[1].length ? one : best);
  return cellText(column, common);
}

function decimalsOf(cells: readonly string[]): number | null {
  let most = 0;
  for (const cell of cells) {
    if (/e/i.test(cell)) return null;
    most = Math.max(most, cell.split(".")[1]?.length ?? 0);
  }
  return most > MOST_DECIMALS ? null : most;
}

/** The split of every row. */
function splitRows(raw: readonly RawColumn[], shares: Record<Split, number>): Split[] {
  const before = new Map<string, number>(),
    hash = (text: string) => nodeModule("node:crypto").createHash("sha256").update(text).digest();
  return raw[0]!.cells.map((_, s) => {
    const own = hash(JSON.stringify(raw.map(({ cells }) => cells[s])));
    const row = own.toString("hex"), equal = before.get(row) ?? 0;
    before.set(row, equal + 1);
    return splitOfDigest(equal === 0 ? own : hash(`${row} ${equal}`), shares);
  });
}

function withoutUndefined(options: Record<string, unknown>): CsvOptions {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as CsvOptions;
}
