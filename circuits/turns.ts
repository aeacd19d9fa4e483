import { CircuitError } from "./errors.ts";

/** Runs calls one after the other, in call order, until the closing call. */
export class Turns {
  readonly #what: string;
  #last: Promise<unknown> = Promise.resolve();
  #closed = false;

  /** A queue of calls on something that messages name `what`. */
  constructor(what: string) {
    this.#what = what;
  }

  /** Runs a call when all earlier ones are done. @throws {CircuitError} once the last turn was taken */
  take<T>(run: () => T | Promise<T>): Promise<T> {
    if (this.#closed) {
      return Promise.reject(
        new CircuitError("engine/closed", `the ${this.#what} is closed`, {
          hint: "Open another one, or close it later.",
        }),
      );
    }
    const result = this.#last.then(run);
    this.#last = result.catch(() => {});
    return result;
  }

  /** Runs the last call; closing again does nothing. */
  close(run: () => void | Promise<void>): Promise<void> {
    if (this.#closed) return this.#last.then(() => {});
    const result = this.take(run);
    this.#closed = true;
    return result;
  }
}
