import { messageOf, RetortError } from "../../foundation/errors.ts";

const FILTERS = ["internal", "out-of-memory", "validation"] as const;

/** What a piece of work returned, and what the device had to say to it. */
export interface Watched<T> {
  /** What the work returned. */
  readonly value: T;
  /** The first of its errors of whatever kind, once the device has told; undefined when it took everything. */
  readonly problem: Promise<GPUError | Error | undefined>;
}

/**
 * Runs `body` and listens to what the device says to it. `body` must do all it does with the device before it returns:
 * scopes are a stack, and work of others must not come in between.
 */
export function watch<T>(device: GPUDevice, body: () => T): Watched<T> {
  for (const filter of FILTERS) device.pushErrorScope(filter);
  let thrown: unknown, value: T | undefined;
  try {
    value = body();
  } catch (error) {
    thrown = error ?? new Error("unknown");
  }
  // A device that does not say yes has not said yes.
  const said = FILTERS.map(() =>
    device.popErrorScope().then((problem) => problem ?? undefined, (error) => new Error(messageOf(error)))
  );
  const problem = Promise.all(said).then((problems) => problems.find((found) => found !== undefined));
  if (thrown !== undefined) throw thrown;
  return { value: value as T, problem };
}

/** {@link watch}, waited for. @throws {RetortError} with `what` and the words of the device, when it refuses */
export async function consented<T>(device: GPUDevice, what: string, body: () => T): Promise<T> {
  const { value, problem } = watch(device, body);
  const found = await problem;
  if (found !== undefined) throw new RetortError("gpu/refused", `${what}: ${found.message.trim()}`);
  return value;
}

/** The device refuses work: nothing that was computed from it on is to be trusted. */
export class RefusedError extends RetortError {
  constructor(words: string) {
    super("gpu/refused", `the device refuses work: ${words.trim()}`, {
      hint: "Smaller batches or a smaller model may do (option `memory`); else the driver is at fault.",
    });
  }
}

/** Whose work the device refused, and why. */
export interface Refusal {
  /** The first owner. */
  readonly owner: number;
  /** What that owner is told. */
  readonly error: Error;
}

/**
 * Accounts of the work that is handed to a device. Every error of the device is on somebody's account: that of the owner
 * for whom the work was handed over, or where the device does not say what it is about, of all that wait to hear.
 */
export class Consent {
  readonly #device: GPUDevice;
  readonly #refusals = new Map<number, Error>();
  readonly #waiting = new Set<number>();
  #asked: Promise<void>[] = [];
  #owner = 0;
  #handed = 0;

  /** Accounts of the work for `device`, until {@link Consent.close}. */
  constructor(device: GPUDevice) {
    this.#device = device;
    device.addEventListener("uncapturederror", this.#onError);
  }

  /** The owner of what is handed over now. Owners are numbers that grow with time. */
  get owner(): number {
    return this.#owner;
  }

  /** How often work was handed over. */
  get handed(): number {
    return this.#handed;
  }

  /** What is handed over from here on is on the account of `owner`. */
  begin(owner: number): void {
    this.#owner = owner;
  }

  /** Hands work over: all that `body` does with the device, before it returns. */
  hand<T>(body: () => T, owner: number = this.#owner): T {
    this.#handed++;
    this.#waiting.add(owner);
    const { value, problem } = watch(this.#device, body);
    this.#asked.push(problem.then((found) => {
      if (found !== undefined) this.refuse(owner, new RefusedError(found.message));
    }));
    return value;
  }

  /** Waits until the device has said something to all that was handed over. @returns the first refusal so far */
  async settled(): Promise<Refusal | undefined> {
    while (this.#asked.length > 0) await Promise.all(this.#asked.splice(0));
    this.#waiting.clear();
    if (this.#refusals.size === 0) return undefined;
    const owner = Math.min(...this.#refusals.keys());
    return { owner, error: this.#refusals.get(owner) as Error };
  }

  /** Puts an error on an account: the first one counts. */
  refuse(owner: number, error: Error): void {
    if (!this.#refusals.has(owner)) this.#refusals.set(owner, error);
  }

  /** Listens no more. */
  close(): void {
    this.#device.removeEventListener("uncapturederror", this.#onError);
  }

  readonly #onError = (event: Event): void => {
    const error = new RefusedError((event as GPUUncapturedErrorEvent).error.message);
    for (const owner of this.#waiting.size > 0 ? this.#waiting : [this.#owner]) this.refuse(owner, error);
  };
}
