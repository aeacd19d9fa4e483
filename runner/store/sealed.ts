import { writeFileAtomic } from "../../foundation/atomic.ts";
import { canonicalText, digestBytes, type JsonObject, type JsonValue } from "../../foundation/canonical.ts";
import { fileFault } from "../../foundation/faults.ts";

/** The result of reading a sealed JSON file. */
export type Sealed =
  | { readonly state: "ok"; readonly body: JsonObject }
  | { readonly state: "missing" }
  /** Of a format that this version does not support: possibly intact, but unusable. */
  | { readonly state: "unknown"; readonly why: string }
  | { readonly state: "damaged"; readonly why: string };

/** Writes JSON with its own digest, so that later damage is detected. */
export function writeSealed(tmp: string, path: string, format: number, body: JsonObject): void {
  writeFileAtomic(tmp, path, sealedBytes(format, body));
}

/** What `writeSealed` writes. */
export function sealedBytes(format: number, body: JsonObject): Uint8Array<ArrayBuffer> {
  const text = canonicalText(body);
  return new TextEncoder().encode(`{"format":${format},"digest":"${digestBytes(text)}","body":${text}}\n`);
}

/** Reads what `writeSealed` wrote. */
export function readSealed(path: string, format: number): Sealed {
  let text: string;
  try {
    text = Deno.readTextFileSync(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotADirectory) {
      return { state: "missing" };
    }
    if (error instanceof Deno.errors.IsADirectory) return { state: "damaged", why: "it is a folder" };
    throw fileFault(error, "reading", path);
  }
  return parseSealed(text, format);
}

/** As `readSealed`, of the text itself. */
export function parseSealed(text: string, format: number): Exclude<Sealed, { state: "missing" }> {
  let sealed: { format?: JsonValue; digest?: JsonValue; body?: JsonValue } | null;
  try {
    sealed = JSON.parse(text);
  } catch {
    return { state: "damaged", why: "it is not JSON" };
  }
  if (typeof sealed?.format !== "number") return { state: "damaged", why: "it names no format" };
  if (sealed.format !== format) {
    return {
      state: "unknown",
      why: `it has format ${sealed.format}; this version of Retort knows format ${format}`,
    };
  }
  const body = sealed.body;
  if (typeof body !== "object" || body === null || Array.isArray(body)) {
    return { state: "damaged", why: "it has no body" };
  }
  // The file contains the body exactly as it was digested, so it need not be canonicalised again.
  const start = text.indexOf(`"body":`) + 7;
  if (digestBytes(text.slice(start, text.lastIndexOf("}"))) !== sealed.digest) {
    return { state: "damaged", why: "its digest is wrong" };
  }
  return { state: "ok", body };
}
