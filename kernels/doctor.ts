import {
  type Circuit,
  hmm,
  naiveMixture,
  RandomStream,
  ReferenceEvaluator,
  type Samples,
  samplesFromRows,
} from "../circuits/mod.ts";
import { type EngineName, resolveEngine } from "../foundation/engine_choice.ts";
import { messageOf } from "../foundation/errors.ts";
import { type AdapterFacts, factsOf, findGpu, listAdapters } from "../foundation/gpu.ts";
import type { Engine } from "./engine.ts";
import { openEngine } from "./open.ts";
import type { DeviceFeatures, DeviceLimits } from "./webgpu/device.ts";
import { DeviceHost } from "./webgpu/host.ts";
import { measureBandwidth, measureProduct } from "./webgpu/measure.ts";
import { WebGpuEngine } from "./webgpu/engine.ts";

/** How an engine compares with the reference evaluator on random models. */
export interface SelfTest {
  /** Whether everything was within what engines promise: 1e-4 nats a sample, 1e-3 of a flow. */
  readonly passed: boolean;
  /** Models that were tried. */
  readonly circuits: number;
  /** Largest error of a log-likelihood, in nats. */
  readonly nats: number;
  /** Largest relative error of an expected count. */
  readonly flows: number;
}

/** What the doctor finds out about one engine. */
export interface EngineReport {
  /** The engine. */
  readonly engine: EngineName;
  /** What it runs on. */
  readonly adapter: string;
  /** Comparison with the reference. */
  readonly selfTest?: SelfTest;
  /** GFLOP/s of the E-step of an HMM of 256 states, as learning does it. */
  readonly learning?: number;
  /** GFLOP/s of a matrix product of 1024 x 1024 numbers. */
  readonly product?: number;
  /** GB/s of copies on the device. */
  readonly bandwidth?: number;
  /** The adapter, its limits in bytes and numbers, and the features that are used. */
  readonly device?: AdapterFacts & { readonly limits: DeviceLimits; readonly features: DeviceFeatures };
  /** Why it cannot be used. */
  readonly problem?: string;
}

/** What the engines of this machine can do. */
export interface Diagnosis {
  /** The engines; `webgpu` once for every adapter. */
  readonly engines: readonly EngineReport[];
  /** What `--engine auto` picks. */
  readonly auto: EngineName;
}

/** Nats, and relative error of flows, that an engine may be off by. */
const NATS = 1e-4, FLOWS = 1e-3;

/** Examines the engines; `adapter` is part of the name of the only WebGPU adapter to examine. */
export async function examine(adapter?: string): Promise<Diagnosis> {
  const gpu = findGpu();
  const found = (gpu === undefined ? [] : await listAdapters(gpu)).map(factsOf);
  const wanted = found.filter(({ name }) =>
    adapter === undefined || name.toLowerCase().includes(adapter.toLowerCase())
  );
  const engines = [await examineCpu()];
  for (const { name } of wanted) engines.push(await examineAdapter(gpu, name));
  if (wanted.length === 0) {
    const others = found.map(({ name }) => `\`${name}\``).join(", ");
    engines.push({
      engine: "webgpu",
      adapter: adapter ?? "none",
      problem: found.length === 0
        ? "WebGPU finds no adapter: install a Vulkan driver (in software: Debian's mesa-vulkan-drivers)"
        : `no adapter is named like this; there is ${others}`,
    });
  }
  return { engines, auto: await resolveEngine("auto") };
}

async function examineCpu(): Promise<EngineReport> {
  const open = (circuit: Circuit) => openEngine(circuit, { engine: "cpu" });
  try {
    await using engine = await open(testCircuit(0));
    return {
      engine: "cpu",
      adapter: engine.adapter,
      selfTest: await selfTest(open),
      learning: await learningRate(open),
    };
  } catch (error) {
    return { engine: "cpu", adapter: "ONNX Runtime", problem: messageOf(error) };
  }
}

async function examineAdapter(gpu: GPU | undefined, name: string): Promise<EngineReport> {
  const host = new DeviceHost(gpu, { adapter: name });
  const open = (circuit: Circuit) => WebGpuEngine.open(host, circuit);
  try {
    const ready = await host.ready(), { adapter, limits, features } = ready.open;
    return {
      engine: "webgpu",
      adapter: adapter.name,
      device: { ...adapter, limits, features },
      selfTest: await selfTest(open),
      learning: await learningRate(open),
      product: await measureProduct(ready, { size: 1024 }),
      bandwidth: await measureBandwidth(ready),
    };
  } catch (error) {
    return { engine: "webgpu", adapter: name, problem: messageOf(error) };
  } finally {
    await host.close();
  }
}

/** Compares an engine with the reference on random models for about two seconds, at least on two. */
export async function selfTest(
  open: (circuit: Circuit) => Promise<Engine>,
  seconds = 2,
): Promise<SelfTest> {
  let circuits = 0, nats = 0, flows = 0;
  const until = performance.now() + 1000 * seconds;
  while (circuits < 2 || performance.now() < until) {
    const circuit = testCircuit(circuits), samples = testSamples(circuit, circuits, 24);
    const wanted = await new ReferenceEvaluator(circuit).flows(samples);
    await using engine = await open(circuit);
    const got = await engine.flows(samples);
    wanted.logLikelihoods.forEach((log, s) => nats = worse(nats, got.logLikelihoods[s] as number - log));
    for (const part of ["weights", "statistics"] as const) {
      for (const [id, counts] of wanted[part]) {
        const found = got[part].get(id) as Float64Array;
        // What is below a thousandth of a sample is below the rounding of the others.
        counts.forEach((x, i) =>
          flows = worse(flows, (found[i] as number - x) / Math.max(Math.abs(x), 1e-3))
        );
      }
    }
    circuits++;
  }
  return { passed: nats <= NATS && flows <= FLOWS, circuits, nats, flows };
}

/** The larger error; NaN is the largest. */
function worse(most: number, error: number): number {
  return Number.isNaN(error) ? Infinity : Math.max(most, Math.abs(error));
}

function testCircuit(seed: number): Circuit {
  return seed % 2 === 0 ? hmm({ length: 6, states: 5 + seed, symbols: 9, seed }) : naiveMixture(
    [
      { kind: "categorical", name: "a", states: 4 },
      { kind: "real", name: "b" },
      { kind: "categorical", name: "c", states: 2 },
    ],
    { components: 3 + seed, seed },
  );
}

function testSamples({ variables }: Circuit, seed: number, count: number): Samples {
  const random = new RandomStream(seed + 1);
  return samplesFromRows(
    Array.from({ length: count }, () =>
      variables.map((variable) => {
        if (random.uniform() < 0.1) return null;
        return variable.kind === "categorical" ? random.integer(variable.states) : random.normal();
      })),
  );
}

/** Settings of {@link learningRate}: an HMM and a batch. */
export interface LearningSize {
  readonly states: number;
  readonly length: number;
  readonly batch: number;
  readonly symbols: number;
  /** Seconds to spend, at least one step. */
  readonly seconds: number;
}

/**
 * GFLOP/s of the E-step of an HMM: the three matrix products of each of its steps, as a part of the time of everything
 * that an E-step does. The fastest of the steps.
 */
export async function learningRate(
  open: (circuit: Circuit) => Promise<Engine>,
  size: Partial<LearningSize> = {},
): Promise<number> {
  const { states, length, batch, symbols, seconds } = {
    states: 256,
    length: 16,
    batch: 256,
    symbols: 64,
    seconds: 1,
    ...size,
  };
  const circuit = hmm({ length, states, symbols, seed: 1 });
  const random = new RandomStream(1);
  const values = Int32Array.from({ length: batch * length }, () => random.integer(symbols));
  const samples: Samples = { count: batch, variables: length, values };
  await using engine = await open(circuit);
  await engine.accumulate(samples);
  let fastest = Infinity;
  for (let spent = 0; spent < 1000 * seconds;) {
    const began = performance.now();
    await engine.accumulate(samples);
    const took = performance.now() - began;
    fastest = Math.min(fastest, took);
    spent += took;
  }
  return 3 * 2 * (length - 1) * batch * states ** 2 / fastest / 1e6;
}
