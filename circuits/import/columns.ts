import type { Variable } from "../circuit.ts";
import { CircuitError, type Fault } from "../errors.ts";
import { MOST_COUNT } from "../leaves/counting.ts";
import { type SampleTable, statesNote } from "../table.ts";
import { decimalNumber } from "./lines.ts";

/**
 * The type of a column. `categorical`: states; `count`: whole numbers from 0; `real`: numbers; `date`: days since
 * 1970-01-01, as real numbers; `skip`: left out.
 */
export type ColumnType = typeof COLUMN_TYPES[number];

/** All types of columns. */
export const COLUMN_TYPES = ["categorical", "count", "real", "date", "skip"] as const;

/** Types of columns by name, where the cells alone leave them open; `*` for all others that are open. */
export type ColumnTypes = Readonly<Record<string, ColumnType>>;

/** A column as a file has it. */
export interface RawColumn {
  /** Its name. */
  readonly name: string;
  /** The text of every cell, null where missing. */
  readonly cells: readonly (string | null)[];
  /** Whether the file says that its cells are words, whatever they look like. */
  readonly words?: boolean;
}

/** What a column is. */
export interface TypedColumn {
  /** Its name. */
  readonly name: string;
  /** Its type. */
  readonly type: ColumnType;
  /** For a categorical column: the text of each state, in state order. */
  readonly states?: readonly string[];
}

/** What a column may be, and why that is open. */
export interface OpenColumn {
  /** Its name. */
  readonly name: string;
  /** What is open or wrong. */
  readonly problem: string;
  /** The type that seems likeliest. */
  readonly likely: ColumnType;
}

/** What {@link readCsv} reads: columns of numbers, and columns of states with a word for each. */
export interface TypedTable extends SampleTable {
  /** For each categorical column, by name: the cell text of each state, in state order. */
  readonly states: ReadonlyMap<string, readonly string[]>;
  /** The type of each column of the file, by name. */
  readonly types: ReadonlyMap<string, ColumnType>;
}

/** Maximum number of states of a column whose type nobody gave, and of any. */
const MOST_STATES = 1000, MOST_GIVEN_STATES = 2 ** 15;

/** A column of words is an identifier or a text if more of its cells than this share have a word of their own. */
const OWN_WORDS = 0.5, FEW_WORDS = 50;

/** Whole numbers with up to this many different values are likelier states than quantities. */
const LIKELY_STATES = 12;

/** Counts up to here are likelier Poisson than real. */
const LIKELY_COUNT = 200;

/** A number, maybe with a decimal comma. */
const COMMA = /^[+-]?\d+(,\d+)?$/;

/** Number of columns named in a suggestion before `*` stands for the others. */
const NAMED = 6;

/**
 * What a column is: the type that is given, else what its cells tell. Words are states, also where their file says so;
 * ISO dates are dates; numbers are real if any has a fraction, states if all are 0 or 1. Everything else is open.
 */
export function typeColumn(column: RawColumn, types: ColumnTypes = {}): TypedColumn | OpenColumn {
  const { name } = column, given = Object.hasOwn(types, name) ? types[name] : undefined;
  const told = toldBy(column, given);
  if (given !== undefined || !("problem" in told) || !Object.hasOwn(types, "*")) return told;
  return toldBy(column, types["*"]);
}

function toldBy({ name, cells, words }: RawColumn, given: ColumnType | undefined): TypedColumn | OpenColumn {
  if (given !== undefined && !COLUMN_TYPES.includes(given)) {
    const problem = `its type is \`${given}\`, expected ${
      COLUMN_TYPES.map((type) => `"${type}"`).join(", ")
    }`;
    return { name, problem, likely: "categorical" };
  }
  if (given === "skip") return { name, type: "skip" };
  const seen = cells.filter((cell) => cell !== null);
  const open = (problem: string, likely: ColumnType) => ({ name, problem, likely });
  if (given === "date" || (given === undefined && !words && seen.length > 0 && seen.every(isDate))) {
    const bad = seen.find((cell) => !isDate(cell));
    return bad === undefined
      ? { name, type: "date" }
      : open(`it has \`${bad}\`, and dates are written as 2026-01-31 or 2026-01-31T12:00:00Z`, "skip");
  }
  const numbers = words && given === undefined ? seen.map(() => undefined) : seen.map(decimalNumber);
  const word = numbers.indexOf(undefined);
  if (given === "real") {
    return word < 0
      ? { name, type: "real" }
      : open(`it has the word \`${seen[word]}\`, and a real column has none`, "categorical");
  }
  if (given === "count") {
    const bad = numbers.findIndex((x) => !(Number.isInteger(x) && (x as number) >= 0));
    if (bad >= 0) return open(`it has \`${seen[bad]}\`, and counts are whole numbers from 0`, "real");
    const large = numbers.findIndex((x) => (x as number) > MOST_COUNT);
    if (large >= 0) return open(`it has \`${seen[large]}\`, and counts end at ${MOST_COUNT}`, "real");
    return { name, type: "count" };
  }
  const distinct = [...new Set(seen)];
  if (given === undefined && !words && word >= 0 && seen.every((cell) => COMMA.test(cell))) {
    return open(`its numbers have a decimal comma (\`${seen[word]}\`): set \`decimal\` to ","`, "skip");
  }
  if (given === "categorical" || word >= 0) {
    const many = stateFault(distinct, seen.length, given !== undefined);
    if (many !== undefined) return { name, ...many };
  }
  if (given === "categorical") return { name, type: "categorical", states: sorted(distinct, word < 0) };
  if (word >= 0) {
    const some = numbers.find((x) => x !== undefined);
    return some === undefined
      ? { name, type: "categorical", states: sorted(distinct, false) }
      : open(`it has words (\`${seen[word]}\`) and numbers (${some})`, "categorical");
  }
  if (numbers.some((x) => !Number.isInteger(x))) return { name, type: "real" };
  if (numbers.every((x) => x === 0 || x === 1)) return { name, type: "categorical", states: ["0", "1"] };
  return open(
    "its whole numbers may be states or quantities",
    likelyOf(numbers as number[], distinct.length),
  );
}

/** Why words are no states: too many, or nearly each of its own. */
function stateFault(
  distinct: readonly string[],
  cells: number,
  given: boolean,
): { problem: string; likely: ColumnType } | undefined {
  const most = given ? MOST_GIVEN_STATES : MOST_STATES;
  if (distinct.length > most) {
    return {
      problem: `it has ${distinct.length} different values, and a column has at most ${most} states`,
      likely: "skip",
    };
  }
  if (given || distinct.length <= FEW_WORDS || distinct.length <= OWN_WORDS * cells) return undefined;
  return {
    problem: `${distinct.length} of its ${cells} cells differ (\`${
      distinct[0]
    }\`): names, texts or numbers of rows`,
    likely: "skip",
  };
}

/** The likeliest type of whole numbers. */
function likelyOf(numbers: readonly number[], distinct: number): ColumnType {
  let least = Infinity, most = -Infinity;
  for (const x of numbers) {
    if (x < least) least = x;
    if (x > most) most = x;
  }
  // Numbers of rows: each once, without gaps.
  if (distinct === numbers.length && most - least + 1 === distinct && distinct > FEW_WORDS) return "skip";
  if (distinct <= LIKELY_STATES) return "categorical";
  return least >= 0 && most <= LIKELY_COUNT ? "count" : "real";
}

function sorted(distinct: string[], numeric: boolean): string[] {
  return numeric
    ? distinct.sort((a, b) => Number(a) - Number(b) || (a < b ? -1 : 1))
    : distinct.sort((a, b) => a < b ? -1 : 1);
}

const DATE = /^(\d{4}-\d{2}-\d{2})(?:[T ](\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?)(Z|[+-]\d{2}:?\d{2})?)?$/;
const DAY = 86_400_000;

/** Days since 1970-01-01 (UTC where no offset is given) of an ISO 8601 date or date with time; NaN for anything else. */
export function daysOf(text: string): number {
  const found = DATE.exec(text);
  if (found === null) return NaN;
  const [, day = "", time, zone = "Z"] = found;
  const start = Date.parse(`${day}T00:00:00Z`);
  // 2026-02-31 would count as March 3.
  if (Number.isNaN(start) || new Date(start).toISOString().slice(0, 10) !== day) return NaN;
  return (time === undefined ? start : Date.parse(`${day}T${time}${zone}`)) / DAY;
}

/** The ISO 8601 date of days since 1970-01-01, with the time (UTC, seconds) if asked for. */
export function dateOf(days: number, time = false): string {
  const date = new Date(Math.round((time ? days : Math.round(days)) * DAY / 1000) * 1000);
  if (Number.isNaN(date.getTime())) return String(days);
  return time ? date.toISOString().replace(".000Z", "Z") : date.toISOString().slice(0, 10);
}

function isDate(cell: string): boolean {
  return !Number.isNaN(daysOf(cell));
}

/**
 * The table of columns of cells.
 * @param where how messages name the table
 * @throws {CircuitError} when it has no rows, names are given twice, or types are open: all of them named at once
 */
export function tableOfColumns(
  columns: readonly RawColumn[],
  types: ColumnTypes = {},
  where = "the table",
): TypedTable {
  const count = columns[0]?.cells.length ?? 0;
  if (count === 0) throw new CircuitError("table/empty", `${where} has no rows`);
  const faults = namingFaults(columns.map(({ name }) => name), types);
  const typed = columns.map((column) => typeColumn(column, types));
  const open = typed.filter((column) => "problem" in column);
  faults.push(...open.map(({ name, problem }) => ({ where: `column \`${name}\``, problem })));
  if (faults.length > 0) {
    throw CircuitError.of(
      "table/column-types",
      `${where} leaves open what its columns are`,
      faults,
      open.length === 0
        ? "Give each column a name of its own, and types to those names alone."
        : `Say it, for example: types = ${JSON.stringify(suggestedTypes(types, open))}. Types are ${
          COLUMN_TYPES.map((type) => `"${type}"`).join(", ")
        }; "*" stands for all other columns that are open.`,
    );
  }
  return filled(columns, typed as TypedColumn[], count);
}

/** The given types and what is likeliest for the open columns: `*` for most of them where there are many. */
export function suggestedTypes(given: ColumnTypes, open: readonly OpenColumn[]): Record<string, ColumnType> {
  const likely = open.map(({ name, likely }) => [name, likely] as const);
  if (likely.length <= NAMED) return { ...given, ...Object.fromEntries(likely) };
  const [common] = [...Map.groupBy(likely.filter(([, type]) => type !== "skip"), ([, type]) => type)]
    .sort(([, a], [, b]) => b.length - a.length)[0] ?? ["skip" as const];
  return { ...given, ...Object.fromEntries(likely.filter(([, type]) => type !== common)), "*": common };
}

/** Names that are given twice, and types of columns that are not there. */
export function namingFaults(names: readonly string[], types: ColumnTypes): Fault[] {
  const known = new Set(names),
    first = new Map(names.map((name, v) => [name, v]).reverse() as [string, number][]);
  const twice = names.filter((name, v) => first.get(name) !== v);
  const strange = Object.keys(types).filter((name) => name !== "*" && !known.has(name));
  return [
    ...[...new Set(twice)].map((name) => ({
      where: `column \`${name}\``,
      problem: "another column has its name",
    })),
    ...strange.map((name) => ({
      where: "types",
      problem: `there is no column \`${name}\`; there are ${names.slice(0, 8).join(", ")}`,
    })),
  ];
}

function filled(columns: readonly RawColumn[], typed: readonly TypedColumn[], count: number): TypedTable {
  const kept = typed.flatMap((column, i) => column.type === "skip" ? [] : [{ column, raw: columns[i]! }]);
  const width = kept.length;
  const values = new Float64Array(count * width), observed = new Uint8Array(count * width);
  let integral = true, missing = false;
  kept.forEach(({ column: { type, states }, raw: { cells } }, v) => {
    const numberOf = states && new Map(states.map((state, k) => [state, k]));
    cells.forEach((cell, s) => {
      if (cell === null) {
        missing = true;
        return;
      }
      const x = numberOf?.get(cell) ?? (type === "date" ? daysOf(cell) : Number(cell));
      values[s * width + v] = x;
      observed[s * width + v] = 1;
      integral &&= Number.isInteger(x) && Math.abs(x) < 2 ** 31;
    });
  });
  const words = new Map(
    kept.flatMap(({ column: { name, states } }) => states === undefined ? [] : [[name, states] as const]),
  );
  return {
    variables: kept.map(({ column: { name, type, states } }): Variable =>
      states !== undefined
        ? { kind: "categorical", name, states: Math.max(1, states.length) }
        : { kind: type === "count" ? "count" : "real", name }
    ),
    samples: {
      count,
      variables: width,
      values: integral ? Int32Array.from(values) : values,
      ...(missing ? { observed } : {}),
    },
    ...(words.size > 0 && { notes: statesNote(words) }),
    states: words,
    types: new Map(typed.map(({ name, type }) => [name, type])),
  };
}
