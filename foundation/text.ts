/** Values as plain text for people: on a terminal, in logs, in reports. */
import type { JsonObject, JsonValue } from "./canonical.ts";
import { INLINE, isFlatObject, valueText } from "./format.ts";
import { nodeModule } from "./node_module.ts";

export { inlineText, valueText } from "./format.ts";

/**
 * A table without borders, columns two spaces apart. A column that holds nothing but numbers stands to the
 * right. Cells may have several lines and colours; without a head the rows stand alone.
 */
export function tableText(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const all = [...head.length > 0 ? [head] : [], ...rows].map((row) => row.map((cell) => cell.split("\n")));
  const count = all.reduce((most, row) => Math.max(most, row.length), 0);
  const columns = Array.from({ length: count }, (_, column) => {
    const cells = rows.map((row) => row[column] ?? "").filter((cell) => cell !== "" && cell !== "–");
    return {
      width: all.reduce((most, row) => Math.max(most, ...(row[column] ?? []).map(widthOf)), 0),
      right: cells.length > 0 && cells.every((cell) => /^-?\d[\d.,]*(e[+-]\d+)?( ?%)?$/.test(cell)),
    };
  });
  const lineOf = (row: readonly string[][], line: number) =>
    columns.map(({ width, right }, column) => {
      const cell = row[column]?.[line] ?? "";
      const space = " ".repeat(width - widthOf(cell));
      return right ? space + cell : cell + space;
    }).join("  ").trimEnd();
  return all.flatMap((row) => {
    const lines = Math.max(1, ...row.map((cell) => cell.length));
    return Array.from({ length: lines }, (_, line) => lineOf(row, line));
  }).join("\n");
}

function widthOf(text: string): number {
  return [...nodeModule("node:util").stripVTControlCharacters(text)].length;
}

/**
 * A JSON value as lines of text: an object as names and values, a list of objects as a table, a list of
 * other things one a line, what is inside them indented.
 */
export function jsonText(value: JsonValue): string {
  if (typeof value !== "object" || value === null) return valueText(value);
  if (Array.isArray(value)) {
    if (value.length > 0 && value.every(isFlatObject)) return recordsText(value);
    if (value.every((item) => typeof item !== "object" || item === null)) {
      const line = value.map(valueText).join(", ");
      const short = line.length <= INLINE && !value.some((item) => typeof item === "string");
      return short ? line : value.map(valueText).join("\n");
    }
    return value.map((item, i) => `${i + 1}\n${indented(jsonText(item))}`).join("\n");
  }
  const parts: string[] = [];
  let row: [string, string][] = [];
  const flush = () => {
    if (row.length > 0) parts.push(tableText([], row));
    row = [];
  };
  for (const [name, item] of Object.entries(value)) {
    const text = jsonText(item);
    const simple = typeof item !== "object" || item === null || (Array.isArray(item) && !text.includes("\n"));
    if (simple && !text.includes("\n")) row.push([name, text]);
    else {
      flush();
      parts.push(`${name}\n${indented(text)}`);
    }
  }
  flush();
  return parts.join("\n");
}

/** Objects of plain values as a table; a name that one of them lacks gives an empty cell. */
function recordsText(records: readonly JsonObject[]): string {
  const names = [...new Set(records.flatMap((record) => Object.keys(record)))];
  const columns = names.map((name) => columnTexts(records.map((record) => record[name])));
  return tableText(names, records.map((_, row) => columns.map((column) => column[row]!)));
}

/** Values of one column; numbers with as many decimals as the longest of them, so that their points align. */
function columnTexts(values: readonly (JsonValue | undefined)[]): string[] {
  const texts = values.map((value) => value === undefined ? "" : valueText(value));
  if (!texts.every((text) => text === "" || /^-?\d+(\.\d+)?$/.test(text))) return texts;
  const decimals = Math.max(...texts.map((text) => text.split(".")[1]?.length ?? 0));
  return values.map((value, i) => typeof value === "number" ? value.toFixed(decimals) : texts[i]!);
}

/** Every line of a text two spaces further in. */
export function indented(text: string): string {
  return text.split("\n").map((line) => line === "" ? "" : `  ${line}`).join("\n");
}

/** A text as one word of a POSIX shell, quoted where that is necessary. */
export function shellWord(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}
