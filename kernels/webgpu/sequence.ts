import { messageOf, RetortError } from "../../foundation/errors.ts";
import { hintAfterLoss } from "../hints.ts";
import type { Refusal } from "./consent.ts";

/** What a {@link Sequence} needs of that which can be lost. */
export interface Losable {
  /** Why it was lost, once it is. */
  readonly lossReason: string | undefined;
  /** Results that a flush would fetch. */
  readonly waiting: number;
  /** How often work was handed to the device. */
  readonly handed: number;
  /** What is handed over from here on is on the account of this operation. */
  begin(operation: number): void;
  /** Puts an error on the account of an operation. */
  refuse(operation: number, error: Error): void;
  /** Waits for what the device says to all that was handed over. @returns the first operation that it refused */
  settled(): Promise<Refusal | undefined>;
  /** {@link settled}, and fetches all results that wait: those of operations before the one that was refused. */
  flush(): Promise<Refusal | undefined>;
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
  /** Operations are numbered in their order. */
  readonly number: number;
  readonly run: Run<S, unknown>;
  /** Whether it changes what the device holds, so that it has to be repeated after a loss. */
  readonly changes: boolean;
  readonly resolve: (value: unknown) => void;
  readonly reject: (reason: unknown) => void;
  delivered: boolean;
  /** What the session of now will deliver; undefined before it was run there. */
  result: Result<unknown> | undefined;
}

/** How a {@link Sequence} begins again. */
export interface Recovery<S> {
  /** Opens a new session in the state before the operations of the journal; `reason` is why the device was lost, if it was. */
  reopen(reason: string | undefined): Promise<S>;
  /** Results that may wait before they are fetched, while more work is queued. */
  readonly mostWaiting: number;
}

/** Attempts at a new session, without an operation less to be done, before the engine gives up. */
const ATTEMPTS = 2;

/**
 * Operations on a device, one after the other. Results are fetched when nothing more is queued, or when many wait, and
 * delivered once the device has taken all the work of the operation and of those before it.
 *
 * Operations since the last {@link Sequence.restart} are kept: when the device is lost they are repeated on a new one,
 * and results that had not arrived yet arrive from there. When it refuses an operation, that one fails, and
 * everything after the last restart is repeated without it: what the device then holds is as if it had never been.
 */
export class Sequence<S extends Losable> {
  #session: S;
  readonly #recovery: Recovery<S>;
  #queue: Operation<S>[] = [];
  #journal: Operation<S>[] = [];
  #working: Promise<void> | undefined;
  #failure: unknown;
  #count = 0;

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
   * Forgets what was done so far: called by an operation when it knows how to come back to this point by itself.
   * Results that still wait are fetched first.
   */
  async restart(): Promise<void> {
    await this.#flush();
    // What has not been delivered by now is the operation that is being done.
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

  /** Runs an operation; one that refuses its arguments has failed alone, and changed nothing. */
  async #run(operation: Operation<S>): Promise<void> {
    const session = this.#session, { number } = operation;
    session.begin(number);
    const before = session.handed;
    try {
      operation.result = await operation.run(session);
      // It is waited for when it is delivered; what was refused or lost never is.
      operation.result.value.catch(() => {});
    } catch (error) {
      await told();
      if (session.lossReason !== undefined || await session.settled() !== undefined) throw error;
      if (session.handed > before) {
        // Half of it may be done.
        session.refuse(number, error as Error);
        throw error;
      }
      this.#fail(operation, error);
      return;
    }
    if (session.lossReason !== undefined) throw new Error(session.lossReason);
  }

  /** Delivers what there is. @throws when the device was lost, or refused something */
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

  /** After an error: a new session, on another device if this one was lost, in the state of all that is in the journal. */
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

  /** Fails all that waits and all that comes. */
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

/** After the runtime had the time to tell that the device is lost. */
function told(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve));
}
