import canonicalize from "canonicalize";
import { nodeModule } from "./node_module.ts";

/** Anything that JSON can hold. */
export type JsonValue = null | boolean | number | string | JsonValue[] | { [key: string]: JsonValue };

/** A JSON object. */
export type JsonObject = { [key: string]: JsonValue };

/** A sha256 digest: 64 lower-case hexadecimal digits. */
export type Digest = string;

/** True for a well-formed sha256 digest. */
export function isDigest(text: unknown): text is Digest {
  return typeof text === "string" && /^[0-9a-f]{64}$/.test(text);
}

/** The canonical text of a JSON value (RFC 8785): equal values have equal texts. */
export function canonicalText(value: JsonValue): string {
  const text = canonicalize(value);
  if (text === undefined) throw new TypeError("only JSON values have a canonical text");
  return text;
}

/** sha256 of bytes or of UTF-8 text. */
export function digestBytes(bytes: Uint8Array | string): Digest {
  return nodeModule("node:crypto").createHash("sha256").update(bytes).digest("hex");
}

/** sha256 of a JSON value's canonical text. */
export function digestJson(value: JsonValue): Digest {
  return digestBytes(canonicalText(value));
}

/** Maximum nesting of lists and objects: functions that copy, check and write values recurse once per level. */
const DEPTH = 1000;

/**
 * Where a value is not plain JSON (a function, a Date, NaN, undefined in an array, a cycle, a text that UTF-8 cannot
 * hold, a nesting deeper than 1,000 levels, ...): the path and what stands there. Undefined when the value is plain
 * JSON. Properties that are `undefined` are allowed, as JSON leaves them out.
 */
export function notJson(value: unknown, path = "", seen: Set<object> = new Set()): string | undefined {
  const at = path === "" ? "the value" : `\`${path}\``;
  switch (typeof value) {
    case "string":
      return value.isWellFormed() ? undefined : `${at} holds half a character (a lone surrogate)`;
    case "boolean":
      return undefined;
    case "number":
      return Number.isFinite(value) ? undefined : `${at} is ${value}`;
    case "object": {
      if (value === null) return undefined;
      if (seen.has(value)) return `${at} contains itself`;
      const proto = Object.getPrototypeOf(value);
      if (!Array.isArray(value) && proto !== Object.prototype && proto !== null) {
        return `${at} is a ${value.constructor?.name ?? "special object"}`;
      }
      if (seen.size === DEPTH) {
        return `the value nests deeper than ${DEPTH.toLocaleString("en")} levels in \`${
          path.split(".", 1)[0]
        }\``;
      }
      seen.add(value);
      for (const [key, item] of Object.entries(value)) {
        if (!key.isWellFormed()) return `a name in ${at} holds half a character (a lone surrogate)`;
        if (item === undefined && !Array.isArray(value)) continue;
        const inside = notJson(item, path === "" ? key : `${path}.${key}`, seen);
        if (inside !== undefined) return inside;
      }
      seen.delete(value);
      return undefined;
    }
    default:
      if (typeof value === "bigint") return `${at} is a bigint: give it as a string`;
      return `${at} is ${value === undefined ? "undefined" : `a ${typeof value}`}`;
  }
}

/** A deep copy through JSON: properties that are `undefined` are gone. */
export function plainJson(value: unknown): JsonValue {
  return JSON.parse(JSON.stringify(value)) as JsonValue;
}

/** Orders by UTF-16 code unit: the same on every machine, unlike an order by locale. */
export function byCodeUnit(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
