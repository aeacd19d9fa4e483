import { canonicalText, digestBytes, type JsonObject, type JsonValue } from "../canonical.ts";
import { RetortError } from "../errors.ts";
import { guardedSync } from "./faults.ts";

let counter = 0;

/** A file name that no other process or call uses. */
export function uniqueName(): string {
  return `${Deno.pid}-${(counter++).toString(36)}-${crypto.randomUUID().slice(0, 8)}`;
}

/** Writes a whole small file: temp file, fsync, rename. A reader sees the old file or the new one. */
export function writeFileAtomic(tmp: string, path: string, bytes: Uint8Array): void {
  guardedSync("writing", path, () => {
    const temp = `${tmp}/${uniqueName()}`;
    try {
      const file = Deno.openSync(temp, { write: true, createNew: true });
      try {
        for (let at = 0; at < bytes.length;) at += file.writeSync(bytes.subarray(at));
        file.syncDataSync();
      } finally {
        file.close();
      }
      Deno.renameSync(temp, path);
    } catch (error) {
      removeQuietly(temp);
      throw error;
    }
  });
}

/** Removes a file or a folder if it is there; other faults are left for whoever needs the place. */
export function removeQuietly(path: string): void {
  try {
    Deno.removeSync(path, { recursive: true });
  } catch {
    // Not there, or not removable: nothing depends on its absence.
  }
}

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
