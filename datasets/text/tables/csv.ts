import type { CsvError, Info } from "csv-parse";
import { delimiterOf } from "../../../foundation/delimiter.ts";
import { messageOf } from "../../../foundation/errors.ts";
import { nodeModule } from "../../../foundation/node_module.ts";
import { DataSetError } from "../../errors.ts";
import { TextError } from "../errors.ts";
import { fileText } from "../file_text.ts";
import type { Row } from "./row.ts";

/** Maximum number of characters in a row: otherwise an unclosed quotation mark would take the rest of the file. */
const LONGEST = 1 << 28;

/**
 * The rows of a CSV file (RFC 4180) whose first row names its columns. The delimiter is the most frequent one in the
 * first row: comma, semicolon, tab or bar.
 */
export async function* csvRows(path: string, name: string): AsyncGenerator<Row> {
  const pieces = fileText(path, name);
  const first = await firstLine(pieces);
  if (first.trim() === "") return;
  const { parse } = await import("csv-parse");
  const parser = parse({
    delimiter: delimiterOf(first),
    info: true,
    skip_empty_lines: true,
    max_record_size: LONGEST,
  });
  // An error of the file or of the parser makes the loop below throw.
  const { pipeline, Readable } = nodeModule("node:stream");
  pipeline(Readable.from(after(first, pieces)), parser, () => {});
  let columns: readonly string[] | undefined;
  try {
    for await (const { record, info } of parser as AsyncIterable<{ record: string[]; info: Info }>) {
      if (columns === undefined) columns = checkedNames(record, name);
      else yield rowOf(columns, record, info.lines);
    }
  } catch (cause) {
    if (cause instanceof DataSetError) throw cause;
    const { lines } = cause as CsvError & { lines?: number };
    throw new TextError(
      "table/syntax",
      `${name}${lines === undefined ? "" : `, line ${lines}`}: it is not valid CSV: ${messageOf(cause)}`,
      {
        cause,
        hint:
          "A cell with a comma, a line end or a quotation mark stands between quotation marks, those in it twice.",
      },
    );
  }
}

function rowOf(columns: readonly string[], record: readonly string[], line: number): Row {
  return { where: `line ${line}`, columns, cell: (column) => record[columns.indexOf(column)] };
}

function checkedNames(names: readonly string[], name: string): readonly string[] {
  const twice = names.find((one, i) => names.indexOf(one) !== i);
  if (twice === undefined) return names;
  throw new TextError("table/columns", `${name}: two columns are called ${JSON.stringify(twice)}`, {
    hint: "The first row names the columns.",
  });
}

/** Text up to and including the first non-empty line. */
async function firstLine(pieces: AsyncIterator<string>): Promise<string> {
  let text = "";
  while (!/\S[^\n\r]*[\n\r]/.test(text)) {
    const { done, value } = await pieces.next();
    if (done === true) break;
    text += value;
  }
  return text;
}

async function* after(first: string, pieces: AsyncGenerator<string>): AsyncGenerator<string> {
  yield first;
  yield* pieces;
}
