import assert from "node:assert/strict";
import {
  type CountRows,
  EmTraining,
  encodeSafetensors,
  hmm,
  ReferenceLearner,
  type Samples,
  samplesFromRows,
  type SoftEvidence,
  softOf,
  sourceOf,
  TensorFile,
} from "../../circuits/mod.ts";
import type { AnyCodec, Artifact } from "../../runner/codec.ts";
import { artifactReader, writeArtifact } from "../../runner/store/artifacts.ts";
import { Store } from "../../runner/store/store.ts";
import { circuit } from "../../stages/codecs/circuit.ts";
import { samples } from "../../stages/codecs/samples.ts";
import { shardCounts, type StoredCounts } from "../../stages/codecs/table_parts.ts";
import { trainingState } from "../../stages/codecs/training_state.ts";
import { Folder } from "../command.ts";

/** Writes and reads a value in a store of its own. */
async function throughStore<T>(
  codec: AnyCodec,
  value: unknown,
  use: (value: never, artifact: Artifact) => T,
) {
  using folder = new Folder();
  const store = Store.open(folder.store, { create: true });
  const artifact = await writeArtifact(store.blobs, codec, value, "it");
  return await use(await codec.read(artifactReader(store.blobs, artifact)) as never, artifact);
}

Deno.test("a circuit comes back, with its size as facts", async () => {
  const made = hmm({ length: 3, states: 2, symbols: 4 });
  await throughStore(circuit, made, (back: typeof made, { facts }) => {
    assert.deepEqual(back.nodes, made.nodes);
    assert.deepEqual(back.parameters.get("emission")!.values, made.parameters.get("emission")!.values);
    assert.deepEqual(facts, { variables: 3, nodes: 8, units: 15, edges: 10, parameters: 14 });
  });
});

Deno.test("samples come back with their soft evidence; what stands in the place of it makes no difference", async () => {
  const made: Samples = {
    ...samplesFromRows([[7, 0, 1], [2, 1, null], [0, 9, 2]]),
    soft: new Map<number, SoftEvidence>([
      [0, { weights: Float32Array.of(0.5, 0.5, 0, 0, 1, 2), rows: Uint8Array.of(1, 0, 0) }],
      [1, { weights: Float32Array.of(1, 0.25, 3), indices: Uint8Array.of(4, 1, 0) }],
    ]),
  };
  const values = Int32Array.of(0, 8, 1, 2, 8, 0, 0, 8, 2), digests = new Set<string>();
  for (const one of [made, { ...made, values }]) {
    await throughStore(samples, one, async (back: Awaited<ReturnType<typeof samples.read>>, { digest }) => {
      digests.add(digest);
      for (
        const [some, index] of [[await back.all(), [0, 1, 2]], [await back.read(Uint32Array.of(2, 0)), [
          2,
          0,
        ]]] as const
      ) {
        for (const [i, s] of index.entries()) {
          for (const v of [0, 1, 2]) assert.deepEqual(softOf(some, i, v), softOf(made, s, v));
        }
      }
    });
  }
  assert.equal(digests.size, 1);
});

Deno.test("samples come back by index and as a whole; equal samples are equal bytes", async () => {
  const rows = [[0, 1.5, null], [3, -2, 7], [null, 0.25, 1], [2, 1e10, 0]];
  const made: Samples = {
    ...samplesFromRows(rows),
    externals: new Map([[1, Float32Array.from({ length: 8 }, (_, i) => -i)]]),
  };
  const digests = new Set<string>();
  const values = made.values.slice();
  values[2] = 99; // what is not observed may be anything
  for (const one of [made, { ...made, values }, { ...made, values: Float64Array.from(made.values) }]) {
    await throughStore(
      samples,
      { ...one, weights: [1, 2, 0.5, 1] },
      async (back: Awaited<ReturnType<typeof samples.read>>, { digest, facts }) => {
        digests.add(digest);
        assert.deepEqual(facts, { samples: 4, variables: 3, missing: 2 });
        assert.deepEqual([...back.weights!], [1, 2, 0.5, 1]);
        const some = await back.read(Uint32Array.of(3, 1));
        assert.deepEqual([...some.values], [2, 1e10, 0, 3, -2, 7].map(Math.fround));
        assert.deepEqual([...some.observed!], [1, 1, 1, 1, 1, 1]);
        assert.deepEqual([...some.externals!.get(1)!], [-6, -7, -2, -3]);
        const all = await back.all();
        assert.deepEqual([...all.observed!], [1, 1, 0, 1, 1, 1, 0, 1, 1, 1, 1, 1]);
        all.values.fill(0); // what was handed out is a copy
        assert.equal((await back.read(Uint32Array.of(1))).values[0], 3);
      },
    );
  }
  assert.equal(digests.size, 1);
  for (
    const [values, type] of [[[0, 255], Uint8Array], [[0, 256], Int32Array], [
      [0.1, 2],
      Float64Array,
    ]] as const
  ) {
    await throughStore(
      samples,
      { count: 2, variables: 1, values: Float64Array.from(values) },
      async (back: Awaited<ReturnType<typeof samples.read>>) => {
        const all = await back.all();
        assert.ok(all.values instanceof type);
        assert.deepEqual([...all.values], [...values]);
        assert.equal(all.observed, undefined);
      },
    );
  }
  await assert.rejects(
    throughStore(samples, { count: 2, variables: 2, values: new Uint8Array(3) }, () => {}),
    /need 4 values; got 3/,
  );
});

Deno.test("a file larger than memory is read by rows; a cut one is refused", async () => {
  using folder = new Folder();
  const values = Int32Array.from({ length: 60 }, (_, i) => i * i), path = `${folder.path}/t.safetensors`;
  const bytes = encodeSafetensors(
    new Map([["a", { shape: [20, 3], values }], ["b", { shape: [2], values: Uint8Array.of(7, 8) }]]),
  );
  await Deno.writeFile(path, bytes);
  const wanted = [5, 6, 7, 0, 19, 19].flatMap((s) => [...values.slice(3 * s, 3 * s + 3)]);
  for (const inMemory of [0, 1e6]) {
    const file = await TensorFile.open(path, inMemory);
    assert.deepEqual(file.names, ["a", "b"]);
    assert.deepEqual([...await file.rows("a", Uint32Array.of(5, 6, 7, 0, 19, 19))], wanted);
    assert.deepEqual(await file.all("a"), values);
    assert.deepEqual([...await file.rows("b", Uint32Array.of(1))], [8]);
    await assert.rejects(file.rows("a", Uint32Array.of(20)), /row 20 of tensor `a` with 20 rows/);
    assert.throws(() => file.shape("c"), /no tensor `c`/);
  }
  for (const size of [4, 40, bytes.length - 1]) {
    await Deno.writeFile(path, bytes.subarray(0, size));
    await assert.rejects(TensorFile.open(path), /safetensors/);
  }
});

Deno.test("the state of a training comes back exactly", async () => {
  const learner = new ReferenceLearner(hmm({ length: 2, states: 2, symbols: 2 }));
  const source = sourceOf(samplesFromRows([[0, 1], [1, 1], [0, 0]]));
  const training = new EmTraining(learner, { train: source, valid: source }, { epochs: 2, batchSize: 2 });
  for (let i = 0; i < 3; i++) await training.step();
  const state = await training.state();
  await throughStore(trainingState, state, (back: typeof state) => {
    assert.deepEqual(back.progress, state.progress);
    assert.deepEqual(new Map([...back.tensors].sort()), new Map([...state.tensors].sort()));
  });
});

Deno.test("counts of a shard come back exactly; rows without counts take no room, nor do zeros in others", async () => {
  const row = (...values: number[]) => Float64Array.from(values), width = 10;
  const some = Float64Array.from({ length: width }, (_, i) => i % 3 === 0 ? 0 : 1 / i);
  const made = {
    parts: [
      new Map<string, CountRows>([
        ["words", {
          rows: 1000,
          width,
          byState: true,
          counted: new Map([[7, some], [3, some.map(() => 0)], [999, some.map((_, i) => 2 + i)], [
            0,
            some.toReversed(),
          ]]),
        }],
        ["sums", { rows: 2, width: 3, byState: false, counted: new Map([[1, row(0.5, 1e-300, 2)]]) }],
        ["nothing", { rows: 4, width: 2, byState: false, counted: new Map() }],
      ]),
    ],
    weight: row(3, 4),
  };
  await throughStore(shardCounts, made, async (back: StoredCounts, { files }) => {
    const part = await back.part(0);
    const kept = new Map(made.parts[0]!.get("words")!.counted);
    kept.delete(3); // Nothing but zeros.
    assert.deepEqual(
      part,
      new Map(made.parts[0]).set("words", { ...made.parts[0]!.get("words")!, counted: kept }),
    );
    assert.deepEqual(await back.weight(), made.weight);
    // 6 + 10 + 6 counts of words and 3 of a sum; a row's number and length; two rows of bits; the rest is the header.
    const head = files[0]!.size - 8 * 25 - 8 * 4 - 2 * 2;
    assert.ok(head > 0 && head < 1500, `${head} bytes`);
  });
});
