import { AsyncLocalStorage } from "node:async_hooks";
import { CallError, messageOf, RetortError } from "../../foundation/errors.ts";

interface Job {
  fault: unknown;
  strayed: boolean;
  reject(error: unknown): void;
}

/** The job that the running code belongs to, also in timers and after the job's end. */
const owner = new AsyncLocalStorage<Job>();

/** The job running in this process. */
let atWork: Job | undefined;

/** Errors of calls that would have ended the process, which were told when they were made. */
const exits = new WeakSet<Error>();

/** What ends this process or thread: `Deno.exit`, which `process.exit` calls, and `close`. */
const scope = globalThis as unknown as { close(): void };
let guarded = false;

/**
 * From the first job on, a call that would end the process, or the thread that executes jobs, is the failure of the job
 * that makes it. It stays so: what a stage has left behind must not end the process with an exit code of its own either.
 */
function guardExit(): void {
  if (guarded) return;
  guarded = true;
  Deno.exit = failing("Deno.exit", Deno.exit) as typeof Deno.exit;
  scope.close = failing("close", scope.close.bind(globalThis));
}

function failing(name: string, end: (code?: number) => void): (code?: number) => void {
  return (code) => {
    const by = owner.getStore() ?? atWork;
    if (by === undefined) return end(code);
    if (by !== atWork) return; // That job has already ended.
    const error = new CallError("stage/exit", `${name}(${code ?? ""}) was called`, {
      hint:
        "Neither a stage nor a pipeline may end the process: return what is wanted, or throw what keeps it from that.",
    });
    exits.add(error);
    stray(by, error);
    throw error;
  };
}

function stray(job: Job, error: unknown): void {
  if (!job.strayed) job.fault = error;
  job.strayed = true;
  job.reject(error);
}

/**
 * Runs user code and fails as soon as it causes an uncaught error, even if the code itself continues: an unhandled
 * rejection, an error in a timer (both only while a `Strays` listens), or a call of `Deno.exit`. The work calls
 * `check` before using its result; it throws the same error, even if the code caught it.
 */
export async function withStrays<T>(work: (check: () => void) => Promise<T>): Promise<T> {
  guardExit();
  const { promise, reject } = Promise.withResolvers<never>();
  promise.catch(() => {}); // The work may have ended already.
  const job: Job = { fault: undefined, strayed: false, reject };
  const check = () => {
    if (job.strayed) throw job.fault;
  };
  atWork = job;
  try {
    const value = await Promise.race([owner.run(job, () => work(check)), promise]);
    check();
    return value;
  } finally {
    if (atWork === job) atWork = undefined;
  }
}

/** An error that nobody caught; its cause is that error. */
export class StrayError extends RetortError {}

/**
 * Listens for uncaught errors, and for an empty event loop while a promise is awaited. Both fail the running job;
 * without one, errors are only logged.
 */
export class Strays implements Disposable {
  readonly #late: (text: string) => void;

  /** @param late is told what happens while no job is at work. */
  constructor(late: (text: string) => void) {
    this.#late = late;
    globalThis.addEventListener("unhandledrejection", this.#onRejection);
    globalThis.addEventListener("error", this.#onError);
    globalThis.addEventListener("beforeunload", this.#onIdle);
  }

  [Symbol.dispose](): void {
    globalThis.removeEventListener("unhandledrejection", this.#onRejection);
    globalThis.removeEventListener("error", this.#onError);
    globalThis.removeEventListener("beforeunload", this.#onIdle);
  }

  readonly #onRejection = (event: PromiseRejectionEvent) => {
    event.preventDefault();
    this.#found("a promise that nobody waits for was rejected", event.reason);
  };

  readonly #onError = (event: ErrorEvent) => {
    event.preventDefault();
    this.#found("an error was thrown where nobody catches it", event.error);
  };

  /** The event loop is empty but the job has not ended: it awaits a promise that will never settle. */
  readonly #onIdle = (event: Event) => {
    if (atWork === undefined) return;
    event.preventDefault();
    stray(
      atWork,
      new CallError(
        "stage/stuck",
        "it awaits a promise that never settles: nothing is left to do that could settle it",
        {
          hint:
            "Look for a `new Promise` whose `resolve` is not called, or a stream or worker that has ended before.",
        },
      ),
    );
  };

  #found(how: string, error: unknown): void {
    if (typeof error === "object" && error !== null && exits.has(error as Error)) return;
    if (atWork === undefined) this.#late(`warning: after the end of the stage ${how}: ${messageOf(error)}`);
    else stray(atWork, new StrayError("stage/uncaught", `${how}: ${messageOf(error)}`, { cause: error }));
  }
}
