/// <reference lib="dom" />
// What the benchmark calls in a tab.
import type { Learner } from "../../circuits/learner.ts";
import { conditional, hmm, ReferenceLearner } from "../../circuits/mod.ts";
import { CpuEngine } from "../../kernels/cpu/engine.ts";
import { openGatesHere } from "../../kernels/gates/here.ts";

const LENGTH = 32, STATES = 128, WORDS = 4000, TOKENS = 100_000;
/** Windows of an epoch that are done: the rest would take as long. The reference does few. */
const WINDOWS = { "wasm": 640, "onnxruntime-web": 320, "reference": 16 } as const;

async function taking(action: () => Promise<unknown>): Promise<number> {
  const began = performance.now();
  await action();
  return performance.now() - began;
}

/** Milliseconds of the first answer, of a later one, and of an epoch. */
async function measured(name: keyof typeof WINDOWS): Promise<Record<string, number>> {
  const circuit = hmm({ length: LENGTH, states: STATES, symbols: WORDS, seed: 1 });
  const values = Int32Array.from({ length: LENGTH }, (_, i) => i * 7 % WORDS);
  const observed = new Uint8Array(LENGTH).fill(1).fill(0, 3, 4);
  let engine: Learner | undefined;
  const ask = () => conditional(engine!, { count: 1, variables: LENGTH, values, observed }, [3]);
  const first = await taking(async () => {
    engine = name === "wasm"
      ? await openGatesHere(circuit)
      : name === "reference"
      ? new ReferenceLearner(circuit)
      : new CpuEngine(circuit, { threads: 1 });
    await ask();
  });
  const later: number[] = [];
  for (let i = 1; i <= 9; i++) {
    values[1] = i;
    later.push(await taking(ask));
  }
  const count = WINDOWS[name];
  const windows = {
    count,
    variables: LENGTH,
    values: Int32Array.from({ length: LENGTH * count }, (_, i) => (i * 7919 + (i * i) % 31) % 2000),
  };
  // What the first batch compiles is not what an epoch costs.
  await engine!.accumulate({ ...windows, count: 16, values: windows.values.subarray(0, 16 * LENGTH) });
  const share = TOKENS / (LENGTH * count);
  return {
    first,
    later: later.toSorted((a, b) => a - b)[4]!,
    epoch: share * await taking(() => engine!.accumulate(windows)),
  };
}

Object.assign(globalThis, { measured, ready: true });
