import { CircuitError } from "./errors.ts";

/** Calls that take effect one after the other, in the order in which they were made, until the last one closes. */
export class Turns {
  readonly #what: string;
  #last: Promise<unknown> = Promise.resolve();
  #closed = false;

  /** Turns of something that messages call `what`. */
  constructor(what: string) {
    this.#what = what;
  }

  /** Runs a call when all before it are done. @throws {CircuitError} once the last turn was taken */
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

  /** Runs the last call; closing once more does nothing. */
  close(run: () => void | Promise<void>): Promise<void> {
    if (this.#closed) return this.#last.then(() => {});
    const result = this.take(run);
    this.#closed = true;
    return result;
  }
}
