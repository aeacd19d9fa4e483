import type { JsonValue } from "./canonical.ts";

/** A table as CSV (RFC 4180). A text that spreadsheets would take for a formula is led by an apostrophe; null is an empty field. */
export function csvText(head: readonly string[], rows: readonly (readonly JsonValue[])[]): string {
  return [head, ...rows].map((row) => row.map(field).join(",")).join("\r\n") + "\r\n";
}

/** A value as plain text. */
export function plainText(value: JsonValue): string {
  return typeof value === "string" ? value : JSON.stringify(value);
}

function field(value: JsonValue): string {
  const text = value === null ? "" : plainText(value);
  const formula = /^[=+\-@\t\r]/.test(text) && !/^-?\d/.test(text);
  const safe = formula ? `'${text}` : text;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}
