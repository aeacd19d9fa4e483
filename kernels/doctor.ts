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

/** Comparison of an engine with the reference evaluator on random models. */
export interface SelfTest {
  /** Whether all errors were within the engines' tolerances: 1e-4 nats per sample, 1e-3 relative for flows. */
  readonly passed: boolean;
  /** Number of models tried. */
  readonly circuits: number;
  /** Largest error of a log-likelihood, in nats. */
  readonly nats: number;
  /** Largest relative error of an expected count. */
  readonly flows: number;
}

/** Findings about one engine. */
export interface EngineReport {
  /** The engine. */
  readonly engine: EngineName;
  /** Name of the adapter. */
  readonly adapter: string;
  /** Comparison with the reference evaluator. */
  readonly selfTest?: SelfTest;
  /** GFLOP/s of the E-step of an HMM with 256 states, as in learning. */
  readonly learning?: number;
  /** GFLOP/s of a 1024 x 1024 matrix product. */
  readonly product?: number;
  /** Copy bandwidth of the device, in GB/s. */
  readonly bandwidth?: number;
  /** The adapter, its limits, and the optional features in use. */
  readonly device?: AdapterFacts & { readonly limits: DeviceLimits; readonly features: DeviceFeatures };
  /** Why the engine cannot be used. */
  readonly problem?: string;
}

/** Capabilities of this machine's engines. */
export interface Diagnosis {
  /** The engines; `webgpu` appears once per adapter. */
  readonly engines: readonly EngineReport[];
  /** The engine that `--engine auto` picks. */
  readonly auto: EngineName;
}

/** Tolerances: nats per sample, and relative error of flows. */
const NATS = 1e-4, FLOWS = 1e-3;

/** Examines the engines; `adapter`, part of a name, restricts this to one WebGPU adapter. */
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

/** Compares an engine with the reference on random models for about two seconds, at least two models. */
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
        // Counts below a thousandth of a sample are within the rounding error of the others.
        counts.forEach((x, i) =>
          flows = worse(flows, (found[i] as number - x) / Math.max(Math.abs(x), 1e-3))
        );
      }
    }
    circuits++;
  }
  return { passed: nats <= NATS && flows <= FLOWS, circuits, nats, flows };
}

/** The larger error; NaN counts as the largest. */
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

/** Options of {@link learningRate}: an HMM and a batch. */
export interface LearningSize {
  readonly states: number;
  readonly length: number;
  readonly batch: number;
  readonly symbols: number;
  /** Seconds to spend; at least one step is measured. */
  readonly seconds: number;
}

/**
 * GFLOP/s of the E-step of an HMM: floating-point operations of the three matrix products per time step, over the time
 * of the whole E-step. Reports the fastest of the measured steps.
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
