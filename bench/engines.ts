/**
 * How fast the engines learn: matrix products as the WebGPU engine computes them, and the whole E-step of an HMM beside them.
 * Prints one table; the figures stand in docs/performance.md.
 *
 *     deno task bench:engines
 *     deno task bench:engines --adapter nvidia --states 4096 --batch 512 --size 2048 --kernels --json
 */
import { parseArgs } from "node:util";
import { hmm, RandomStream } from "../circuits/mod.ts";
import { learningRate } from "../kernels/doctor.ts";
import { openEngine } from "../kernels/engine.ts";
import { findGpu } from "../kernels/gpu.ts";
import { WebGpuEngine } from "../kernels/webgpu/engine.ts";
import { DeviceHost } from "../kernels/webgpu/host.ts";
import { measureProduct } from "../kernels/webgpu/measure.ts";
import { type KernelTime, Profiler } from "../kernels/webgpu/profile.ts";
import { tableText } from "../foundation/text.ts";
import { type Figure, figure, printFigures } from "./measure.ts";

const { values: options } = parseArgs({
  args: Deno.args,
  options: {
    json: { type: "boolean" },
    kernels: { type: "boolean" },
    adapter: { type: "string" },
    size: { type: "string", default: "1024" },
    states: { type: "string", default: "512" },
    length: { type: "string", default: "32" },
    batch: { type: "string", default: "256" },
    symbols: { type: "string", default: "1000" },
    runs: { type: "string", default: "5" },
  },
});
const number = (name: "size" | "states" | "length" | "batch" | "symbols" | "runs") => Number(options[name]);
const model = {
  states: number("states"),
  length: number("length"),
  batch: number("batch"),
  symbols: number("symbols"),
};
const FORMS = ["forward", "backward", "flows"] as const;

const host = new DeviceHost(findGpu(), options.adapter === undefined ? {} : { adapter: options.adapter });
try {
  const ready = await host.ready(), { adapter } = ready.open;
  const figures = await measure();
  const kernels = options.kernels ? await kernelTimes() : [];
  const more = { adapter: adapter.name, kernels };
  printFigures(figures, { json: options.json, about: [adapter.name], more });
  if (!options.json && kernels.length > 0) console.log(`\n${kernelsText(kernels)}`);
} finally {
  await host.close();
}

/** Rounds of all measurements, so that what disturbs the machine disturbs all of them. */
async function measure(): Promise<Figure[]> {
  const ready = await host.ready(), { software } = ready.open.adapter;
  const products = new Map<string, number[]>(FORMS.map((form) => [form, []]));
  const steps: number[] = [], shares: number[] = [], cpu: number[] = [];
  for (let round = 0; round < number("runs"); round++) {
    for (const form of FORMS) {
      products.get(form)!.push(await measureProduct(ready, { form, size: number("size") }));
    }
    const step = await learningRate((circuit) => WebGpuEngine.open(host, circuit), { ...model, seconds: 2 });
    steps.push(step);
    shares.push(100 * step / products.get("forward")!.at(-1)!);
    cpu.push(
      await learningRate((circuit) => openEngine(circuit, { engine: "cpu" }), { ...model, seconds: 1 }),
    );
  }
  const size = number("size"), shape = `${model.states} states, T=${model.length}, batch ${model.batch}`;
  return [
    ...FORMS.map((form) =>
      figure(
        `webgpu: matrix product ${size}, ${form}`,
        "GFLOP/s",
        products.get(form)!,
        software && form === "forward" && size === 1024 ? { atLeast: 15 } : undefined,
      )
    ),
    figure(`webgpu: E-step of an HMM, ${shape}`, "GFLOP/s", steps),
    figure("webgpu: the same, of the forward product", "%", shares, { atLeast: 60 }),
    figure(`cpu: E-step of an HMM, ${shape}`, "GFLOP/s", cpu),
  ];
}

/** Seconds of an E-step by kernel, from timestamps. */
async function kernelTimes(): Promise<KernelTime[]> {
  const { open } = await host.ready();
  if (!open.features.timestamps) return [];
  const { states, length, batch, symbols } = model;
  const engine = await WebGpuEngine.open(host, hmm({ length, states, symbols, seed: 1 }));
  const random = new RandomStream(1);
  const values = Int32Array.from({ length: batch * length }, () => random.integer(symbols));
  const samples = { count: batch, variables: length, values };
  await engine.accumulate(samples);
  const profiler = new Profiler(open);
  engine.session.profile(profiler);
  await engine.accumulate(samples);
  const times = profiler.times();
  engine.session.profile(undefined);
  profiler.close();
  await engine.close();
  return times;
}

function kernelsText(kernels: readonly KernelTime[]): string {
  const total = kernels.reduce((sum, { seconds }) => sum + seconds, 0);
  return tableText(
    ["KERNEL", "DISPATCHES", "MILLISECONDS", "SHARE"],
    kernels.map(({ name, dispatches, seconds }) => [
      name.length > 60 ? `${name.slice(0, 59)}…` : name,
      String(dispatches),
      (1000 * seconds).toFixed(2),
      `${(100 * seconds / total).toFixed(0)} %`,
    ]),
  );
}
