import { hmm } from "../../circuits/mod.ts";
import { openEngine } from "../../kernels/open.ts";
import { type Figure, figure, median, workOf } from "../measure.ts";
import { RULE, type StepSeconds, uniformSamples } from "./model.ts";
import { operatorsText, profileStep } from "./operators.ts";
import { openProducts } from "./products.ts";

/** Sizes of a hidden Markov model and how often it is measured. */
export interface ChainSize {
  readonly states: number;
  readonly length: number;
  readonly batch: number;
  readonly symbols: number;
  readonly runs: number;
}

/** Seconds and figures of the chain. */
export interface ChainResult {
  readonly figures: Figure[];
  /** Of an E-step and its M-step. */
  readonly step: StepSeconds;
  /** Operators of ONNX Runtime, as a table. */
  readonly operators: string;
}

/**
 * The E-step of an HMM (forward, backward, flows, counts of emissions) and its M-step, beside as many products of ONNX Runtime of the
 * same size, which are timed in the same round. Rates count the three products of every step of the chain.
 */
export async function measureChain(size: ChainSize): Promise<ChainResult> {
  const { states, length, batch, symbols, runs } = size;
  const products = await openProducts({ rows: batch, size: states, count: length - 1 });
  const circuit = hmm({ length, states, symbols, seed: 1 });
  const samples = uniformSamples(batch, length, symbols);
  const engine = await openEngine(circuit, { engine: "cpu" });
  const operations = 2 * (length - 1) * batch * states ** 2 / 1e9;
  const bare: number[] = [], expectation: number[] = [], whole: number[] = [];
  const share: number[] = [], shareOfWhole: number[] = [], updates: number[] = [], core: number[] = [];
  for (let round = -2; round < runs; round++) {
    const product = (await products.seconds() + await products.seconds()) / 2;
    // Threads of a session keep a core busy for a while after a run, in wait of the next one: they shall not be in the engine's way.
    await new Promise((resolve) => setTimeout(resolve, 200));
    const first = await workOf(() => engine.accumulate(samples)), e = first.wall / 1000;
    const second = await workOf(() => engine.update(RULE)), m = second.wall / 1000;
    // The first two rounds load graphs and touch memory for the first time.
    if (round < 0) continue;
    bare.push(operations / product);
    expectation.push(3 * operations / e);
    whole.push(3 * operations / (e + m));
    updates.push(second.wall);
    core.push((first.core + second.core) / 1000);
    share.push(100 * 3 * product / e);
    shareOfWhole.push(100 * 3 * product / (e + m));
  }
  await engine.close();
  await products.close();
  const at = `${states} states`;
  const seconds = whole.map((rate) => 3 * operations / rate);
  return {
    figures: [
      figure(`MatMul of ONNX Runtime, ${batch} x ${states} x ${states}`, "GFLOP/s", bare),
      figure(`HMM, ${at}: E-step`, "GFLOP/s", expectation),
      figure(`HMM, ${at}: E-step, of MatMul`, "%", share, { atLeast: 75 }),
      figure(`HMM, ${at}: M-step`, "ms", updates),
      figure(`HMM, ${at}: E-step and M-step`, "GFLOP/s", whole),
      figure(`HMM, ${at}: E-step and M-step, of MatMul`, "%", shareOfWhole, { atLeast: 75 }),
      figure(
        `HMM, ${at}: both, of MatMul, fastest of each`,
        "%",
        [100 * Math.max(...whole) / Math.max(...bare)],
      ),
      figure(`HMM, ${at}: E-step and M-step`, "s", seconds),
      figure(`HMM, ${at}: the same, processor time`, "core s", core),
    ],
    step: { wall: median(seconds), core: median(core) },
    operators: operatorsText((await profileStep(circuit, samples)).operators),
  };
}
