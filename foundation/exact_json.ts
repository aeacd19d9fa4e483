import type { JsonValue } from "./canonical.ts";

/** What a text has where a number may be lost: many digits before the point, a large exponent, many zeros behind the point. */
const SUSPECT = /(?<![\d.])\d{16}|\d[eE](?:\+?\d\d|-\d{3})|\.0{300}/;

/**
 * Parses JSON, and refuses numbers that a double-precision number cannot stand for. Whole numbers must stay what they
 * are: 2^53 + 1 would become 2^53. Others are rounded to the nearest double, as everywhere; but what is too large for one,
 * or so small that it would become 0, is refused.
 *
 * @throws SyntaxError for a text that is no JSON, RangeError that names the number.
 */
export function parseExactJson(text: string): JsonValue {
  if (!SUSPECT.test(text)) return JSON.parse(text);
  const reviver = (_key: string, value: unknown, context?: { source?: string }) => {
    if (typeof value === "number" && context?.source !== undefined) checkNumber(context.source, value);
    return value;
  };
  return JSON.parse(text, reviver as Parameters<typeof JSON.parse>[1]);
}

function checkNumber(source: string, value: number): void {
  if (survives(source, value)) return;
  const fate = Number.isFinite(value) ? `would become ${value}` : "is too large";
  throw new RangeError(`the number ${source} ${fate}: give it as a string, "${source}"`);
}

/** Whether a number's text, read as a double, still means the same number, or one that is as near as a fraction can be. */
function survives(source: string, value: number): boolean {
  if (!Number.isFinite(value)) return false;
  const exact = decimal(source);
  if (value === 0) return exact.digits === "";
  if (exact.exponent < 0) return true;
  const shown = decimal(String(value));
  if (exact.digits === shown.digits && exact.exponent === shown.exponent) return true;
  return BigInt(exact.digits) * 10n ** BigInt(exact.exponent) === BigInt(Math.abs(value));
}

/** A number's magnitude as digits without zeros at either end, times a power of ten. */
function decimal(text: string): { digits: string; exponent: number } {
  const [, whole = "", fraction = "", exponent = "0"] =
    /^-?(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d+))?$/.exec(text) ?? [];
  const digits = (whole + fraction).replace(/^0+/, "");
  const kept = digits.replace(/0+$/, "");
  return { digits: kept, exponent: Number(exponent) - fraction.length + digits.length - kept.length };
}

/**
 * Where a value holds a whole number that its writer may not have meant: one beyond 2^53 that takes more than 15 digits is
 * most likely what a literal was rounded to before this code saw it. Numbers that JavaScript writes with an exponent, from
 * 10^21 on, are no counts or names of anything.
 *
 * @returns its path and the number; undefined when there is none.
 */
export function roundedInteger(value: unknown, path = ""): { path: string; number: number } | undefined {
  if (typeof value === "number") {
    const suspect = Number.isInteger(value) && !Number.isSafeInteger(value) && Math.abs(value) < 1e21 &&
      decimal(String(value)).digits.length > 15;
    return suspect ? { path, number: value } : undefined;
  }
  if (typeof value !== "object" || value === null) return undefined;
  for (const [key, item] of Object.entries(value)) {
    const found = roundedInteger(item, path === "" ? key : `${path}.${key}`);
    if (found !== undefined) return found;
  }
  return undefined;
}
