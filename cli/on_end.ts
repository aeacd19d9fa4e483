import { messageOf } from "../foundation/errors.ts";
import type { RunEvent } from "../runner/event.ts";
import type { RunStatus } from "../runner/records/rows.ts";
import type { RunSummary } from "../runner/run_summary.ts";
import { note } from "./output.ts";

/** What a command is told of a run that has ended. */
export interface EndedRun {
  readonly run: string;
  readonly status: RunStatus;
  readonly seconds: number;
  readonly ran: number;
  readonly failed: number;
}

/** How a run ended. */
export function endedRun({ run, status, seconds, nodes }: RunSummary): EndedRun {
  const count = (state: string) => nodes.filter((outcome) => outcome.state === state).length;
  return { run, status, seconds, ran: count("ran"), failed: count("failed") };
}

/** Follows a run, so that there is something to tell of one that ends by an error without a summary. */
export class RunWatch {
  readonly #began = performance.now();
  #run: string | undefined;
  #ran = 0;
  #failed = 0;

  /** Takes note of an event. */
  count(event: RunEvent): void {
    if (event.type === "run-start") this.#run = event.run;
    if (event.type === "node-done" && event.how === "ran") this.#ran++;
    if (event.type === "node-failed") this.#failed++;
  }

  /** The run that an error ended; undefined where none had begun. */
  broken(): EndedRun | undefined {
    if (this.#run === undefined) return undefined;
    const seconds = (performance.now() - this.#began) / 1000;
    return { run: this.#run, status: "failed", seconds, ran: this.#ran, failed: this.#failed };
  }
}

/**
 * Runs a user's command when a run has ended: it may tell somebody. What it does, and whether it works, changes nothing
 * about the run.
 *
 * @param command a line for the shell, which finds what happened in the variables RETORT_*.
 */
export async function runOnEnd(command: string, pipeline: string, ended: EndedRun): Promise<void> {
  const shell = Deno.build.os === "windows" ? ["cmd", "/c"] : ["sh", "-c"];
  try {
    const { code } = await new Deno.Command(shell[0]!, {
      args: [shell[1]!, command],
      env: {
        RETORT_RUN: ended.run,
        RETORT_PIPELINE: pipeline,
        RETORT_STATUS: ended.status,
        RETORT_SECONDS: ended.seconds.toFixed(1),
        RETORT_RAN: String(ended.ran),
        RETORT_FAILED: String(ended.failed),
      },
      stdin: "null",
      // Standard output is for the run's own results.
      stdout: "piped",
      stderr: "inherit",
    }).output().then(({ code, stdout }) => {
      if (stdout.length > 0) note(new TextDecoder().decode(stdout).trimEnd());
      return { code };
    });
    if (code !== 0) note(`--on-end: the command ended with ${code}: ${command}`);
  } catch (error) {
    note(`--on-end: the command could not be run: ${messageOf(error)}`);
  }
}
