import { diskError } from "./errors.ts";

/**
 * Holds a file's lock until it is disposed of, waiting for whoever has it. The operating system drops
 * the lock when the process ends, however it ends; the file itself stays.
 *
 * @param path the lock's file; made if missing. Its folder must exist.
 * @param options `onWait`: called once when another holder is waited for.
 * @throws the signal's reason when aborted while waiting.
 */
export async function holdLock(
  path: string,
  options: { signal?: AbortSignal; onWait?: () => void } = {},
): Promise<Disposable> {
  let file: Deno.FsFile;
  try {
    file = await Deno.open(path, { read: true, write: true, create: true });
  } catch (error) {
    throw diskError(error, path);
  }
  try {
    // Asked again and again: a lock that is waited for in the system cannot be given up on Ctrl-C.
    for (let wait = 10; !(await file.tryLock(true)); wait = Math.min(wait * 1.5, 250)) {
      if (wait === 10) options.onWait?.();
      options.signal?.throwIfAborted();
      await new Promise((resolve) => setTimeout(resolve, wait));
    }
    options.signal?.throwIfAborted();
  } catch (error) {
    file.close();
    throw error;
  }
  return { [Symbol.dispose]: () => file.close() };
}
