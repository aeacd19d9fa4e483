import { RetortError } from "../foundation/errors.ts";

/** A table of small integers. */
export interface ByteTable {
  /** Number of rows. */
  readonly count: number;
  /** Number of values per row. */
  readonly columns: number;
  /** `[count, columns]`, row-major. */
  readonly values: Uint8Array;
}

/**
 * Parses rows of integers from 0 to 255, separated by commas, one row per line; empty lines are skipped.
 *
 * @param where the text's name in messages.
 * @throws RetortError with the line and column of the first thing that is no such number, or of a row of
 * another length than the first.
 */
export function parseRows(text: string, where: string): ByteTable {
  const lines = text.split("\n").map((line) => line.trimEnd());
  const columns = lines.find((line) => line !== "")?.split(",").length ?? 0;
  const values = new Uint8Array(columns * lines.filter((line) => line !== "").length);
  let count = 0;
  lines.forEach((line, index) => {
    if (line === "") return;
    const cells = line.split(",");
    if (cells.length !== columns) {
      throw new RetortError(
        "table/values",
        `${where}, line ${index + 1}: ${cells.length} numbers, expected ${columns}`,
      );
    }
    cells.forEach((cell, column) => {
      const x = Number(cell);
      if (cell.trim() === "" || !Number.isInteger(x) || x < 0 || x > 255) {
        throw new RetortError(
          "table/values",
          `${where}, line ${index + 1}, number ${column + 1}: got ${JSON.stringify(cell)}, ` +
            "expected a whole number from 0 to 255",
        );
      }
      values[count * columns + column] = x;
    });
    count++;
  });
  return { count, columns, values };
}
