import { guarded } from "../../foundation/faults.ts";

/** Number of files that are synced concurrently. */
export const SYNCS = 8;

/** From this many files on, syncing the file system once is faster than syncing each. */
const MANY = 32;

/**
 * Syncs files that were written to a folder: each, or all of the file system at once if there are many.
 *
 * @throws RetortError when the disk is full or one of them cannot be written.
 */
export async function syncFiles(folder: string, paths: readonly string[]): Promise<void> {
  if (paths.length >= MANY && await syncFileSystem(folder)) return;
  const left = paths.values();
  await Promise.all(Array.from({ length: SYNCS }, async () => {
    for (const path of left) {
      await guarded("writing", path, async () => {
        using file = await Deno.open(path, { read: true, write: true });
        await file.syncData();
      });
    }
  }));
}

/**
 * Syncs all of the file system that a folder lies on, by the program that is there for it on Linux.
 *
 * @returns false where that did not work: then every file has to be synced by itself.
 */
async function syncFileSystem(folder: string): Promise<boolean> {
  if (Deno.build.os !== "linux") return false;
  try {
    const command = new Deno.Command("sync", {
      args: ["-f", folder],
      stdin: "null",
      stdout: "null",
      stderr: "null",
    });
    return (await command.output()).success;
  } catch {
    return false; // There is no such program, or it is not permitted.
  }
}
