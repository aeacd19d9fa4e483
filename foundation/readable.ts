/** JSON values as people read them: without brackets and quotes. Plain functions, so that pages in a browser use them as well. */
import type { JsonValue } from "./canonical.ts";
import { valueText } from "./format.ts";

/**
 * A JSON value in words: `0, 0.5, 1` of a list, `from 0.5, to 0.05` of an object, `;` between objects of a list, `none` of
 * what is empty.
 */
export function readableText(value: JsonValue | undefined): string {
  if (typeof value !== "object" || value === null) return valueText(value);
  if (Array.isArray(value)) {
    if (value.length === 0) return "none";
    return value.map((item) => nestedText(item, isList(item))).join(value.some(isCompound) ? "; " : ", ");
  }
  const entries = Object.entries(value);
  if (entries.length === 0) return "none";
  return entries.map(([name, item]) => `${name} ${nestedText(item, isCompound(item))}`).join(", ");
}

function nestedText(value: JsonValue, bracketed: boolean): string {
  return bracketed ? `(${readableText(value)})` : readableText(value);
}

function isList(value: JsonValue): boolean {
  return Array.isArray(value);
}

function isCompound(value: JsonValue): boolean {
  return typeof value === "object" && value !== null;
}

/**
 * The parts of a value that are read one by one, with their paths: `step.from` in an object, `rows[0].states` in a list of
 * objects. Lists of anything else, and what is empty, are one part.
 */
export function readableParts(value: JsonValue | undefined, path = ""): [path: string, value: JsonValue][] {
  if (value === undefined) return [];
  if (typeof value !== "object" || value === null) return [[path, value]];
  const parts = Array.isArray(value)
    ? value.every((item) => isCompound(item) && !isList(item))
      ? value.flatMap((item, i) => readableParts(item, `${path}[${i}]`))
      : []
    : Object.entries(value).flatMap(([key, item]) =>
      readableParts(item, path === "" ? key : `${path}.${key}`)
    );
  return parts.length === 0 ? [[path, value]] : parts;
}
