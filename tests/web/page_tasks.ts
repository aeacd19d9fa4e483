import assert from "node:assert/strict";
import type { Browser, Page } from "playwright-core";

/** An event of a trace: times in microseconds. */
interface TraceEvent {
  readonly name: string;
  readonly ph: string;
  readonly pid: number;
  readonly tid: number;
  readonly tdur?: number;
  readonly args: { readonly name?: string };
}

/**
 * The longest that one task kept the page's own thread busy while something was done, in milliseconds of that thread's
 * processor time: unlike a time by the clock it does not depend on what else the machine does. Work of workers does not count.
 */
export async function longestTask(browser: Browser, page: Page, act: () => Promise<void>): Promise<number> {
  await browser.startTracing(page, { categories: ["toplevel"] });
  let events: TraceEvent[];
  try {
    await act();
  } finally {
    events = JSON.parse(new TextDecoder().decode(await browser.stopTracing())).traceEvents;
  }
  const main = new Set(
    events.filter(({ name, args }) => name === "thread_name" && args.name === "CrRendererMain").map((
      { tid },
    ) => tid),
  );
  const tasks = events.filter(({ ph, tid, tdur }) => ph === "X" && main.has(tid) && tdur !== undefined);
  assert.ok(tasks.length > 10, "a trace with the tasks of the page");
  return Math.max(...tasks.map(({ tdur }) => tdur! / 1000));
}
