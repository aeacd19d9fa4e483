import { messageOf, RetortError } from "./errors.ts";

/** What is done to a path only where its folder was there before. */
const LOST = ["writing", "making", "locking"];

/** A path that is not found where it was to be written: somebody has moved or removed its folder. */
function goneFault(error: unknown, doing: string, path: string): RetortError | undefined {
  if (!(error instanceof Deno.errors.NotFound) || !LOST.includes(doing)) return undefined;
  return new RetortError(
    "file/folder-gone",
    `${path} cannot be written: its folder is gone: ${messageOf(error)}`,
    {
      hint: "Was it moved or removed meanwhile? Run the same command again; what is there still is used.",
      cause: error,
    },
  );
}

/** Whether Deno refuses a system folder, whatever it is permitted to read and write. */
export function isWall(error: unknown): boolean {
  return error instanceof Deno.errors.NotCapable && /Requires all access/.test(messageOf(error));
}

/**
 * Converts a file system error to one that people can act on: a full disk, a used-up quota, a folder that cannot
 * be written, a permission that Deno was not given. Other errors stay as they are.
 *
 * @param doing what was being done to `path`: "writing", "making".
 */
export function fileFault(error: unknown, doing: string, path: string): unknown {
  if (error instanceof RetortError || !(error instanceof Error)) return error;
  const code = (error as { code?: string }).code ?? "";
  const text = messageOf(error);
  // The runtime gives some of these errors no code, and Windows its own number.
  const full = code === "ENOSPC" || /No space left|os error (28|112)\b/.test(text);
  if (full || code === "EDQUOT" || /quota|os error 122\b/.test(text)) {
    return new RetortError(
      "file/disk-full",
      `the disk ${full ? "is full" : "quota is used up"}: ${doing} ${path} failed`,
      {
        hint:
          "Free some space (`deno task gc` removes what no recent run needs), then run the same command again.",
        cause: error,
      },
    );
  }
  if (
    code === "EROFS" || /Read-only file system/.test(text) || error instanceof Deno.errors.PermissionDenied
  ) {
    const [done, able] = ["reading", "opening"].includes(doing)
      ? ["read", "readable"]
      : ["written", "writable"];
    return new RetortError("file/access", `${path} cannot be ${done}: ${doing} it failed: ${text}`, {
      hint:
        `Make it and its folder ${able}, or use another one: --store DIR for the store, RETORT_HOME for store and data.`,
      cause: error,
    });
  }
  if (isWall(error)) {
    // Deno keeps system folders for programs with every permission, the network's included, which stages never get.
    const into = /"(.+?)"/.exec(text)?.[1] ?? path;
    return new RetortError(
      "file/system-folder",
      `Deno opens /dev, /proc and /sys only to programs with all permissions: ${into}`,
      {
        exitCode: 2,
        hint:
          "Name another folder. One in memory: `mount -t tmpfs tmpfs DIR`, or a folder in $XDG_RUNTIME_DIR.",
        cause: error,
      },
    );
  }
  if (error instanceof Deno.errors.NotCapable) {
    return new RetortError("file/permission", `this process is not permitted: ${doing} ${path}: ${text}`, {
      hint: "The tasks in deno.json name the permissions that each needs; docs/permissions.md says what for.",
      cause: error,
    });
  }
  return error;
}

/** Runs `action` and converts its file system errors to readable ones. */
export async function guarded<T>(doing: string, path: string, action: () => Promise<T>): Promise<T> {
  try {
    return await action();
  } catch (error) {
    throw goneFault(error, doing, path) ?? fileFault(error, doing, path);
  }
}

/** Like `guarded`, for synchronous actions. */
export function guardedSync<T>(doing: string, path: string, action: () => T): T {
  try {
    return action();
  } catch (error) {
    throw goneFault(error, doing, path) ?? fileFault(error, doing, path);
  }
}
