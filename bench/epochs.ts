/**
 * Seconds of an epoch of mini-batch EM of one engine, beside which bench/peers/juice.py measures the same on the same card. Prints
 * one JSON line. Its TFLOP/s count six operations for an edge of a sum and a sample, as in published figures.
 *
 *     deno run --allow-all bench/epochs.ts --model hmm --latents 4096 --symbols 50257 --variables 32
 *     deno run --allow-all bench/epochs.ts --model hclt --latents 256 --symbols 256 --variables 784 --engine webgpu
 */
import { parseArgs } from "node:util";
import { CircuitBuilder, hmm, maximumSpanningTree, parameterOf, RandomStream } from "../circuits/mod.ts";
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
  ? hmm({
    length: variables,
    states: latents,
    symbols,
    transition: rows(latents, latents),
    emission: rows(latents, symbols),
  })
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
const edges = circuit.nodes.reduce(
  (sum, node) => sum + (node.kind === "sum" ? parameterOf(circuit, node.parameter).values.length : 0),
  0,
);
const best = Math.min(...seconds);
console.log(JSON.stringify({
  peer: `retort ${name}`,
  adapter,
  precision: "f32",
  ...model,
  edges,
  seconds: best,
  tflops: 6 * edges * model.samples / best / 1e12,
}));

/** Distributions that differ: one that is drawn, turned by a hash of the row, since a billion numbers would take minutes to draw. */
function rows(count: number, width: number): Float32Array {
  const row = Float32Array.from({ length: width }, () => 0.5 + random.uniform());
  const sum = row.reduce((total, x) => total + x, 0);
  const values = new Float32Array(count * width);
  for (let i = 0; i < width; i++) row[i]! /= sum;
  for (let r = 0; r < count; r++) {
    const turn = Math.imul(r, 0x9e3779b1) >>> 0;
    values.set(row.subarray(turn % width), r * width);
    values.set(row.subarray(0, turn % width), r * width + width - turn % width);
  }
  return values;
}

/** A hidden Chow-Liu tree over variables joined by chance; all of its sums, and all of its leaves, start with the same numbers. */
function tree() {
  const weights = new Float64Array(variables ** 2);
  for (let i = 0; i < variables; i++) {
    for (let j = 0; j < i; j++) weights[i * variables + j] = weights[j * variables + i] = random.uniform();
  }
  const { order, parents } = maximumSpanningTree(weights, variables);
  const leaf = rows(latents, symbols), between = rows(latents, latents), first = rows(1, latents);
  const builder = new CircuitBuilder();
  const messages = Array.from({ length: variables }, (): number[] => []);
  for (let v = 0; v < variables; v++) builder.categorical(`x${v}`, symbols);
  let top = -1;
  for (const v of [...order].reverse()) {
    const parent = parents[v]!;
    const values = builder.input({ variable: v, units: latents, family: "categorical", parameter: leaf });
    top = builder.sum([builder.product([values, ...messages[v]!])], {
      units: parent < 0 ? 1 : latents,
      weights: parent < 0 ? first : between,
    });
    if (parent >= 0) messages[parent]!.push(top);
  }
  return builder.build(top);
}
