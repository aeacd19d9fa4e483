import { existsSync } from "node:fs";
import { CallError } from "../foundation/errors.ts";
import { guardedSync } from "../foundation/faults.ts";
import { liveStatus } from "./liveness.ts";
import type { RunRecord } from "./records/rows.ts";
import type { Store } from "./store/store.ts";

/** Milliseconds between looks. */
const LOOK = 500;

/**
 * Asks a run to stop as Ctrl-C does: its stages save their checkpoints and end. It hears of it within a second, on
 * whatever machine it goes on.
 *
 * @throws CallError when it is not running.
 */
export function cancelRun(store: Store, run: RunRecord): void {
  const status = liveStatus(store, run);
  if (status !== "running" && status !== "running or killed") {
    throw new CallError("run/not-running", `run ${run.id} is not running: it is ${status}`);
  }
  const path = cancelPath(store.runFolder(run.id));
  guardedSync("writing", path, () => Deno.writeTextFileSync(path, ""));
}

/** Looks whether somebody cancels a run, as long as it is not disposed of. */
export class CancelWatch implements Disposable {
  readonly #controller = new AbortController();
  readonly #timer: ReturnType<typeof setInterval>;

  /** @param folder the run's folder. */
  constructor(folder: string) {
    const path = cancelPath(folder);
    this.#timer = setInterval(() => {
      if (existsSync(path)) this.#controller.abort(new Error("cancelled"));
    }, LOOK);
  }

  /** Aborted when the run is cancelled. */
  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
  }
}

function cancelPath(folder: string): string {
  return `${folder}/cancel`;
}
