import { messageOf, RetortError } from "../../foundation/errors.ts";

const FILTERS = ["internal", "out-of-memory", "validation"] as const;

/** Result of a piece of work, and the device's response to it. */
export interface Watched<T> {
  /** What the work returned. */
  readonly value: T;
  /** The first error of any kind, once the device has reported; undefined if it accepted everything. */
  readonly problem: Promise<GPUError | Error | undefined>;
}

/**
 * Runs `body` and collects the device's errors from it. `body` must make all its device calls before it returns: error
 * scopes are a stack, so other work must not come in between.
 */
export function watch<T>(device: GPUDevice, body: () => T): Watched<T> {
  for (const filter of FILTERS) device.pushErrorScope(filter);
  let thrown: unknown, value: T | undefined;
  try {
    value = body();
  } catch (error) {
    thrown = error ?? new Error("unknown");
  }
  // No response from the device is not acceptance.
  const said = FILTERS.map(() =>
    device.popErrorScope().then((problem) => problem ?? undefined, (error) => new Error(messageOf(error)))
  );
  const problem = Promise.all(said).then((problems) => problems.find((found) => found !== undefined));
  if (thrown !== undefined) throw thrown;
  return { value: value as T, problem };
}

/** {@link watch}, awaited. @throws {RetortError} with `what` and the words of the device, when it refuses */
export async function consented<T>(device: GPUDevice, what: string, body: () => T): Promise<T> {
  const { value, problem } = watch(device, body);
  const found = await problem;
  if (found !== undefined) throw new RetortError("gpu/refused", `${what}: ${found.message.trim()}`);
  return value;
}

/** The device refused work: nothing computed from it can be trusted. */
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
  /** The error that the owner receives. */
  readonly error: Error;
}

/**
 * Attributes device errors to the owner of the work that was submitted: each error goes to the owner for whom the work
 * was submitted or, where the device does not say what it concerns, to all owners still waiting.
 */
export class Consent {
  readonly #device: GPUDevice;
  readonly #refusals = new Map<number, Error>();
  readonly #waiting = new Set<number>();
  #asked: Promise<void>[] = [];
  #owner = 0;
  #handed = 0;

  /** Watches the work for `device`, until {@link Consent.close}. */
  constructor(device: GPUDevice) {
    this.#device = device;
    device.addEventListener("uncapturederror", this.#onError);
  }

  /** The owner of work submitted now. Owners are increasing numbers. */
  get owner(): number {
    return this.#owner;
  }

  /** How often work was submitted. */
  get handed(): number {
    return this.#handed;
  }

  /** Attributes work submitted from now on to `owner`. */
  begin(owner: number): void {
    this.#owner = owner;
  }

  /** Submits work: everything that `body` does with the device before it returns. */
  hand<T>(body: () => T, owner: number = this.#owner): T {
    this.#handed++;
    this.#waiting.add(owner);
    const { value, problem } = watch(this.#device, body);
    this.#asked.push(problem.then((found) => {
      if (found !== undefined) this.refuse(owner, new RefusedError(found.message));
    }));
    return value;
  }

  /** Waits until the device has responded to all submitted work. @returns the first refusal so far */
  async settled(): Promise<Refusal | undefined> {
    while (this.#asked.length > 0) await Promise.all(this.#asked.splice(0));
    this.#waiting.clear();
    if (this.#refusals.size === 0) return undefined;
    const owner = Math.min(...this.#refusals.keys());
    return { owner, error: this.#refusals.get(owner) as Error };
  }

  /** Records an error for an owner; the first one counts. */
  refuse(owner: number, error: Error): void {
    if (!this.#refusals.has(owner)) this.#refusals.set(owner, error);
  }

  /** Stops listening. */
  close(): void {
    this.#device.removeEventListener("uncapturederror", this.#onError);
  }

  readonly #onError = (event: Event): void => {
    const error = new RefusedError((event as GPUUncapturedErrorEvent).error.message);
    for (const owner of this.#waiting.size > 0 ? this.#waiting : [this.#owner]) this.refuse(owner, error);
  };
}
