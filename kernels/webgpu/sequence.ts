import { messageOf, RetortError } from "../../foundation/errors.ts";

/** What a {@link Sequence} needs of that which can be lost. */
export interface Losable {
  /** Why it was lost, once it is. */
  readonly lossReason: string | undefined;
  /** Results that a flush would fetch. */
  readonly waiting: number;
  /** Fetches all results that wait. */
  flush(): Promise<void>;
  /** Gives everything back. */
  close(): void;
}

/** One operation: hands work to the device and says where its result will be. */
export type Run<S, T> = (session: S) => Promise<Result<T>>;

/** A result that may come with a later flush. Boxed, as a promise in a promise would be waited for. */
export interface Result<T> {
  /** The result. */
  readonly value: Promise<T>;
}

/** A result that is there. */
export function ready<T>(value: T): Result<T> {
  return { value: Promise.resolve(value) };
}

interface Operation<S> {
  readonly run: Run<S, unknown>;
  /** Whether it changes what the device holds, so that it has to be repeated after a loss. */
  readonly changes: boolean;
  readonly resolve: (value: unknown) => void;
  readonly reject: (reason: unknown) => void;
  delivered: boolean;
  /** Resolved when the result has been delivered, or will not come from this session. */
  arrived: Promise<void>;
}

/** How a {@link Sequence} begins again. */
export interface Recovery<S> {
  /** Opens a new session in the state before the operations of the journal. */
  reopen(reason: string): Promise<S>;
  /** Results that may wait before they are fetched, while more work is queued. */
  readonly mostWaiting: number;
}

/** Attempts at a new device before the engine gives up. */
const ATTEMPTS = 2;

/**
 * Operations on a device, one after the other. Results are fetched when nothing more is queued, or when many wait.
 *
 * Operations since the last {@link Sequence.restart} are kept: when the device is lost they are repeated on a new one,
 * and results that had not arrived yet arrive from there.
 */
export class Sequence<S extends Losable> {
  #session: S;
  readonly #recovery: Recovery<S>;
  #queue: Operation<S>[] = [];
  #journal: Operation<S>[] = [];
  #working: Promise<void> | undefined;
  #failure: unknown;

  /** A sequence on `session`. */
  constructor(session: S, recovery: Recovery<S>) {
    this.#session = session;
    this.#recovery = recovery;
  }

  /** The session as it is now; another one after a loss. */
  get session(): S {
    return this.#session;
  }

  /** Operations that would be repeated after a loss. */
  get length(): number {
    return this.#journal.length;
  }

  /** Adds an operation. Rejections of one do not concern the others. */
  add<T>(run: Run<S, T>, changes: boolean): Promise<T> {
    const { promise, resolve, reject } = Promise.withResolvers<T>();
    if (this.#failure !== undefined) reject(this.#failure);
    else {
      this.#queue.push({
        run,
        changes,
        resolve: resolve as (value: unknown) => void,
        reject,
        delivered: false,
        arrived: Promise.resolve(),
      });
      this.#working ??= this.#work();
    }
    return promise;
  }

  /**
   * Forgets what was done so far: called by an operation when it knows how to come back to this point by itself.
   * Results that still wait are fetched first.
   */
  async restart(): Promise<void> {
    await this.#flush();
    // What has not arrived by now is the operation that is being done.
    this.#journal = this.#journal.filter(({ delivered }) => !delivered);
  }

  /** Ends the sequence after what is queued: operations that come later are refused with `reason`. */
  async close(reason: Error): Promise<void> {
    while (this.#working !== undefined) await this.#working;
    if (this.#failure === undefined) {
      this.#failure = reason;
      this.#session.close();
    }
  }

  async #work(): Promise<void> {
    // After the caller's code that is running now, which may add more.
    await Promise.resolve();
    for (let next = this.#queue.shift(); next !== undefined; next = this.#queue.shift()) {
      this.#journal.push(next);
      try {
        await this.#submit(next);
        if (this.#queue.length === 0 || this.#session.waiting >= this.#recovery.mostWaiting) {
          await this.#flush();
        }
      } catch (error) {
        await this.#handle(error);
      }
    }
    this.#working = undefined;
  }

  /** Runs an operation; one that refuses its arguments has failed alone, and changed nothing. */
  async #submit(operation: Operation<S>): Promise<void> {
    const session = this.#session;
    let result: Result<unknown>;
    try {
      result = await operation.run(session);
      if (session.lossReason !== undefined) throw new Error(session.lossReason);
    } catch (error) {
      await told();
      if (session.lossReason !== undefined) throw error;
      this.#journal = this.#journal.filter((other) => other !== operation);
      if (!operation.delivered) operation.reject(error);
      operation.delivered = true;
      return;
    }
    operation.arrived = result.value.then((value) => {
      if (session !== this.#session) return;
      if (!operation.changes) this.#journal = this.#journal.filter((other) => other !== operation);
      if (!operation.delivered) operation.resolve(value);
      operation.delivered = true;
    }, () => {});
  }

  async #flush(): Promise<void> {
    await this.#session.flush();
    await Promise.all(this.#journal.map(({ arrived }) => arrived));
    if (this.#session.lossReason !== undefined) throw new Error(this.#session.lossReason);
  }

  /** After an error of the device: a new device if it was lost, else all that waits has failed. */
  async #handle(error: unknown): Promise<void> {
    await told();
    if (this.#session.lossReason === undefined) {
      this.#journal = this.#journal.filter((operation) => {
        if (!operation.delivered) operation.reject(error);
        return operation.delivered && operation.changes;
      });
      return;
    }
    for (let attempt = 1;; attempt++) {
      const reason = this.#session.lossReason ?? messageOf(error);
      try {
        this.#session.close();
        this.#session = await this.#recovery.reopen(reason);
        for (const operation of [...this.#journal]) {
          await this.#submit(operation);
          if (this.#session.waiting >= this.#recovery.mostWaiting) await this.#flush();
        }
        await this.#flush();
        return;
      } catch (again) {
        await told();
        if (attempt < ATTEMPTS && this.#session.lossReason !== undefined) continue;
        this.#give(
          new RetortError(
            `the GPU was lost (${reason}) and the work on it could not go on: ${messageOf(again)}`,
            {
              cause: again,
              hint: "Run the same command again: it goes on from the last checkpoint.",
            },
          ),
        );
        return;
      }
    }
  }

  /** Fails all that waits and all that comes. */
  #give(failure: Error): void {
    this.#failure = failure;
    for (const operation of [...this.#journal, ...this.#queue]) {
      if (!operation.delivered) operation.reject(failure);
    }
    this.#journal = [];
    this.#queue = [];
    this.#session.close();
  }
}

/** After the runtime had the time to tell that the device is lost. */
function told(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve));
}
