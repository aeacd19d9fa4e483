/**
 * The parameters after three updates, to the last bit on the machine whose they are. On others the arithmetic of
 * ONNX Runtime and of drivers is another: there they need only be near.
 */
import { cpus } from "node:os";
import { type Learner, ReferenceLearner, type Samples, sliceSamples } from "../../circuits/mod.ts";
import { CpuEngine } from "../../kernels/cpu/engine.ts";
import { WebGpuEngine } from "../../kernels/webgpu/engine.ts";
import { checkGolden } from "../golden.ts";
import { host, onGpu } from "../kernels/webgpu/host.ts";
import { goldenCases, goldenRules } from "./circuits.ts";

/** Largest relative difference between machines. */
const NEAR = 1e-4;

/** Three updates, each after two batches. */
async function learned(learner: Learner, samples: Samples, rule: keyof typeof goldenRules): Promise<string> {
  const half = Math.floor(samples.count / 2);
  for (let step = 0; step < 3; step++) {
    await learner.accumulate(sliceSamples(samples, 0, half));
    await learner.accumulate(sliceSamples(samples, half, samples.count));
    await learner.update(goldenRules[rule]);
  }
  const values = [...await learner.parameters()].map(([id, array]) => `${id} ${array.join(" ")}`);
  await learner.close();
  return values.join("\n");
}

/** Whether numbers of another machine are near: everything else of the texts is equal. */
function near(text: string, kept: string): boolean {
  const [mine, theirs] = [text, kept].map((all) => all.slice(all.indexOf("\n")).split(/\s+/));
  const machine = (all: string) => all.slice(0, all.indexOf("\n"));
  return machine(text) !== machine(kept) && mine!.length === theirs!.length &&
    mine!.every((word, i) => {
      const [x, y] = [Number(word), Number(theirs![i])];
      return word === theirs![i] || Math.abs(x - y) <= NEAR * Math.max(1, Math.abs(y));
    });
}

async function keep(
  engine: string,
  machine: string,
  open: (circuit: Learner["circuit"]) => Promise<Learner>,
) {
  const parts: string[] = [];
  for (const { name, circuit, samples } of goldenCases()) {
    for (const rule of Object.keys(goldenRules) as (keyof typeof goldenRules)[]) {
      parts.push(`# ${name}, ${rule}\n${await learned(await open(circuit), samples, rule)}\n`);
    }
  }
  checkGolden(`learned_${engine}.txt`, [`of ${machine}`, ...parts].join("\n"), near);
}

Deno.test("golden: what the reference learns", () =>
  keep("reference", "any machine", (circuit) => Promise.resolve(new ReferenceLearner(circuit))));

Deno.test("golden: what the engine cpu learns", () =>
  keep(
    "cpu",
    `${Deno.build.arch}, ${cpus()[0]?.model}`,
    (circuit) => Promise.resolve(new CpuEngine(circuit)),
  ));

Deno.test({
  ...onGpu,
  name: "golden: what the engine webgpu learns",
  fn: async () =>
    await keep(
      "webgpu",
      (await host.ready()).open.adapter.name,
      (circuit) => WebGpuEngine.open(host, circuit),
    ),
});
