import type { JsonValue } from "../../foundation/canonical.ts";
import { shareText } from "../../foundation/format.ts";
import type { Artifact, ReadOf } from "../../runner/codec.ts";
import type { densityTable } from "../../stages/density/table.ts";
import { courseCells, courseHead } from "../../stages/images/image_course.ts";
import type { imageTable } from "../../stages/images/image_table.ts";
import { UNKNOWN } from "../../datasets/text/vocabulary.ts";
import type { rowColumns, rowTable } from "../../stages/rows/codecs.ts";
import type { columnScores } from "../../stages/rows/score_columns.ts";
import { SCORE_HEAD, SCORE_NOTE, scoreCells, valuesText } from "../../stages/rows/words.ts";
import type { completions } from "../../stages/text/complete_text.ts";
import type { clusterTable } from "../../stages/text/describe_clusters.ts";
import type { languageTable } from "../../stages/text/language_table.ts";

/** A cell: lines of text; in an example, the word it illustrates is marked. */
export type TableCell = string | { readonly before: string; readonly marked: string };

/** A table with readable names in place of a value's keys. Plain JSON. */
export interface ShownTable {
  readonly title: string;
  readonly head: readonly string[];
  /** Indices of numeric columns. */
  readonly numeric: readonly number[];
  readonly rows: readonly (readonly TableCell[])[];
  /** Note below the table. */
  readonly note?: string;
}

/** Renderers of values, by codec name and version. */
export const SHOWN_AS: Readonly<Record<string, (value: never) => ShownTable[]>> = {
  "language-table 2": languageTables,
  "cluster-table 1": clusterTables,
  "completions 1": completionTables,
  "density-table 2": densityTables,
  "image-table 2": imageTables,
  "row-table 1": rowTables,
  "row-columns 1": rowColumnTables,
  "column-scores 1": columnScoreTables,
};

/** Whether a codec's values can be shown as tables. */
export function isShownInWords({ codec, version }: Pick<Artifact, "codec" | "version">): boolean {
  return Object.hasOwn(SHOWN_AS, `${codec} ${version}`);
}

/** Tables of an artifact's value; undefined if its codec has none. */
export function shownTables(
  artifact: Pick<Artifact, "codec" | "version">,
  value: JsonValue,
): ShownTable[] | undefined {
  if (!isShownInWords(artifact)) return undefined;
  return SHOWN_AS[`${artifact.codec} ${artifact.version}`]?.(value as never);
}

/** Mean, and range if there are several values; impossible values are infinite. */
function spread(values: readonly (number | null)[], decimals: number): string {
  const all = values.map((value) => value ?? Infinity);
  const text = (value: number) => value === Infinity ? "infinite" : value.toFixed(decimals);
  const mean = text(all.reduce((a, b) => a + b, 0) / all.length);
  return all.length === 1 ? mean : `${mean}\n${text(Math.min(...all))} to ${text(Math.max(...all))}`;
}

/** Describes whether EM converged. */
function ended(converged: readonly (boolean | null)[]): string {
  const open = converged.filter((one) => one === false).length;
  if (open > 0) {
    return open === converged.length ? "not converged" : `${open} of ${converged.length} not converged`;
  }
  return converged.includes(null) ? "–" : "converged";
}

function languageTables({ budget, rows, floors }: ReadOf<typeof languageTable>): ShownTable[] {
  const groups = [...Map.groupBy(rows, ({ arm, states }) => `${arm}\n${states}`).values()];
  return [{
    title: "Perplexity, lower is better",
    head: [
      ...["model", "hidden states", "seeds", "before EM", `by epoch ${budget}`, "best epoch", "EM"],
      ...["validation", "test"],
    ],
    numeric: [1, 2, 3, 4, 7, 8],
    rows: [
      ...groups.map((group) => [
        group[0]!.arm,
        String(group[0]!.states),
        String(group.length),
        spread(group.map(({ start }) => start), 1),
        spread(group.map(({ atBudget }) => atBudget), 1),
        [...new Set(group.map(({ bestEpoch, epochs }) => `${bestEpoch} of ${epochs}`))].join(", "),
        ended(group.map(({ converged }) => converged)),
        spread(group.map(({ valid }) => valid), 1),
        spread(group.map(({ test }) => test), 1),
      ]),
      ...floors.map(({ model, valid, test }) => [
        ...[model, "–", "–", "–", "–", "–", "–"],
        spread([valid], 1),
        spread([test], 1),
      ]),
    ],
    ...(groups.some((group) => group.length > 1) && { note: "Over seeds: mean, lowest to highest." }),
  }];
}

/** Number of clusters listed; the others are small. */
const CLUSTERS = 12;

function clusterTables({ clusters }: ReadOf<typeof clusterTable>): ShownTable[] {
  const sorted = clusters.toSorted((a, b) => b.size - a.size || a.cluster - b.cluster);
  const rest = sorted.length - CLUSTERS;
  return [{
    title: "What the hidden states were before EM, the largest clusters first",
    head: ["cluster", "positions", "tokens that tell it", "nearest example"],
    numeric: [0, 1],
    rows: sorted.slice(0, CLUSTERS).map(({ cluster, size, tokens, examples: [example] }) => [
      String(cluster),
      size.toLocaleString("en"),
      tokens.slice(0, 8).map(({ token }) => token).join("  "),
      example === undefined ? "" : { before: example.before, marked: example.suffix },
    ]),
    ...(rest > 0 && { note: `And ${rest} smaller ones.` }),
  }];
}

function completionTables({ completions: all }: ReadOf<typeof completions>): ShownTable[] {
  return all.map(({ given, drawn, blanks }) => ({
    title: given,
    head: [
      "drawn",
      ...blanks.map((_, i) => blanks.length === 1 ? "likeliest words" : `blank ${i + 1}, likeliest`),
    ],
    numeric: [],
    rows: [[
      drawn.join("\n"),
      ...blanks.map((words) => {
        // What stands for all words that the vocabulary lacks is no word to be read first.
        const known = words.filter(({ word }) => word !== UNKNOWN);
        const lacking = words.filter(({ word }) => word === UNKNOWN)
          .map((one) => ({ ...one, word: "words that the vocabulary lacks" }));
        return [...known, ...lacking].map(({ word, probability }) =>
          `${shareText(probability, 1)} %  ${word}`
        )
          .join("\n");
      }),
    ]],
  }));
}

function densityTables({ rows }: ReadOf<typeof densityTable>): ShownTable[] {
  const published = rows.some((one) => one.published !== null);
  return [{
    title: "Mean log-likelihood in nats, higher is better",
    head: [
      ...["data set", "model", "chosen", "EM", "seeds", "validation", "test"],
      ...published ? ["published"] : [],
    ],
    numeric: [4, 5, 6, 7],
    rows: rows.map((one) => [
      one.set,
      one.model,
      [...new Set(one.chosen)].join(", "),
      ended(one.converged),
      String(one.seeds.length),
      one.valid.toFixed(3),
      one.seeds.length > 1 ? `${one.test.toFixed(3)} ± ${one.deviation.toFixed(3)}` : one.test.toFixed(3),
      ...published ? [one.published?.toFixed(3) ?? "–"] : [],
    ]),
  }];
}

function rowTables({ title, head, rows, note }: ReadOf<typeof rowTable>): ShownTable[] {
  return [{ title, head, numeric: numericColumns(head, rows), rows, ...(note !== undefined && { note }) }];
}

/** Columns that hold nothing but numbers, guessed ones too. */
function numericColumns(head: readonly string[], rows: readonly (readonly string[])[]): number[] {
  return head.flatMap((_, column) => {
    const cells = rows.map((row) => row[column]!).filter((cell) => cell !== "");
    return cells.length > 0 && cells.every((cell) => /^(≈ )?-?\d[\d.e+-]*$/.test(cell)) ? [column] : [];
  });
}

function rowColumnTables({ rows, columns, skipped }: ReadOf<typeof rowColumns>): ShownTable[] {
  return [{
    title: `The columns of ${rows.toLocaleString("en")} rows`,
    head: ["column", "type", "values", "missing"],
    numeric: [3],
    rows: columns.map((one) => [one.name, one.type, valuesText(one), one.missing.toLocaleString("en")]),
    ...(skipped.length > 0 && { note: `Left out: ${skipped.join(", ")}.` }),
  }];
}

function columnScoreTables({ columns }: ReadOf<typeof columnScores>): ShownTable[] {
  return [{
    title: "How well each column is guessed, alone and given the others",
    head: SCORE_HEAD,
    numeric: [2, 3, 4, 5],
    rows: columns.map(scoreCells),
    note: SCORE_NOTE,
  }];
}

function imageTables({ budget, rows }: ReadOf<typeof imageTable>): ShownTable[] {
  const course = budget === undefined ? [] : courseHead(budget);
  const head = ["model", "setting", "parameters", ...course, "bits per dimension", "standard error", "EM"];
  return [{
    title: "Bits per dimension of test images, lower is better",
    head,
    numeric: head.flatMap((_, i) => i >= 2 && i < head.length - 1 ? [i] : []),
    rows: rows.map((row) => [
      row.arm,
      row.setting,
      row.parameters.toLocaleString("en"),
      ...(budget === undefined ? [] : courseCells(row)),
      row.figure.bits.toFixed(3),
      row.standardError.toFixed(3),
      ended([row.converged]),
    ]),
  }];
}
