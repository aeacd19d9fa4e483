/**
 * One step of learning of a hidden Markov model whose emissions are larger than a binding of the device (4,096 states, a vocabulary
 * of 50,257: 823 MB): where the memory goes, and how far a likelihood is from the forward algorithm in float64. Fails when that is
 * more than 1e-4 nats. Takes 4 GB of memory where the device is in software, and minutes.
 *
 *     deno run --allow-all bench/large.ts
 *     deno run --allow-all bench/large.ts --states 4096 --symbols 50257 --length 4 --batch 8 --adapter llvmpipe
 */
import { type Circuit, hmm, parameterOf, RandomStream, type Samples } from "../circuits/mod.ts";
import { findGpu } from "../foundation/gpu.ts";
import { WebGpuEngine } from "../kernels/webgpu/engine.ts";
import { DeviceHost } from "../kernels/webgpu/host.ts";
import { benchOptions, type Figure, figure, meets, printFigures } from "./measure.ts";

const options = benchOptions({
  states: { type: "string", default: "4096" },
  symbols: { type: "string", default: "50257" },
  length: { type: "string", default: "4" },
  batch: { type: "string", default: "8" },
  adapter: { type: "string" },
});
const [states, symbols, length, batch] = (["states", "symbols", "length", "batch"] as const)
  .map((name) => Number(options[name])) as [number, number, number, number];

const figures: Figure[] = [];
/** Notes how much memory there is after a step: in the process, and on the device once it is open. */
function note(after: string, onDevice?: number): void {
  const mebibytes = (bytes: number) => [bytes / 2 ** 20];
  figures.push(figure(`in the process after ${after}`, "MiB", mebibytes(Deno.memoryUsage().rss)));
  if (onDevice !== undefined) {
    figures.push(figure(`on the device after ${after}`, "MiB", mebibytes(onDevice)));
  }
}

const circuit = hmm({ length, states, symbols, seed: 1 });
note("the circuit was made");
const host = new DeviceHost(findGpu(), options.adapter === undefined ? {} : { adapter: options.adapter });
const { adapter, limits } = (await host.ready()).open;
const engine = await WebGpuEngine.open(host, circuit);
note("its parameters were put on the device", engine.session.bytes);
const random = new RandomStream(1);
const values = Int32Array.from({ length: batch * length }, () => random.integer(symbols));
const samples: Samples = { count: batch, variables: length, values };
const { logLikelihoods } = await engine.accumulate(samples);
note("an E-step, with counts", engine.session.bytes);
await engine.update({ step: { kind: "em" }, sums: { pseudocount: 0.1 }, leaves: { pseudocount: 0.1 } });
const after = await engine.logLikelihoods(samples);
note("an M-step, and likelihoods after it", engine.session.bytes);
const exact = forward(circuit, values.subarray(0, length));
figures.push(
  figure("a log-likelihood: from the forward algorithm in float64", "nats", [
    Math.abs(logLikelihoods[0]! - exact),
  ], {
    atMost: 1e-4,
  }),
  figure("the same: higher after the step by", "nats", [after[0]! - logLikelihoods[0]!], { atLeast: 0 }),
);
await engine.close();
await host.close();
printFigures(figures, {
  ...options,
  about: [`${adapter.name}, bindings of ${limits.binding / 2 ** 20} MiB`],
});
Deno.exit(figures.every((one) => meets(one) !== false) ? Deno.exitCode : 1);

/** The forward algorithm in float64. */
function forward(circuit: Circuit, tokens: Int32Array): number {
  const [initial, transition, emission] = ["initial", "transition", "emission"]
    .map((id) => parameterOf(circuit, id).values) as [Float32Array, Float32Array, Float32Array];
  // From the end: the probability of what follows, given the state. Transitions are [from, to].
  let follows = new Float64Array(states).fill(1);
  for (let t = length - 1; t > 0; t--) {
    const seen = follows.map((p, k) => p * emission[k * symbols + tokens[t]!]!);
    follows = Float64Array.from({ length: states }, (_, from) => {
      let sum = 0;
      for (let to = 0; to < states; to++) sum += transition[from * states + to]! * seen[to]!;
      return sum;
    });
  }
  return Math.log(
    follows.reduce((sum, p, k) => sum + p * initial[k]! * emission[k * symbols + tokens[0]!]!, 0),
  );
}
