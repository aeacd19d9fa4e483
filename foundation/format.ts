/** Numbers, times and small values for people; plain functions, so that pages in a browser use them as well. */
import type { JsonObject, JsonValue } from "./canonical.ts";

/** Longest text of a value that stands on one line beside other things. */
export const INLINE = 100;

/** A JSON value in a cell: numbers with at most six digits. */
export function valueText(value: JsonValue | undefined): string {
  if (value === undefined || value === null) return "–";
  if (typeof value === "number") {
    return Number.isInteger(value) ? String(value) : String(Number(value.toPrecision(6)));
  }
  return typeof value === "string" ? value : JSON.stringify(value);
}

/** A JSON value on one line of at most 100 characters, or undefined when it needs more room. */
export function inlineText(value: JsonValue): string | undefined {
  const text = isFlatObject(value)
    ? Object.entries(value).map(([name, item]) => `${name} ${valueText(item)}`).join(", ")
    : valueText(value);
  const nested = typeof value === "object" && value !== null && !isFlatObject(value) &&
    Object.keys(value).length > 0;
  return nested || text.length > INLINE || text.includes("\n") ? undefined : text;
}

/** True for an object whose values are neither objects nor lists. */
export function isFlatObject(value: JsonValue): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value) &&
    Object.values(value).every((item) => typeof item !== "object" || item === null);
}

/** What a metric's or a key's name says, in words: `score.bitsPerToken` is `bits per token`. */
export function nameInWords(name: string): string {
  const last = name.slice(name.lastIndexOf(".") + 1);
  return last.replaceAll(/(?<=[a-z0-9])[A-Z](?![A-Z])/g, (letter) => ` ${letter.toLowerCase()}`).replaceAll(
    "_",
    " ",
  );
}

/** A number of bytes for people: 12.3 MB. */
export function bytesText(bytes: number): string {
  const units = ["B", "kB", "MB", "GB", "TB"];
  let value = bytes;
  let unit = 0;
  // What three digits would round to 1000 is 1.00 of the next unit.
  for (; value >= (unit === 0 ? 1000 : 999.5) && unit < units.length - 1; unit++) value /= 1000;
  return `${unit === 0 ? value : value < 999.5 ? value.toPrecision(3) : Math.round(value)} ${units[unit]}`;
}

/**
 * A share in percent, without the sign: `99.5`. What is neither nothing nor all is never rounded to 0 or 100: it gets up to two more decimals,
 * and beyond them says on which side it lies, as `<0.01` or `>99.99`.
 *
 * @param share 0 for nothing, 1 for all; differences may be more
 * @param decimals decimals of shares that are not near 0 or 1
 */
export function shareText(share: number, decimals: number): string {
  const percent = 100 * share;
  const most = decimals + 2;
  for (let digits = decimals; digits <= most; digits++) {
    const text = percent.toFixed(digits);
    if (Number(text) === percent || Number(text) !== 0 && Number(text) !== 100) return text;
  }
  const step = 10 ** -most;
  // A little more than all is all, rounded by who computed it.
  if (percent > 100) return percent.toFixed(decimals);
  return percent > 50 ? `>${(100 - step).toFixed(most)}` : `<${step.toFixed(most)}`;
}

/** A duration in seconds for people: 0.25 s, 12 s, 3 min 5 s, 2 h 4 min. */
export function durationText(seconds: number): string {
  if (!Number.isFinite(seconds)) return "?";
  if (seconds < 10) return `${seconds.toFixed(seconds < 1 ? 2 : 1)} s`;
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${whole % 60} s`;
  return `${Math.floor(whole / 3600)} h ${Math.floor(whole / 60) % 60} min`;
}

/** A moment, in seconds since 1970, as local text. */
export function timeText(seconds: number): string {
  const date = new Date(seconds * 1000);
  const two = (n: number) => String(n).padStart(2, "0");
  return `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())} ` +
    `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`;
}

/** What an artifact's facts tell in a few words: its value if it is short, or shape and counts. */
export function factsText(facts: JsonObject): string {
  if ("value" in facts) return inlineText(facts.value!) ?? "";
  const text = Object.entries(facts).map(([name, value]) => `${name} ${valueText(value)}`).join(", ");
  return text.length > 100 ? `${text.slice(0, 99)}…` : text;
}
