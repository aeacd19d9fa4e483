/**
 * Seconds of an epoch of mini-batch EM of one engine, beside which bench/peers/juice.py measures the same on the same card. Prints
 * one JSON line.
 *
 *     deno run --allow-all bench/epochs.ts --model hmm --latents 4096 --symbols 50257 --variables 32
 *     deno run --allow-all bench/epochs.ts --model hclt --latents 256 --symbols 256 --variables 784 --engine webgpu
 */
import { parseArgs } from "node:util";
import { categoricalVariables, hclt, hmm, maximumSpanningTree, RandomStream } from "../circuits/mod.ts";
import type { EngineName } from "../kernels/engine.ts";
import { openEngine } from "../kernels/open.ts";

const { values: options } = parseArgs({
  args: Deno.args,
  options: {
    model: { type: "string", default: "hmm" },
    engine: { type: "string", default: "webgpu" },
    adapter: { type: "string" },
    latents: { type: "string", default: "512" },
    symbols: { type: "string", default: "1000" },
    variables: { type: "string", default: "32" },
    batch: { type: "string", default: "256" },
    samples: { type: "string", default: "2048" },
    epochs: { type: "string", default: "3" },
    // Of device memory for activations.
    gibibytes: { type: "string", default: "4" },
  },
});
const [latents, symbols, variables, batch, samples, epochs] =
  (["latents", "symbols", "variables", "batch", "samples", "epochs"] as const).map((name) =>
    Number(options[name])
  ) as [number, number, number, number, number, number];

const random = new RandomStream(1);
const circuit = options.model === "hmm"
  ? hmm({ length: variables, states: latents, symbols, seed: 1 })
  : tree();
const engine = await openEngine(circuit, {
  engine: options.engine as EngineName,
  memory: Number(options.gibibytes) * 2 ** 30,
  ...(options.adapter !== undefined && { adapter: options.adapter }),
});
const data = Array.from({ length: Math.ceil(samples / batch) }, () => ({
  count: batch,
  variables,
  values: Int32Array.from({ length: batch * variables }, () => random.integer(symbols)),
}));
const seconds: number[] = [];
// The first epoch compiles.
for (let e = 0; e <= epochs; e++) {
  const began = performance.now();
  await Promise.all(data.flatMap((part) => [
    engine.accumulate(part),
    engine.update({ step: { kind: "inertia", inertia: 0.9 }, sums: { pseudocount: 0.1 } }),
  ]));
  if (e > 0) seconds.push((performance.now() - began) / 1000);
}
const { name, adapter } = engine;
await engine.close();
const model = { model: options.model, latents, symbols, variables, batch, samples: data.length * batch };
console.log(JSON.stringify({ peer: `retort ${name}`, adapter, ...model, seconds: Math.min(...seconds) }));

/** A hidden tree over variables joined by chance. */
function tree() {
  const weights = new Float64Array(variables ** 2);
  for (let i = 0; i < variables; i++) {
    for (let j = 0; j < i; j++) weights[i * variables + j] = weights[j * variables + i] = random.uniform();
  }
  const joined = maximumSpanningTree(weights, variables);
  return hclt(categoricalVariables(variables, symbols), joined, { latents, seed: 1 });
}
