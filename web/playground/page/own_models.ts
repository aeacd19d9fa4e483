/// <reference lib="dom" />
import type { OfferedModel } from "./protocol.ts";

/** Bytes of a file that say how long its header is, and the most of a header that are looked at. */
const LENGTH = 8, HEAD = 1 << 22;

/**
 * A file of the visitor's as a model that the page offers. Only its kind is looked at here; the worker reads it, and says what is
 * wrong with it.
 */
export async function ownModel(file: Blob, title: string, name: string): Promise<OfferedModel> {
  // The header of a safetensors file is JSON, in which the texts that go with a circuit have their names.
  const length = new DataView(await file.slice(0, LENGTH).arrayBuffer());
  const end = length.byteLength < LENGTH ? 0 : LENGTH + Math.min(HEAD, Number(length.getBigUint64(0, true)));
  const head = await file.slice(LENGTH, end).text();
  const kind = /"images":\s*"/.test(head) ? "images" : "text";
  return { name, title, kind, file: URL.createObjectURL(file), beside: null };
}
