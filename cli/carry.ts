import { RetortError } from "../foundation/errors.ts";
import type { Carried, CarryOptions } from "../runner/store/remote/runs.ts";
import { exit } from "./exit.ts";
import { onInterrupt } from "./interrupt.ts";
import { bytesText, clean, note } from "./output.ts";

/** Seconds between lines of progress. */
const EVERY = 10;

/** Carries a run between stores until it is there or Ctrl-C is pressed; says now and then how far it is. */
export async function carrying(carry: (options: CarryOptions) => Promise<Carried>): Promise<Carried> {
  const stop = new AbortController();
  onInterrupt(() => {
    note("stopping; the same command goes on from here");
    stop.abort(new RetortError("run/interrupted", "interrupted"));
  }, () => exit(130));
  let told = performance.now();
  try {
    return await carry({
      signal: stop.signal,
      onResult(done, of) {
        if (performance.now() - told < EVERY * 1000) return;
        told = performance.now();
        note(`${done} of ${of} results`);
      },
    });
  } catch (error) {
    if (stop.signal.aborted) exit(130);
    throw error;
  }
}

/** What was carried, in a line or two. */
export function carriedText({ run, results, there, bytes, lost }: Carried): string {
  const line = `${run}: ${results} results (${bytesText(bytes)}) carried, ${there} were there`;
  if (lost.length === 0) return line;
  const some = lost.slice(0, 5).map(clean).join(", ");
  return `${line}\n${lost.length} are not to be had any more: ${some}${lost.length > 5 ? ", …" : ""}`;
}
