import { messageOf } from "../foundation/errors.ts";
import type { RunSummary } from "../runner/run_summary.ts";
import { note } from "./output.ts";

/**
 * Runs a user's command when a run has ended: it may tell somebody. What it does, and whether it works, changes nothing
 * about the run.
 *
 * @param command a line for the shell, which finds what happened in the variables RETORT_*.
 */
export async function runOnEnd(command: string, pipeline: string, summary: RunSummary): Promise<void> {
  const shell = Deno.build.os === "windows" ? ["cmd", "/c"] : ["sh", "-c"];
  const count = (state: string) => String(summary.nodes.filter((outcome) => outcome.state === state).length);
  try {
    const { code } = await new Deno.Command(shell[0]!, {
      args: [shell[1]!, command],
      env: {
        RETORT_RUN: summary.run,
        RETORT_PIPELINE: pipeline,
        RETORT_STATUS: summary.status,
        RETORT_SECONDS: summary.seconds.toFixed(1),
        RETORT_RAN: count("ran"),
        RETORT_FAILED: count("failed"),
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
