/** What a program does with the library besides asking engines: files, tables, fitting; and the numbers that Deno finds. */
import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import {
  type Circuit,
  encodeSafetensors,
  fit,
  hcltFromSamples,
  loadCircuit,
  logLikelihood,
  readCsv,
  recordsOf,
  ReferenceEvaluator,
  ReferenceLearner,
  sample,
  saveCircuit,
  TensorFile,
} from "../../circuits/mod.ts";
import { type EngineName, openEngine } from "../../kernels/mod.ts";
import { plainCircuits } from "../kernels/engine_cases.ts";
import { suiteTest } from "../registry.ts";

/** What Deno finds, in float64. */
export interface Truth {
  /** Log-likelihoods of the samples of every plain case, by title; null stands for -Infinity. */
  readonly logs: Readonly<Record<string, readonly (number | null)[]>>;
  /** Parameters after fitting a small tree to the table, by id. */
  readonly fitted: Readonly<Record<string, readonly number[]>>;
  /** Rows that the fitted tree draws. */
  readonly drawn: readonly unknown[];
}

const ROWS = [
  "colour,size,wet",
  ...Array.from(
    { length: 60 },
    (_, s) => `${s % 3 ? "red" : "blue"},${s % 7 ? s % 3 + s / 100 : "NA"},${s % 2}`,
  ),
].join("\n");

async function inFolder<T>(body: (folder: string) => Promise<T>): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), "retort-runtime-"));
  try {
    return await body(folder);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

async function table() {
  return await inFolder(async (folder) => {
    writeFileSync(`${folder}/rows.csv.gz`, gzipSync(ROWS));
    return await readCsv(`${folder}/rows.csv.gz`);
  });
}

const options = { epochs: 6, valid: 0.2, seed: 1 };

/** What the runtime finds that calls it, by the reference. */
export async function truthHere(): Promise<Truth> {
  const logs: Record<string, (number | null)[]> = {};
  for (const { title, circuit, samples } of plainCircuits()) {
    const found = await new ReferenceEvaluator(circuit).logLikelihoods(samples);
    logs[title] = [...found].map((log) => log === -Infinity ? null : log);
  }
  const rows = await table(), learner = new ReferenceLearner(hcltFromSamples(rows, { latents: 3, seed: 2 }));
  const { circuit } = await fit(learner, rows, options);
  const drawn = recordsOf(circuit, await sample(new ReferenceEvaluator(circuit), 20, { seed: 3 }));
  const fitted = Object.fromEntries([...circuit.parameters].map(([id, { values }]) => [id, [...values]]));
  return { logs, fitted, drawn };
}

function near(
  got: readonly (number | null)[],
  wanted: readonly (number | null)[],
  most: number,
  what: string,
) {
  assert.equal(got.length, wanted.length, what);
  got.forEach((x, i) => {
    const y = wanted[i] as number | null;
    const right = x === null || y === null ? x === y : Math.abs(x - y) <= most * Math.max(1, Math.abs(y));
    assert.ok(right, `${what}, entry ${i}: ${x}, not ${y}`);
  });
}

/** Registers the tests. */
export function librarySuite(truth: Truth, name: EngineName): void {
  const test = (title: string, fn: () => Promise<void>) =>
    suiteTest({ name: `library, ${name}: ${title}`, fn });

  test("the reference finds what it finds in Deno: likelihoods, fitted parameters, drawn rows", async () => {
    const here = await truthHere();
    assert.deepEqual(Object.keys(here.logs), Object.keys(truth.logs));
    for (const [title, logs] of Object.entries(truth.logs)) near(here.logs[title]!, logs, 1e-12, title);
    assert.deepEqual(Object.keys(here.fitted), Object.keys(truth.fitted));
    for (const [id, values] of Object.entries(truth.fitted)) near(here.fitted[id]!, values, 1e-6, id);
    assert.equal(here.drawn.length, 20);
    here.drawn.forEach((row, s) => {
      const wanted = truth.drawn[s] as Record<string, unknown>;
      for (const [name, x] of Object.entries(row as Record<string, unknown>)) {
        if (typeof x === "number") near([x], [wanted[name] as number], 1e-5, `row ${s}, ${name}`);
        else assert.equal(x, wanted[name], `row ${s}, ${name}`);
      }
    });
  });

  test("the engine is within 1e-4 nats of what Deno's reference finds", async () => {
    for (const { title, circuit, samples } of plainCircuits()) {
      const engine = await openEngine(circuit, { engine: name, threads: 1 });
      try {
        const logs = [...await engine.logLikelihoods(samples)].map((log) => log === -Infinity ? null : log);
        logs.forEach((log, i) => {
          const wanted = truth.logs[title]![i] as number | null;
          // Log-likelihoods of thousands of nats are within a millionth.
          const most = 1e-4 + 1e-6 * Math.abs(wanted ?? 0);
          const right = log === null || wanted === null ? log === wanted : Math.abs(log - wanted) <= most;
          assert.ok(right, `${title}, entry ${i}: ${log}, not ${wanted}`);
        });
      } finally {
        await engine.close();
      }
    }
  });

  test("a table is read, learned by the engine, saved, loaded and asked again", async () => {
    const rows = await table(), start = hcltFromSamples(rows, { latents: 3, seed: 2 });
    const engine = await openEngine(start, { engine: name, threads: 1 });
    const { circuit } = await fit(engine, rows, options);
    for (const [id, values] of Object.entries(truth.fitted)) {
      near([...circuit.parameters.get(id)!.values], values, 1e-3, id);
    }
    await inFolder(async (folder) => {
      await saveCircuit(`${folder}/a/model`, circuit);
      assert.deepEqual(readdirSync(`${folder}/a/model`).sort(), ["circuit.json", "parameters.safetensors"]);
      const back: Circuit = await loadCircuit(`${folder}/a/model`);
      assert.deepEqual(back, circuit);
      const again = await openEngine(back, { engine: name, threads: 1 });
      assert.deepEqual(await logLikelihood(again, rows.samples), await logLikelihood(engine, rows.samples));
      await again.close();
      await assert.rejects(loadCircuit(`${folder}/b`), {
        code: "circuit-file/missing",
        message: /there is no circuit/,
      });
      await assert.rejects(loadCircuit(`${folder}/a/model/circuit.json`), {
        message: /is a file; a circuit is a folder/,
      });
      await assert.rejects(readCsv(`${folder}/none.csv`), {
        code: "model-file/unreadable",
        message: /no such file/,
      });
    });
    await engine.close();
  });

  test("tensors are read from files by rows", async () => {
    const values = Float64Array.from({ length: 40 }, (_, i) => i / 3);
    await inFolder(async (folder) => {
      const path = `${folder}/t.safetensors`;
      writeFileSync(path, encodeSafetensors(new Map([["t", { shape: [10, 4], values }]])));
      for (const most of [0, undefined]) {
        const file = await TensorFile.open(path, most);
        assert.deepEqual(await file.all("t"), values);
        const wanted = [7, 8, 2, 2].flatMap((row) => [...values.subarray(4 * row, 4 * row + 4)]);
        assert.deepEqual([...await file.rows("t", Uint32Array.of(7, 8, 2, 2))], wanted);
      }
    });
  });
}
