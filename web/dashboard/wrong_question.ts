import { CallError, type ErrorCode, type ErrorFacts } from "../../foundation/errors.ts";

/** What was asked does not fit: a number that is none, too many runs to compare, a sentence too long for a model. */
export class WrongQuestion extends CallError {
  /** Status of the answer: 400 for a question that cannot be read, 422 for one that does not fit what it is about. */
  readonly status: 400 | 422;

  constructor(code: ErrorCode, message: string, facts: ErrorFacts & { readonly status?: 400 | 422 } = {}) {
    super(code, message, facts);
    this.status = facts.status ?? 400;
  }
}
