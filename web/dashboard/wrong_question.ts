import { CallError } from "../../foundation/errors.ts";

/** What was asked does not fit: a number that is none, too many runs to compare, a sentence too long for a model. */
export class WrongQuestion extends CallError {
  /** Status of the answer: 400 for a question that cannot be read, 422 for one that does not fit what it is about. */
  readonly status: 400 | 422;

  constructor(message: string, options: { hint?: string; cause?: unknown; status?: 400 | 422 } = {}) {
    super(message, options);
    this.status = options.status ?? 400;
  }
}
