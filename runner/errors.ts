import { codeOf, type ErrorCode, type ErrorFacts, RetortError } from "../foundation/errors.ts";

/** Stored bytes that are not what their digest says. The file has been set aside when this is thrown. */
export class DamagedError extends RetortError {
  /** Digests of the damaged objects. */
  readonly digests: readonly string[];
  constructor(code: ErrorCode, message: string, digests: readonly string[], facts: ErrorFacts = {}) {
    super(code, message, facts);
    this.digests = digests;
  }
}

/** The run is being stopped (Ctrl-C): thrown inside a stage after its checkpoint was written. */
export class InterruptedError extends RetortError {
  constructor(message = "interrupted") {
    super("run/interrupted", message);
  }
}

/** Whether anything thrown is a DamagedError; what does not even want to be looked at is none. */
export function isDamaged(error: unknown): error is DamagedError {
  try {
    return error instanceof DamagedError;
  } catch {
    return false;
  }
}

/** Whether anything thrown is about files, the store or data, and not about the value that was being read or written. */
export function isOfStore(error: unknown): boolean {
  return /^(file|store|data)\/|^artifact\/(file-name|missing-file)$/.test(codeOf(error) ?? "");
}
