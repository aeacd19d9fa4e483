import { messageOf } from "../../../foundation/errors.ts";
import { TextError } from "../errors.ts";
import { fileText } from "../file_text.ts";
import { textLines } from "../lines.ts";
import type { Row } from "./row.ts";

/** The rows of a file of JSON objects, one per line; empty lines are skipped. */
export async function* jsonLines(path: string, name: string): AsyncGenerator<Row> {
  let line = 0;
  for await (const text of textLines(fileText(path, name))) {
    line++;
    if (text.trim() !== "") yield rowOf(text, line, name);
  }
}

function rowOf(text: string, line: number, name: string): Row {
  const where = `line ${line}`;
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new TextError("table/syntax", `${name}, ${where}: it is not a JSON object: ${messageOf(cause)}`, {
      cause,
      hint: text.trimStart().startsWith("[")
        ? "A JSON array becomes one object a line by: jq -c '.[]' FILE."
        : "Expected one JSON object a line; one that goes over several becomes that by: jq -c . FILE.",
    });
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    const what = Array.isArray(value) ? "an array" : `a ${value === null ? "null" : typeof value}`;
    throw new TextError("table/syntax", `${name}, ${where}: it is ${what}, expected a JSON object a line`, {
      hint: "A JSON array becomes one object a line by: jq -c '.[]' FILE.",
    });
  }
  return {
    where,
    columns: Object.keys(value),
    cell: (column) => Object.hasOwn(value, column) ? (value as Record<string, unknown>)[column] : undefined,
  };
}

/** Whether a text begins with a line that is a JSON object, which makes it a table whatever its name. */
export async function looksLikeJsonLines(path: string, name: string): Promise<boolean> {
  // The first character rules out most texts, including those that are one line of any length.
  for await (const piece of fileText(path, name)) {
    if (piece.trim() === "") continue;
    if (!piece.trimStart().startsWith("{")) return false;
    break;
  }
  for await (const text of textLines(fileText(path, name))) {
    if (text.trim() === "") continue;
    try {
      const value: unknown = JSON.parse(text);
      return typeof value === "object" && value !== null;
    } catch {
      return false;
    }
  }
  return false;
}
