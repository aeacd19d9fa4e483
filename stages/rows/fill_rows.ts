import { z } from "zod";
import { isObserved, takeSamples } from "../../circuits/samples.ts";
import { shareText } from "../../foundation/format.ts";
import { files } from "../../runner/codecs/files.ts";
import { defineStage, type Stage } from "../../runner/stage.ts";
import { circuit } from "../codecs/circuit.ts";
import { samples } from "../codecs/samples.ts";
import { openLearner } from "../open_learner.ts";
import { cellText, type RowColumn, rowColumns, rowTable, rowTexts } from "./codecs.ts";
import { type Guess, guessMissing } from "./guesses.ts";

/**
 * The whole table with its missing cells filled in, as CSV, and the first of these rows to look at: the most probable
 * state, or the expected number, given the row's other cells.
 */
export const fillRows: Stage<
  z.ZodObject<{
    show: z.ZodDefault<z.ZodInt>;
  }, z.core.$strip>,
  { circuit: typeof circuit; columns: typeof rowColumns; rows: typeof samples },
  { table: typeof files; filled: typeof rowTable }
> = defineStage({
  name: "rows.fill",
  params: z.object({
    /** Number of rows with missing cells to show. */
    show: z.int().min(1).default(8),
  }),
  inputs: { circuit, columns: rowColumns, rows: samples },
  outputs: { table: files, filled: rowTable },
  engine: "use",
  async run({ inputs, params, context }) {
    const { columns } = inputs.columns;
    const rows = await inputs.rows.all();
    const holes = Array.from({ length: rows.count }, (_, s) => s).filter((s) =>
      columns.some((_, v) => !isObserved(rows, s, v))
    );
    const learner = await openLearner(inputs.circuit, context);
    try {
      const open = takeSamples(rows, holes);
      const guesses = holes.length === 0 ? [] : await guessMissing(learner, columns, open);
      const byRow = Map.groupBy(guesses, ({ row }) => row);
      const place = new Map(holes.map((row, i) => [row, i]));
      const texts = (s: number, mark: boolean) => {
        const row = rowTexts(columns, rows, s);
        for (const guess of byRow.get(place.get(s) ?? -1) ?? []) {
          row[guess.column] = guessText(columns, guess, mark);
        }
        return row;
      };
      const lines = [
        columns.map(({ name }) => name),
        ...Array.from({ length: rows.count }, (_, s) => texts(s, false)),
      ];
      context.metric("filled cells", guesses.length);
      return {
        table: { "filled.csv": lines.map((line) => `${line.map(quoted).join(",")}\n`).join("") },
        filled: {
          title: "Missing cells, filled in",
          head: columns.map(({ name }) => name),
          rows: holes.slice(0, params.show).map((s) => texts(s, true)),
          note: holes.length === 0
            ? "No cell is missing."
            : `Of all cells ${guesses.length} had no value; ≈ marks what the model says of them.`,
        },
      };
    } finally {
      await learner.close();
    }
  },
});

/** A guess in the table's own words, marked as one with its probability if asked for. */
export function guessText(
  columns: readonly RowColumn[],
  { column, value, probability }: Guess,
  mark: boolean,
): string {
  const text = cellText(columns[column]!, value);
  if (!mark) return text;
  return probability === undefined ? `≈ ${text}` : `≈ ${text} (${shareText(probability, 0)} %)`;
}

/** A cell of a CSV file (RFC 4180). */
function quoted(cell: string): string {
  return /[",\r\n]|^\s|\s$/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell;
}
