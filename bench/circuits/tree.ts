import process from "node:process";
import { openEngine } from "../../kernels/open.ts";
import { type Figure, figure, median, workOf } from "../measure.ts";
import { RULE, type StepSeconds, treeCircuit, type TreeSize, uniformSamples } from "./model.ts";
import { operatorsText, productMilliseconds, profileStep } from "./operators.ts";

/** Seconds and figures of the tree. */
export interface TreeResult {
  readonly figures: Figure[];
  /** Of an E-step and its M-step. */
  readonly step: StepSeconds;
  /** Operators of ONNX Runtime, as a table. */
  readonly operators: string;
}

/** A step of EM of a hidden Chow-Liu tree. Peak memory is that of the process, which should do nothing else. */
export async function measureTree(size: TreeSize, runs: number): Promise<TreeResult> {
  const { side, states, latents, batch } = size;
  const circuit = treeCircuit(size), samples = uniformSamples(batch, side ** 2, states);
  const engine = await openEngine(circuit, { engine: "cpu" });
  const expectation: number[] = [], updates: number[] = [], core: number[] = [];
  for (let round = -1; round < runs; round++) {
    const e = await workOf(() => engine.accumulate(samples));
    const m = await workOf(() => engine.update(RULE));
    if (round < 0) continue;
    expectation.push(e.wall / 1000);
    updates.push(m.wall / 1000);
    core.push((e.core + m.core) / 1000);
  }
  await engine.close();
  const peak = process.resourceUsage().maxRSS / 1024;
  const { operators, milliseconds: profiled } = await profileStep(circuit, samples);
  const whole = expectation.map((e, i) => e + updates[i]!);
  const products = productMilliseconds(operators);
  const others = operators.reduce((sum, one) => sum + one.milliseconds, 0) - products;
  const share = (part: number) => [100 * part / profiled];
  return {
    figures: [
      figure(`HCLT, ${side ** 2} variables, ${latents} latents: a step`, "s", whole),
      figure("HCLT: the same, processor time", "core s", core),
      figure("HCLT: its E-step", "s", expectation),
      figure("HCLT: its M-step", "s", updates),
      figure(
        "HCLT: rate of the matrix products, over the time of the step",
        "GFLOP/s",
        whole.map((s) => 6 * (side ** 2 - 1) * batch * latents ** 2 / s / 1e9),
      ),
      figure("HCLT: matrix products, share of the step", "%", share(products)),
      figure("HCLT: other operators of ONNX Runtime, share of the step", "%", share(others)),
      figure("HCLT: peak memory of the process", "MiB", [peak]),
    ],
    step: { wall: median(whole), core: median(core) },
    operators: operatorsText(operators),
  };
}
