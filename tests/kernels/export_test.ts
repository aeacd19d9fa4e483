import assert from "node:assert/strict";
import { InferenceSession, Tensor } from "onnxruntime-node";
import {
  type Circuit,
  CircuitBuilder,
  hmm,
  ReferenceEvaluator,
  type Samples,
  samplesFromRows,
  softOf,
} from "../../circuits/mod.ts";
import { exportOnnx } from "../../kernels/onnx/export.ts";
import { randomBatch } from "../circuits/learner_conformance.ts";
import { mixedSamples } from "../circuits/soft_truth.ts";
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
    await check(`circuit ${seed}`, circuit, samplesFromRows(randomBatch(circuit, 7, seed)));
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

Deno.test("soft evidence is an input where that is asked for: as the reference has it", async () => {
  for (const seed of [1, 8, 15, 22]) {
    const circuit = randomCircuit(seed, 4), all = circuit.variables.map((_, v) => v);
    const samples = mixedSamples(circuit, 6, seed), { count, variables } = samples;
    const soft = all.filter((v) => v !== 1);
    const session = await InferenceSession.create(exportOnnx(circuit, { soft }), { logSeverityLevel: 3 });
    assert.deepEqual(session.inputNames, ["values", ...soft.map((v) => `weights_${v}`)]);
    const hard = new Map([...samples.soft!].filter(([v]) => v !== 1)), asked = { ...samples, soft: hard };
    const values = BigInt64Array.from(samples.values, (x, i) => samples.observed![i] === 0 ? -1n : BigInt(x));
    const feeds: Record<string, Tensor> = { values: new Tensor("int64", values, [count, variables]) };
    for (const v of soft) {
      const { states } = circuit.variables[v] as { states: number };
      const weights = new Float32Array(count * states);
      for (let s = 0; s < count; s++) {
        const evidence = softOf(asked, s, v);
        evidence?.states.forEach((x, i) => weights[s * states + x] = evidence.weights[i]!);
        if (evidence === undefined) weights[s * states + samples.values[s * variables + v]!] = 1;
      }
      feeds[`weights_${v}`] = new Tensor("float32", weights, [count, states]);
    }
    const got = (await session.run(feeds)).log_likelihoods!.data as Float64Array;
    (await new ReferenceEvaluator(circuit).logLikelihoods(asked)).forEach((log, s) => {
      assert.ok(log === got[s] || Math.abs(log - got[s]!) < 1e-5, `sample ${s}: ${got[s]}, not ${log}`);
    });
  }
  const b = new CircuitBuilder();
  const real = b.build(b.input({ variable: b.real("x"), family: "gaussian", units: 1, parameter: [0, 1] }));
  assert.throws(
    () => exportOnnx(real, { soft: [0] }),
    /variable 0 `x` is real: soft evidence is about states/,
  );
});

Deno.test("an exported circuit describes itself, and refuses what is no state", async () => {
  const { circuit, samples } = plainCircuits()[0]!;
  const session = await InferenceSession.create(exportOnnx(circuit), { logSeverityLevel: 4 });
  assert.deepEqual(session.inputNames, ["values"]);
  assert.deepEqual(session.outputNames, ["log_likelihoods"]);
  // The first state that a variable has not was the row of the next parameter, or of what is missing.
  const [first] = circuit.variables;
  assert.ok(first?.kind === "categorical");
  for (const odd of [-2, first.states, 1000, -(2 ** 40), 2 ** 62]) {
    const values = BigInt64Array.from(samples.values, (x, i) => BigInt(i === 0 ? odd : x));
    await assert.rejects(
      session.run({ values: new Tensor("int64", values, [samples.count, samples.variables]) }),
      /out of data bounds/,
      `${odd}`,
    );
  }
  await session.release();
});

Deno.test("an exported circuit refuses what is no count, and finds what is outside of all bins impossible", async () => {
  const b = new CircuitBuilder(), [n, x] = [b.count("n"), b.real("x")];
  const circuit = b.build(b.product([
    b.input({ variable: n, family: "poisson", units: 1, parameter: [40] }),
    b.input({
      variable: x,
      family: "histogram",
      units: 1,
      settings: { edges: [0, 1, 3] },
      parameter: [0.5, 0.5],
    }),
  ]));
  const session = await InferenceSession.create(exportOnnx(circuit), { logSeverityLevel: 4 });
  const ask = async (rows: number[][]) => {
    const values = new Tensor("float64", Float64Array.from(rows.flat()), [rows.length, 2]);
    return [...(await session.run({ values })).log_likelihoods!.data as Float64Array];
  };
  for (const odd of [-2, 0.5, 2 ** 25]) await assert.rejects(ask([[odd, 1]]), /out of data bounds/, `${odd}`);
  const rows = [[0, 0], [31, 1], [32, 2.5], [1e6, 3], [-1, 3.5], [7, -0.5], [NaN, NaN]];
  const samples = samplesFromRows(rows.map((row) => row.map((x) => Number.isNaN(x) || x === -1 ? null : x)));
  const wanted = await new ReferenceEvaluator(circuit).logLikelihoods(samples);
  (await ask(rows)).forEach((log, s) => {
    const same = log === wanted[s] || Math.abs(log - wanted[s]!) <= 1e-13 * Math.abs(log);
    assert.ok(same, `row ${s}: ${log}, not ${wanted[s]}`);
  });
  await session.release();
});

Deno.test("values of any type, missing ones by -1, NaN or a mask", async () => {
  const circuit = hmm({ length: 4, states: 3, symbols: 5, seed: 3 });
  const rows = [[0, 4, null, 2], [null, null, 1, 3]], samples = samplesFromRows(rows);
  const wanted = await new ReferenceEvaluator(circuit).logLikelihoods(samples);
  const types = {
    int32: (x: readonly number[]) => Int32Array.from(x),
    int64: (x: readonly number[]) => BigInt64Array.from(x, BigInt),
    float32: (x: readonly number[]) => Float32Array.from(x),
    float64: (x: readonly number[]) => Float64Array.from(x),
  };
  for (const type of ["int32", "int64", "float32", "float64"] as const) {
    for (const observed of [false, true]) {
      const session = await InferenceSession.create(exportOnnx(circuit, { type, observed }), {
        logSeverityLevel: 4, // refusals are told twice otherwise
      });
      const ask = async (missing: number, mask = new Uint8Array(8).fill(1), flat = rows.flat()) => {
        const { log_likelihoods } = await session.run({
          values: new Tensor(type, types[type](flat.map((x) => x ?? missing)) as Float32Array, [2, 4]),
          ...(observed && { observed: new Tensor("bool", mask, [2, 4]) }),
        });
        return log_likelihoods!.data as Float64Array;
      };
      const answers = [await ask(-1)];
      if (type.startsWith("float")) answers.push(await ask(NaN));
      // Under the mask anything may stand.
      if (observed) answers.push(await ask(-7, Uint8Array.from(rows.flat(), (x) => x === null ? 0 : 1)));
      for (const logs of answers) {
        wanted.forEach((log, s) =>
          assert.ok(Math.abs(log - logs[s]!) < 1e-5, `${type}: ${logs[s]}, not ${log}`)
        );
      }
      await assert.rejects(ask(-7), /out of data bounds/);
      if (type.startsWith("float")) await assert.rejects(ask(1.5), /out of data bounds/);
      await session.release();
    }
  }
  assert.throws(
    () => exportOnnx(circuit, { type: "int8" as "int32" }),
    /the type of values is `int8`, expected/,
  );
});

Deno.test("real values are told apart by float64, and refused by whole numbers", async () => {
  const b = new CircuitBuilder();
  const leaf = b.input({ variable: b.real("x"), family: "gaussian", units: 1, parameter: [0, 1] });
  const circuit = b.build(leaf);
  const session = await InferenceSession.create(exportOnnx(circuit, { type: "float64" }));
  const values = Float64Array.of(1e-9 + 1, NaN);
  const { log_likelihoods } = await session.run({ values: new Tensor("float64", values, [2, 1]) });
  const [log, missing] = log_likelihoods!.data as Float64Array;
  assert.ok(Math.abs(log! - (-0.5 * (1 + 1e-9) ** 2 - 0.5 * Math.log(2 * Math.PI))) < 1e-12);
  assert.equal(missing, 0);
  await session.release();
  assert.throws(
    () => exportOnnx(circuit, { type: "int64" }),
    /variable 0 `x` is real, which int64 cannot hold/,
  );
});

Deno.test("runtimes load an exported circuit without a warning", async () => {
  const folder = await Deno.makeTempDir();
  try {
    const kinds = ["categorical", "real", "external"].map((kind) =>
      plainCircuits().find(({ circuit }) => circuit.variables.some((variable) => variable.kind === kind))!
    );
    for (const [i, { circuit }] of kinds.entries()) {
      await Deno.writeFile(`${folder}/${i}.onnx`, exportOnnx(circuit));
      await Deno.writeFile(`${folder}/${i}_observed.onnx`, exportOnnx(circuit, { observed: true }));
    }
    const code = `import { InferenceSession } from "onnxruntime-node";
      for await (const { name } of Deno.readDir(${JSON.stringify(folder)})) {
        await InferenceSession.create(${JSON.stringify(folder)} + "/" + name);
      }`;
    const script = new URL(`./load_${crypto.randomUUID()}.ts`, import.meta.url);
    await Deno.writeTextFile(script, code);
    try {
      const { stdout, stderr, success } = await new Deno.Command(Deno.execPath(), {
        args: ["run", "--allow-all", "--no-check", "--quiet", script.pathname],
        env: { NO_COLOR: "1" },
      }).output();
      const said = new TextDecoder().decode(stdout) + new TextDecoder().decode(stderr);
      // What ONNX Runtime says begins with the time.
      assert.deepEqual([success, said.split("\n").filter((line) => /onnxruntime|^\d{4}-/.test(line))], [
        true,
        [],
      ]);
    } finally {
      await Deno.remove(script);
    }
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
