import { CallError, type ErrorCode, type ErrorFacts } from "../../foundation/errors.ts";

/** A request that makes no sense: an invalid number, too many runs to compare, a sentence too long for a model. */
export class WrongQuestion extends CallError {
  /** HTTP status: 400 for an unreadable question, 422 for one that does not fit its subject. */
  readonly status: 400 | 422;

  constructor(code: ErrorCode, message: string, facts: ErrorFacts & { readonly status?: 400 | 422 } = {}) {
    super(code, message, facts);
    this.status = facts.status ?? 400;
  }
}
