import { createHash } from "node:crypto";
import type { Digest } from "../canonical.ts";

/** Bytes written or read at a time. */
export const CHUNK = 1 << 20;

/** What changes when a file's bytes may have changed: device, inode, size, times. Undefined when it is missing. */
export function fileIdentity(path: string): string | undefined {
  try {
    const stat = Deno.statSync(path);
    return [stat.dev, stat.ino, stat.size, stat.mtime?.getTime(), stat.ctime?.getTime()].join(":");
  } catch {
    return undefined;
  }
}

/** sha256 and size of a file, read in pieces. */
export async function digestFile(path: string): Promise<{ digest: Digest; size: number }> {
  const hash = createHash("sha256");
  using file = await Deno.open(path, { read: true });
  // Two buffers: the next piece is read in another thread while this one hashes.
  const buffers = [new Uint8Array(CHUNK), new Uint8Array(CHUNK)];
  let size = 0;
  let next = file.read(buffers[0]!);
  for (let i = 0;; i++) {
    const read = await next;
    if (read === null) break;
    next = file.read(buffers[(i + 1) % 2]!);
    hash.update(buffers[i % 2]!.subarray(0, read));
    size += read;
  }
  return { digest: hash.digest("hex"), size };
}
