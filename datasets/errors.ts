/**
 * An error about a data set that a person can act on: what was wrong, where, what was expected, and,
 * in `hint`, what to do next.
 */
export class DataSetError extends Error {
  /** The class's name, for messages. */
  override readonly name: string;
  /** What to do next, for a line of its own under the message. */
  readonly hint: string | undefined;
  /** 2 when the call was wrong (an unknown name), 1 when the world was (a file, a server, a disk). */
  readonly exitCode: 1 | 2 = 1;

  /**
   * An error with a message for people.
   *
   * @param options `hint`: what to do next; `cause`: the error underneath.
   */
  constructor(message: string, options: { hint?: string; cause?: unknown } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = new.target.name;
    this.hint = options.hint;
  }
}

/** No data set, or no edition of one, has the name that was asked for. */
export class UnknownDataSet extends DataSetError {
  /** A wrong call. */
  override readonly exitCode = 2;
}

/** A registry entry that does not fit its schema. */
export class InvalidDataSet extends DataSetError {
  /** A wrong call. */
  override readonly exitCode = 2;
}

/** A known data set that lies in none of the places looked in. */
export class DataSetMissing extends DataSetError {
  /** Every folder that was looked in, in order. */
  readonly places: readonly string[];

  /**
   * An error for a data set that was looked for in vain.
   *
   * @param places every folder that was looked in, in order.
   */
  constructor(message: string, places: readonly string[], options: { hint?: string } = {}) {
    super(message, options);
    this.places = places;
  }
}

/** A file of a data set that has the wrong size or the wrong digest. */
export class DataSetDamaged extends DataSetError {
  /** Absolute path of the file, or the URL that sent it. */
  readonly file: string;
  /** What the registry says: a size in bytes or a sha256. */
  readonly expected: string;
  /** What was found there. */
  readonly found: string;

  /**
   * An error for a file that is not what it should be.
   *
   * @param facts which file, what was expected of it and what was found.
   */
  constructor(
    message: string,
    facts: { file: string; expected: string; found: string },
    options: { hint?: string } = {},
  ) {
    super(message, options);
    this.file = facts.file;
    this.expected = facts.expected;
    this.found = facts.found;
  }
}

/** A download that could not be completed. */
export class FetchError extends DataSetError {}

/** An archive that is damaged, unsafe, or not what the registry says it is. */
export class ArchiveError extends DataSetError {}

/** The message of anything that was thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message || error.name : String(error);
}

/**
 * What to throw for a fault of the disk while writing `path`: a full disk and a missing permission get
 * their own words, every other error is returned as it was.
 */
export function diskError(error: unknown, path: string, hint?: string): unknown {
  const code = (error as { code?: unknown } | null)?.code;
  const next = hint === undefined ? {} : { hint };
  if (code === "ENOSPC" || /os error (28|112)\b/.test(messageOf(error))) {
    return new DataSetError(`the disk is full: writing ${path} failed`, {
      hint: hint ?? "Free some space, then run the same command again.",
      cause: error,
    });
  }
  if (code === "EDQUOT" || /os error 122\b/.test(messageOf(error))) {
    return new DataSetError(`the disk quota is used up: writing ${path} failed`, { ...next, cause: error });
  }
  if (error instanceof Deno.errors.PermissionDenied || code === "EROFS") {
    return new DataSetError(`${path} cannot be written: ${messageOf(error)}`, {
      hint: "Choose a folder that you may write to, or change its permissions.",
      cause: error,
    });
  }
  if (error instanceof Deno.errors.NotCapable) {
    return new DataSetError(`this process may not write ${path}`, {
      hint: "Allow it with --allow-write=FOLDER, or choose a folder that it may write to.",
      cause: error,
    });
  }
  return error;
}
