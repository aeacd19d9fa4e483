import { messageOf, RetortError } from "../errors.ts";

/** An error of the file system as one that a person can act on; other errors stay as they are. */
export function storeFault(error: unknown, doing: string, path: string): unknown {
  if (error instanceof RetortError || !(error instanceof Error)) return error;
  const code = (error as { code?: string }).code ?? "";
  const text = messageOf(error);
  if (code === "ENOSPC" || text.includes("No space left") || code === "EDQUOT" || text.includes("quota")) {
    return new RetortError(`the disk is full: ${doing} ${path} failed`, {
      hint:
        "Free some space (`deno task gc` drops what no recent run needs) or use another --store; then run again.",
      cause: error,
    });
  }
  if (
    code === "EROFS" || text.includes("Read-only file system") ||
    error instanceof Deno.errors.PermissionDenied
  ) {
    return new RetortError(`the store cannot be written: ${doing} ${path}: ${text}`, {
      hint: "Make the folder writable or use another --store.",
      cause: error,
    });
  }
  if (error instanceof Deno.errors.NotCapable) {
    return new RetortError(`Deno was not allowed to: ${doing} ${path}: ${text}`, {
      hint: "The tasks in deno.json name the permissions that each needs; docs/permissions.md says what for.",
      cause: error,
    });
  }
  return error;
}

/** Runs `action`; turns its file system errors into errors for people. */
export async function guarded<T>(doing: string, path: string, action: () => Promise<T>): Promise<T> {
  try {
    return await action();
  } catch (error) {
    throw storeFault(error, doing, path);
  }
}

/** As `guarded`, for synchronous actions. */
export function guardedSync<T>(doing: string, path: string, action: () => T): T {
  try {
    return action();
  } catch (error) {
    throw storeFault(error, doing, path);
  }
}
