import { createHash, type Hash } from "node:crypto";

/** How far reading, downloading or unpacking one file has got. */
export interface FileProgress {
  /** Bytes done so far. */
  readonly bytes: number;
  /** Bytes in all. */
  readonly total: number;
}

/** Feeds the bytes of a file to `hash` in pieces; the file is never in memory as a whole. */
export async function hashFile(
  hash: Hash,
  path: string,
  options: { signal?: AbortSignal; onBytes?: (bytes: number) => void } = {},
): Promise<number> {
  using file = await Deno.open(path, { read: true });
  const buffer = new Uint8Array(1 << 18);
  let bytes = 0;
  for (;;) {
    options.signal?.throwIfAborted();
    const n = await file.read(buffer);
    if (n === null) return bytes;
    hash.update(buffer.subarray(0, n));
    bytes += n;
    options.onBytes?.(bytes);
  }
}

/**
 * The sha256 of a file, in hex.
 *
 * @throws Deno.errors.NotFound and the like; the signal's reason when aborted.
 */
export async function digestFile(path: string, options: { signal?: AbortSignal } = {}): Promise<string> {
  const hash = createHash("sha256");
  await hashFile(hash, path, options);
  return hash.digest("hex");
}
