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
    writeFile(temp, bytes, (file) => file.syncDataSync());
    try {
      Deno.renameSync(temp, path);
    } catch (error) {
      removeQuietly(temp);
      throw error;
    }
  });
}

/** Writes a new file, and removes it again where that fails. It is not synced unless `then` does so. */
export function writeFile(path: string, bytes: Uint8Array, then?: (file: Deno.FsFile) => void): void {
  try {
    using file = Deno.openSync(path, { write: true, createNew: true });
    for (let at = 0; at < bytes.length;) at += file.writeSync(bytes.subarray(at));
    then?.(file);
  } catch (error) {
    removeQuietly(path);
    throw error;
  }
}

/** Removes a file or folder if it exists; ignores errors, which surface when the path is needed. */
export function removeQuietly(path: string): void {
  try {
    Deno.removeSync(path, { recursive: true });
  } catch {
    // Not there, or not removable: nothing depends on its absence.
  }
}
