import type { Hash } from "node:crypto";
import type { Digest } from "./canonical.ts";
import { nodeModule } from "./node_module.ts";

/** Bytes written or read at a time. */
export const FILE_CHUNK = 1 << 20;

/** What changes when a file's bytes may have changed: device, inode, size, times. Undefined when it is missing. */
export function fileIdentity(path: string): string | undefined {
  try {
    const stat = Deno.statSync(path);
    return [stat.dev, stat.ino, stat.size, stat.mtime?.getTime(), stat.ctime?.getTime()].join(":");
  } catch {
    return undefined;
  }
}

/** How to read a file that is hashed. */
export interface HashOptions {
  /** Stops the reading. */
  readonly signal?: AbortSignal;
  /** Called after each piece with the bytes read so far. */
  readonly onBytes?: (bytes: number) => void;
}

/**
 * Feeds the bytes of a file to `hash` in pieces; the file is never in memory as a whole.
 *
 * @returns its size in bytes.
 * @throws Deno.errors.NotFound and the like; the signal's reason when aborted.
 */
export async function hashFile(hash: Hash, path: string, options: HashOptions = {}): Promise<number> {
  using file = await Deno.open(path, { read: true });
  // Two buffers: the next piece is read in another thread while this one hashes.
  const buffers = [new Uint8Array(FILE_CHUNK), new Uint8Array(FILE_CHUNK)];
  let bytes = 0;
  let next = file.read(buffers[0]!);
  for (let i = 0;; i++) {
    const read = await next;
    if (read === null) return bytes;
    options.signal?.throwIfAborted();
    next = file.read(buffers[(i + 1) % 2]!);
    hash.update(buffers[i % 2]!.subarray(0, read));
    bytes += read;
    options.onBytes?.(bytes);
  }
}

/** sha256 and size of a file, read in pieces; throws as `hashFile`. */
export async function digestFile(
  path: string,
  options: HashOptions = {},
): Promise<{ digest: Digest; size: number }> {
  const hash = nodeModule("node:crypto").createHash("sha256");
  const size = await hashFile(hash, path, options);
  return { digest: hash.digest("hex"), size };
}
