import { writeFileAtomic } from "../../foundation/atomic.ts";
import { canonicalText, digestBytes, type JsonObject, type JsonValue } from "../../foundation/canonical.ts";
import { RetortError } from "../../foundation/errors.ts";

/** What reading a sealed JSON file may give. */
export type Sealed =
  | { readonly state: "ok"; readonly body: JsonObject }
  | { readonly state: "missing" }
  | { readonly state: "damaged"; readonly why: string };

/** Writes JSON with its own digest, so that any later damage is seen. */
export function writeSealed(tmp: string, path: string, format: number, body: JsonObject): void {
  const text = canonicalText(body);
  const sealed = `{"format":${format},"digest":"${digestBytes(text)}","body":${text}}\n`;
  writeFileAtomic(tmp, path, new TextEncoder().encode(sealed));
}

/**
 * Reads what `writeSealed` wrote.
 *
 * @throws RetortError when the file is of a format that this version does not know.
 */
export function readSealed(path: string, format: number): Sealed {
  let text: string;
  try {
    text = Deno.readTextFileSync(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return { state: "missing" };
    throw error;
  }
  let sealed: { format?: JsonValue; digest?: JsonValue; body?: JsonValue } | null;
  try {
    sealed = JSON.parse(text);
  } catch {
    return { state: "damaged", why: "it is not JSON" };
  }
  if (typeof sealed?.format !== "number") return { state: "damaged", why: "it names no format" };
  if (sealed.format !== format) {
    throw new RetortError(
      `${path} has format ${sealed.format}; this version of Retort reads format ${format}`,
      {
        hint: "Use the version of Retort that wrote it, or another --store.",
      },
    );
  }
  const body = sealed.body;
  if (typeof body !== "object" || body === null || Array.isArray(body)) {
    return { state: "damaged", why: "it has no body" };
  }
  // The body's text stands in the file as it was digested: no need to make it canonical again.
  const start = text.indexOf(`"body":`) + 7;
  if (digestBytes(text.slice(start, text.lastIndexOf("}"))) !== sealed.digest) {
    return { state: "damaged", why: "its digest is wrong" };
  }
  return { state: "ok", body };
}
