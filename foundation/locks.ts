import { guardedSync } from "./faults.ts";

/** A lock that the operating system releases when its process ends, however it ends. */
export interface Lock extends Disposable {
  release(): void;
}

/**
 * Takes a lock if it is free.
 *
 * @param path the lock's file; made if missing, never removed.
 * @param mode shared locks exclude exclusive ones only.
 * @returns undefined when another holder has it.
 */
export function tryLock(path: string, mode: "exclusive" | "shared" = "exclusive"): Lock | undefined {
  return guardedSync("locking", path, () => {
    const file = open(path, mode);
    if (file === undefined) return { release() {}, [Symbol.dispose]() {} };
    try {
      if (!file.tryLockSync(mode === "exclusive")) {
        file.close();
        return undefined;
      }
    } catch (error) {
      file.close();
      throw error;
    }
    let held = true;
    const release = () => {
      if (!held) return;
      held = false;
      // Closing releases the lock too, but not while a program being started still shares the open file.
      file.unlockSync();
      file.close();
    };
    return { release, [Symbol.dispose]: release };
  });
}

/** On a read-only store, reading the lock's file suffices, and without one no lock is needed. */
function open(path: string, mode: "exclusive" | "shared"): Deno.FsFile | undefined {
  try {
    return Deno.openSync(path, { read: true, write: true, create: true });
  } catch (error) {
    const refused = (error as { code?: string }).code === "EROFS" ||
      error instanceof Deno.errors.PermissionDenied;
    if (mode === "exclusive" || !refused) throw error;
    try {
      return Deno.openSync(path, { read: true });
    } catch {
      return undefined;
    }
  }
}

/**
 * Takes a lock, waiting for its holder.
 *
 * @param onWait called once when it is not free at once.
 * @throws the signal's reason when aborted while waiting.
 */
export async function lock(
  path: string,
  options: { mode?: "exclusive" | "shared"; signal?: AbortSignal; onWait?: () => void } = {},
): Promise<Lock> {
  for (let wait = 10;; wait = Math.min(wait * 1.5, 250)) {
    options.signal?.throwIfAborted();
    const taken = tryLock(path, options.mode);
    if (taken !== undefined) return taken;
    if (wait === 10) options.onWait?.();
    await new Promise((resolve) => setTimeout(resolve, wait));
  }
}
