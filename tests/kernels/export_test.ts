import assert from "node:assert/strict";
import { InferenceSession, Tensor } from "onnxruntime-node";
import {
  type Circuit,
  CircuitBuilder,
  ReferenceEvaluator,
  type Samples,
  samplesFromRows,
} from "../../circuits/mod.ts";
import { exportOnnx } from "../../kernels/onnx/export.ts";
import { randomRows } from "../circuits/learner_conformance.ts";
import { randomCircuit } from "../circuits/truth.ts";
import { hardCases, plainCircuits } from "./engine_cases.ts";

/** Runs an exported circuit with nothing of ours around it. */
async function runBare(model: Uint8Array, circuit: Circuit, samples: Samples): Promise<Float64Array> {
  const session = await InferenceSession.create(model, { intraOpNumThreads: 1, logSeverityLevel: 3 });
  const { count, variables } = samples;
  const values = Array.from(samples.values, (x, i) => samples.observed?.[i] === 0 ? undefined : x);
  const real = circuit.variables.some((variable) => variable.kind === "real");
  const feeds: Record<string, Tensor> = {
    values: real
      ? new Tensor("float64", Float64Array.from(values, (x) => x ?? NaN), [count, variables])
      : new Tensor("int64", BigInt64Array.from(values, (x) => BigInt(x ?? -1)), [count, variables]),
  };
  for (const [v, logs] of samples.externals ?? []) {
    feeds[`logs_${v}`] = new Tensor("float32", logs, [count, logs.length / count]);
  }
  const { log_likelihoods } = await session.run(feeds);
  await session.release();
  return log_likelihoods!.data as Float64Array;
}

async function check(title: string, circuit: Circuit, samples: Samples): Promise<void> {
  const got = await runBare(exportOnnx(circuit), circuit, samples);
  const wanted = await new ReferenceEvaluator(circuit).logLikelihoods(samples);
  assert.equal(got.length, wanted.length);
  wanted.forEach((log, i) => {
    assert.ok(
      log === got[i] || Math.abs(log - got[i]!) < 1e-5,
      `${title}, entry ${i}: ${got[i]}, not ${log}`,
    );
  });
}

Deno.test("exported circuits agree with the reference, on every structure and leaf", async () => {
  for (const { title, circuit, samples } of plainCircuits()) await check(title, circuit, samples);
});

Deno.test("exported circuits agree with the reference where float32 would not", async () => {
  for (const { title, circuit, samples } of hardCases()) await check(title, circuit, samples);
});

Deno.test("exported random circuits agree with the reference", async () => {
  for (let seed = 0; seed < 8; seed++) {
    const circuit = randomCircuit(seed * 13 + 4, 5);
    await check(`circuit ${seed}`, circuit, samplesFromRows(randomRows(circuit, 7, seed)));
  }
});

Deno.test("exported circuits keep the digits of real values, and both probabilities of two states", async () => {
  const b = new CircuitBuilder();
  const leaves = [
    b.input({ variable: b.real("x"), family: "gaussian", units: 2, parameter: [1e9, 1, 1e9 + 4, 2] }),
    b.input({ variable: b.real("y"), family: "gaussian", units: 2, parameter: [-3, 1e-6, -3, 2e-6] }),
    b.input({
      variable: b.categorical("coin", 2),
      family: "bernoulli",
      units: 2,
      parameter: [1e-9, 1, 0, 1],
    }),
  ];
  const circuit = b.build(b.sum([b.product(leaves)], { units: 1, weights: [0.5, 0.5] }));
  const samples = samplesFromRows([[1e9 + 0.75, -3 + 1.5e-6, 0], [1e9 + 5.25, -3, 1], [null, null, 0]]);
  await check("offsets", circuit, samples);
  const normal = (x: number, m: number, s: number) =>
    -0.5 * ((x - m) / s) ** 2 - Math.log(s) - 0.5 * Math.log(2 * Math.PI);
  const [first, , last] = await runBare(exportOnnx(circuit), circuit, samples);
  const wanted = Math.log(0.5e-9) + normal(0.75, 0, 1) + normal(1.5, 0, 1) - Math.log(1e-6);
  assert.ok(Math.abs(first! - wanted) < 1e-5, `${first}, not ${wanted}`);
  assert.ok(Math.abs(last! - Math.log(0.5e-9)) < 1e-6, `${last}`);
});

Deno.test("an exported circuit describes itself, and refuses states that do not exist", async () => {
  const { circuit, samples } = plainCircuits()[0]!;
  const session = await InferenceSession.create(exportOnnx(circuit), { logSeverityLevel: 4 });
  assert.deepEqual(session.inputNames, ["values"]);
  assert.deepEqual(session.outputNames, ["log_likelihoods"]);
  const values = BigInt64Array.from(samples.values, (x, i) => i === 0 ? 1000n : BigInt(x));
  await assert.rejects(
    session.run({ values: new Tensor("int64", values, [samples.count, samples.variables]) }),
    /out of data bounds/,
  );
  await session.release();
});
