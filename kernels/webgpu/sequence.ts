import { messageOf, RetortError } from "../../foundation/errors.ts";
import { hintAfterLoss } from "../hints.ts";
import type { Refusal } from "./consent.ts";

/** The interface of a {@link Sequence} to a session that may be lost. */
export interface Losable {
  /** Reason of the loss, once it has occurred. */
  readonly lossReason: string | undefined;
  /** Number of results that a flush would fetch. */
  readonly waiting: number;
  /** How often work was submitted to the device. */
  readonly handed: number;
  /** Attributes work submitted from now on to this operation. */
  begin(operation: number): void;
  /** Records an error for an operation. */
  refuse(operation: number, error: Error): void;
  /** Waits for the device's response to all submitted work. @returns the first operation that it refused */
  settled(): Promise<Refusal | undefined>;
  /** {@link settled}, then fetches all pending results of operations before the refused one. */
  flush(): Promise<Refusal | undefined>;
  /** Releases everything. */
  close(): void;
}

/** One operation: submits work to the device and returns a handle to its result. */
export type Run<S, T> = (session: S) => Promise<Result<T>>;

/** A result that may arrive with a later flush. Boxed, because a promise nested in a promise would be awaited. */
export interface Result<T> {
  /** The result. */
  readonly value: Promise<T>;
}

/** Wraps a result that is available. */
export function ready<T>(value: T): Result<T> {
  return { value: Promise.resolve(value) };
}

interface Operation<S> {
  /** Sequence number of the operation. */
  readonly number: number;
  readonly run: Run<S, unknown>;
  /** Whether it changes the device's state, and so must be repeated after a loss. */
  readonly changes: boolean;
  readonly resolve: (value: unknown) => void;
  readonly reject: (reason: unknown) => void;
  delivered: boolean;
  /** The result from the current session; undefined before it was run there. */
  result: Result<unknown> | undefined;
}

/** How a {@link Sequence} recovers. */
export interface Recovery<S> {
  /**
   * Opens a new session in the state before the operations of the journal; `reason` is the reason of the device loss,
   * if any.
   */
  reopen(reason: string | undefined): Promise<S>;
  /** Maximum pending results before they are fetched while more work is queued. */
  readonly mostWaiting: number;
}

/** Attempts to recover without progress before the engine gives up. */
const ATTEMPTS = 2;

/**
 * Executes operations on a device in order. Results are fetched when nothing more is queued, or when many are pending,
 * and delivered once the device has accepted all the work of the operation and of those before it.
 *
 * Operations since the last {@link Sequence.restart} are kept in a journal: when the device is lost they are repeated
 * on a new one, which delivers the results still outstanding. When the device refuses an operation, that operation
 * fails, and everything else since the last restart is repeated without it, as if it had never been submitted.
 */
export class Sequence<S extends Losable> {
  #session: S;
  readonly #recovery: Recovery<S>;
  #queue: Operation<S>[] = [];
  #journal: Operation<S>[] = [];
  #working: Promise<void> | undefined;
  #failure: unknown;
  #count = 0;

  /** Starts a sequence on `session`. */
  constructor(session: S, recovery: Recovery<S>) {
    this.#session = session;
    this.#recovery = recovery;
  }

  /** The current session; replaced after a loss. */
  get session(): S {
    return this.#session;
  }

  /** Number of operations that would be repeated after a loss. */
  get length(): number {
    return this.#journal.length;
  }

  /** Adds an operation. If it fails, the others are not affected. */
  add<T>(run: Run<S, T>, changes: boolean): Promise<T> {
    const { promise, resolve, reject } = Promise.withResolvers<T>();
    if (this.#failure !== undefined) reject(this.#failure);
    else {
      this.#queue.push({
        number: ++this.#count,
        run,
        changes,
        resolve: resolve as (value: unknown) => void,
        reject,
        delivered: false,
        result: undefined,
      });
      this.#working ??= this.#work();
    }
    return promise;
  }

  /**
   * Clears the journal; called by an operation that can restore the current state by itself. Pending results are
   * fetched first.
   */
  async restart(): Promise<void> {
    await this.#flush();
    // What remains undelivered is the current operation.
    this.#journal = this.#journal.filter(({ delivered }) => !delivered);
  }

  /** Ends the sequence after the queued operations; later ones are refused with `reason`. */
  async close(reason: Error): Promise<void> {
    while (this.#working !== undefined) await this.#working;
    if (this.#failure === undefined) {
      this.#failure = reason;
      this.#session.close();
    }
  }

  async #work(): Promise<void> {
    // Lets the caller's current code finish first; it may add more.
    await Promise.resolve();
    for (let next = this.#queue.shift(); next !== undefined; next = this.#queue.shift()) {
      this.#journal.push(next);
      try {
        await this.#run(next);
        if (this.#queue.length === 0 || this.#session.waiting >= this.#recovery.mostWaiting) {
          await this.#flush();
        }
      } catch (error) {
        await this.#recover(error);
      }
    }
    this.#working = undefined;
  }

  /** Runs an operation; if it rejects its arguments, it alone has failed and nothing has changed. */
  async #run(operation: Operation<S>): Promise<void> {
    const session = this.#session, { number } = operation;
    session.begin(number);
    const before = session.handed;
    try {
      operation.result = await operation.run(session);
      // The promise is awaited on delivery; refused or lost results are never awaited.
      operation.result.value.catch(() => {});
    } catch (error) {
      await told();
      if (session.lossReason !== undefined || await session.settled() !== undefined) throw error;
      if (session.handed > before) {
        // The operation may have been partly executed.
        session.refuse(number, error as Error);
        throw error;
      }
      this.#fail(operation, error);
      return;
    }
    if (session.lossReason !== undefined) throw new Error(session.lossReason);
  }

  /** Delivers available results. @throws when the device was lost, or refused something */
  async #flush(): Promise<void> {
    const session = this.#session;
    const refusal = await session.flush();
    if (session.lossReason !== undefined) throw new Error(session.lossReason);
    for (const operation of this.#journal) {
      if (operation.delivered || operation.result === undefined) continue;
      if (refusal !== undefined && operation.number >= refusal.owner) break;
      const value = await operation.result.value;
      operation.resolve(value);
      operation.delivered = true;
    }
    this.#journal = this.#journal.filter(({ delivered, changes }) => changes || !delivered);
    if (refusal !== undefined) throw refusal.error;
  }

  #fail(operation: Operation<S>, error: unknown): void {
    this.#journal = this.#journal.filter((other) => other !== operation);
    if (!operation.delivered) operation.reject(error);
    operation.delivered = true;
  }

  /** Recovers from an error: opens a new session, on another device after a loss, and replays the journal. */
  async #recover(error: unknown): Promise<void> {
    for (let attempt = 1;;) {
      await told();
      const reason = this.#session.lossReason;
      const refusal = reason === undefined ? await this.#session.settled() : undefined;
      const refused = this.#journal.find(({ number, delivered }) => number === refusal?.owner && !delivered);
      if (refused !== undefined) this.#fail(refused, refusal?.error);
      else if (attempt++ > ATTEMPTS || (reason === undefined && refusal === undefined)) {
        this.#give(reason ?? messageOf(refusal?.error ?? error), error);
        return;
      }
      try {
        this.#session.close();
        for (const operation of this.#journal) operation.result = undefined;
        this.#session = await this.#recovery.reopen(reason);
        for (const operation of [...this.#journal]) {
          await this.#run(operation);
          if (this.#session.waiting >= this.#recovery.mostWaiting) await this.#flush();
        }
        await this.#flush();
        return;
      } catch (again) {
        error = again;
      }
    }
  }

  /** Fails all pending and future operations. */
  #give(reason: string, cause: unknown): void {
    const failure = this.#session.lossReason === undefined
      ? new RetortError("gpu/failed", `the work on the GPU failed: ${messageOf(cause)}`, { cause })
      : new RetortError(
        "gpu/lost",
        `the GPU was lost (${reason}) and its work could not be resumed: ${messageOf(cause)}`,
        {
          cause,
          hint: hintAfterLoss(),
        },
      );
    this.#failure = failure;
    for (const operation of [...this.#journal, ...this.#queue]) {
      if (!operation.delivered) operation.reject(failure);
    }
    this.#journal = [];
    this.#queue = [];
    this.#session.close();
  }
}

/** Gives the runtime time to report a device loss. */
function told(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve));
}
