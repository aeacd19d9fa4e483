import { guardedSync } from "./faults.ts";

let counter = 0;

/** A file name that no other process or call uses. */
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

/** Removes a file or a folder if it is there; other faults are left for whoever needs the place. */
export function removeQuietly(path: string): void {
  try {
    Deno.removeSync(path, { recursive: true });
  } catch {
    // Not there, or not removable: nothing depends on its absence.
  }
}
