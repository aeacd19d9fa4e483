/// <reference lib="dom" />
import type { OfferedModel } from "./protocol.ts";

/** Bytes of a file's header that are looked at. */
const HEAD = 1 << 22;

/**
 * A file of the visitor's as a model that the page offers. Only its kind is looked at here; the worker reads it, and says what is
 * wrong with it.
 */
export async function ownModel(file: Blob, title: string, name: string): Promise<OfferedModel> {
  // The header of a safetensors file is JSON, in which the texts that go with a circuit have their names.
  const head = await file.slice(8, 8 + HEAD).text();
  const kind = /"images":\s*"/.test(head) ? "images" : "text";
  return { name, title, kind, file: URL.createObjectURL(file), beside: null };
}
