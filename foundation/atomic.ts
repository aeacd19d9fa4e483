import { guardedSync } from "./faults.ts";

let counter = 0;

/** A unique file name. */
export function uniqueName(): string {
  return `${Deno.pid}-${(counter++).toString(36)}-${crypto.randomUUID().slice(0, 8)}`;
}

/**
 * Writes a whole small file: temp file, fsync, rename. A reader sees the old file or the new one.
 *
 * @param folder where the temp file lies meanwhile; on the same file system as `path`.
 * @throws RetortError when the disk is full or the file cannot be written.
 */
export function writeFileAtomic(folder: string, path: string, bytes: Uint8Array): void {
  guardedSync("writing", path, () => {
    const temp = `${folder}/${uniqueName()}`;
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

/** Removes a file or folder if it exists; ignores errors, which surface when the path is needed. */
export function removeQuietly(path: string): void {
  try {
    Deno.removeSync(path, { recursive: true });
  } catch {
    // Not there, or not removable: nothing depends on its absence.
  }
}
