/// <reference lib="dom" />
// What the benchmark calls in a tab.
import type { Learner } from "../../circuits/learner.ts";
import { fitText, openTabEngine, prepareText, type TextTraining } from "../../browser/mod.ts";

let training: TextTraining, engine: Learner | undefined;

/** Makes a text ready. */
async function prepare(text: string, states: number): Promise<void> {
  training = await prepareText(text, { states });
}

/** Opens the tab's engine without a GPU anew. */
async function open(): Promise<void> {
  await engine?.close();
  ({ engine } = await openTabEngine(training.start, "wasm"));
}

/** Scores the start and learns for an epoch; milliseconds by the clock. */
async function epoch(): Promise<number> {
  const began = performance.now();
  await fitText(engine!, training, { epochs: 1 });
  return performance.now() - began;
}

Object.assign(globalThis, { prepare, open, epoch, ready: true });
