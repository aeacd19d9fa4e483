import { type ErrorCode, type ErrorFacts, type ExitCode, RetortError } from "../foundation/errors.ts";

/** An error about a data set that a person can act on. */
export class DataSetError extends RetortError {}

/** No data set or edition has the requested name. */
export class UnknownDataSet extends DataSetError {
  /** A wrong call. */
  override readonly exitCode: ExitCode = 2;
}

/** A registry entry that does not fit its schema. */
export class InvalidDataSet extends DataSetError {
  /** A wrong call. */
  override readonly exitCode: ExitCode = 2;
}

/** A known data set that was found in none of the searched places. */
export class DataSetMissing extends DataSetError {
  /** Every folder searched, in order. */
  readonly places: readonly string[];

  /**
   * An error for a data set that was not found.
   *
   * @param places every folder searched, in order.
   */
  constructor(code: ErrorCode, message: string, places: readonly string[], facts: ErrorFacts = {}) {
    super(code, message, facts);
    this.places = places;
  }
}

/** A file of a data set that has the wrong size or the wrong digest. */
export class DataSetDamaged extends DataSetError {
  /** Absolute path of the file, or the URL that sent it. */
  readonly file: string;
  /** The registry's value: a size in bytes or a sha256. */
  readonly expected: string;
  /** The actual value. */
  readonly found: string;

  /**
   * An error for a file that differs from the registry.
   *
   * @param difference the file, the expected value and the actual one.
   */
  constructor(
    code: ErrorCode,
    message: string,
    difference: { file: string; expected: string; found: string },
    facts: ErrorFacts = {},
  ) {
    super(code, message, facts);
    this.file = difference.file;
    this.expected = difference.expected;
    this.found = difference.found;
  }
}

/** A download that could not be completed. */
export class FetchError extends DataSetError {}

/** An archive that is damaged, unsafe, or not what the registry says it is. */
export class ArchiveError extends DataSetError {}
