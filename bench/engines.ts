/**
 * How fast the engines learn: matrix products as the WebGPU engine computes them, and the whole E-step of an HMM beside them.
 * Prints one table; the figures stand in docs/performance.md.
 *
 *     deno task bench:engines
 *     deno task bench:engines --adapter nvidia --states 4096 --batch 512 --size 2048 --kernels --json
 */
import { hmm, RandomStream } from "../circuits/mod.ts";
import { learningRate } from "../kernels/doctor.ts";
import { openEngine } from "../kernels/open.ts";
import { findGpu } from "../foundation/gpu.ts";
import { WebGpuEngine } from "../kernels/webgpu/engine.ts";
import { DeviceHost } from "../kernels/webgpu/host.ts";
import { measureProduct, measureRate } from "../kernels/webgpu/measure.ts";
import { type KernelTime, Profiler } from "../kernels/webgpu/profile.ts";
import { tableText } from "../foundation/text.ts";
import { benchOptions, type Figure, figure, printFigures } from "./measure.ts";

const options = benchOptions({
  kernels: { type: "boolean" },
  adapter: { type: "string" },
  size: { type: "string", default: "1024" },
  states: { type: "string", default: "512" },
  length: { type: "string", default: "32" },
  batch: { type: "string", default: "256" },
  symbols: { type: "string", default: "1000" },
  runs: { type: "string", default: "5" },
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
  const { kernels, figures: lengths } = await kernelTimes();
  figures.push(...lengths);
  const more = { adapter: adapter.name, kernels };
  printFigures(figures, { ...options, about: [adapter.name], more });
  if (!options.json && options.kernels) console.log(`\n${kernelsText(kernels)}`);
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

/** Seconds of an E-step by kernel, from timestamps, and of its longest dispatch and submission, cut by the measured rate. */
async function kernelTimes(): Promise<{ kernels: KernelTime[]; figures: Figure[] }> {
  const ready = await host.ready(), { open } = ready;
  if (!open.features.timestamps) return { kernels: [], figures: [] };
  const { states, length, batch, symbols } = model;
  const rate = await measureRate(ready);
  const engine = await WebGpuEngine.open(host, hmm({ length, states, symbols, seed: 1 }), { rate });
  const random = new RandomStream(1);
  const values = Int32Array.from({ length: batch * length }, () => random.integer(symbols));
  const samples = { count: batch, variables: length, values };
  await engine.accumulate(samples);
  const dispatches: number[] = [], submissions: number[] = [];
  let kernels: KernelTime[] = [];
  for (let run = 0; run < number("runs"); run++) {
    const profiler = new Profiler(open);
    engine.session.profile(profiler);
    await engine.accumulate(samples);
    kernels = profiler.times();
    dispatches.push(1000 * Math.max(...kernels.map(({ longest }) => longest)));
    submissions.push(1000 * profiler.longestSubmission);
    engine.session.profile(undefined);
    profiler.close();
  }
  await engine.close();
  const target = { atMost: 200 };
  return {
    kernels,
    figures: [
      figure("webgpu: longest dispatch of the E-step", "ms", dispatches, target),
      figure("webgpu: longest submission of the E-step", "ms", submissions, target),
    ],
  };
}

function kernelsText(kernels: readonly KernelTime[]): string {
  const total = kernels.reduce((sum, { seconds }) => sum + seconds, 0);
  return tableText(
    ["KERNEL", "DISPATCHES", "MILLISECONDS", "SHARE", "LONGEST", "ESTIMATE"],
    kernels.map(({ name, dispatches, seconds, longest, estimate }) => [
      name.length > 60 ? `${name.slice(0, 59)}…` : name,
      String(dispatches),
      (1000 * seconds).toFixed(2),
      `${(100 * seconds / total).toFixed(0)} %`,
      (1000 * longest).toFixed(2),
      (1000 * estimate).toFixed(2),
    ]),
  );
}
