import assert from "node:assert/strict";
import { RandomStream } from "../../circuits/random.ts";
import { parameterOf } from "../../circuits/mod.ts";
import { Windows } from "../../datasets/text/windows.ts";
import { cpuKMeans, cpuProducts, everyNth, kmeans, vectorsOf } from "../../kernels/kmeans/mod.ts";
import { type MatrixShards, matrixShards } from "../../runner/codecs/shard_codecs.ts";
import { ShardWriter } from "../../runner/codecs/shard_writer.ts";
import { CheckpointFolder } from "../../runner/store/checkpoints.ts";
import { Store } from "../../runner/store/store.ts";
import { assignClusters } from "../../stages/clusters/assign.ts";
import {
  centroids,
  clusteringState,
  type ClusterLabels,
  clusterLabels,
  clusterReport,
  principalAxes,
} from "../../stages/clusters/codecs.ts";
import { clusterVectors } from "../../stages/clusters/kmeans.ts";
import { fitPca, projectPca } from "../../stages/clusters/pca.ts";
import { circuit } from "../../stages/codecs/circuit.ts";
import { tokens, windows } from "../../stages/text/codecs.ts";
import { clusterTable, describeClusters } from "../../stages/text/describe_clusters.ts";
import { materialiseHmm } from "../../stages/text/materialise_hmm.ts";
import { inPlace, runHere, type SmallStore } from "./in_place.ts";

const WIDTH = 4;

/** Vectors around three points, in single precision. */
function threeClouds(rows: number, seed = 1): Float32Array {
  const random = new RandomStream(seed);
  return Float32Array.from(
    { length: rows * WIDTH },
    (_, i) => 5 * Math.cos(Math.floor(i / WIDTH) % 3 * 2 + i % WIDTH) + random.normal(),
  );
}

async function matrixOf(place: SmallStore, values: Float32Array, width = WIDTH): Promise<MatrixShards> {
  const folder = Deno.makeTempDirSync({ dir: place.scratch });
  const writer = new ShardWriter({ folder, type: "f4", width, shardRows: 16 });
  await writer.append(values);
  return await place.read(matrixShards, await place.write(matrixShards, await writer.finish()));
}

/** Writes and reads an artifact. */
async function through<R>(
  place: SmallStore,
  codec: Parameters<SmallStore["read"]>[0],
  value: unknown,
): Promise<R> {
  return await place.read(codec, await place.write(codec, value)) as R;
}

class Killed extends Error {}

Deno.test("clusters of shards are those of the vectors in memory, and their report tells how it went", async () => {
  await inPlace(async (place) => {
    const values = threeClouds(100);
    const metrics: [string, number, number | undefined][] = [];
    const found = await runHere(clusterVectors, { vectors: await matrixOf(place, values) }, {
      clusters: 3,
      restarts: 2,
      memory: 0,
    }, { metric: (name: string, value: number, step?: number) => metrics.push([name, value, step]) });
    const expected = await kmeans(vectorsOf(values, WIDTH), { clusters: 3, restarts: 2, seed: 1 }, {
      kernel: cpuKMeans,
      products: cpuProducts,
    });
    assert.deepEqual(await through(place, clusterLabels, found.labels), {
      labels: expected.labels,
      clusters: 3,
    });
    const read = await through<{ values: Float32Array }>(place, centroids, found.centroids);
    assert.deepEqual(read, {
      values: expected.centroids,
      positions: 1,
      clusters: 3,
      width: WIDTH,
      metric: "euclidean",
    });
    const report = await through<typeof found.report>(place, clusterReport, found.report);
    assert.deepEqual(report.positions[0].sizes.toSorted(), [33, 33, 34]);
    assert.match(
      clusterReport.summary!(report) as string,
      /3 clusters of 33 to 34 vectors, median 33; mean squared/,
    );
    const course = metrics.filter(([name]) => name === "distance, run 0").map(([, value]) => value);
    assert.equal(course.length, expected.runs[0]!.inertia.length);
    assert.ok(course.every((x, i) => i === 0 || x <= course[i - 1]! + 1e-4));

    // The same centroids put the same vectors into the same clusters.
    const again = await runHere(assignClusters, { vectors: await matrixOf(place, values), centroids: read });
    assert.deepEqual(again.labels, found.labels);
  });
});

Deno.test("positions get clusters of their own", async () => {
  await inPlace(async (place) => {
    const values = threeClouds(60);
    const vectors = await matrixOf(place, values);
    const found = await runHere(clusterVectors, { vectors }, { clusters: 2, positions: 3, memory: 0 });
    for (let p = 0; p < 3; p++) {
      const expected = await kmeans(everyNth(vectorsOf(values, WIDTH), 3, p), { clusters: 2, seed: 1 }, {
        kernel: cpuKMeans,
        products: cpuProducts,
      });
      assert.deepEqual(
        (found.labels.labels as Int32Array).filter((_, row) => row % 3 === p),
        expected.labels,
      );
      assert.deepEqual(found.centroids.values.slice(p * 8, (p + 1) * 8), expected.centroids);
    }
    assert.equal(found.report.positions.length, 3);
    const again = await runHere(assignClusters, { vectors, centroids: found.centroids });
    assert.deepEqual(again.labels, found.labels);
    await assert.rejects(
      runHere(clusterVectors, { vectors }, { clusters: 2, positions: 7 }),
      /60 vectors cannot be split into samples/,
    );
  });
});

Deno.test("killed after any iteration, clustering goes on and ends with the same bytes", async () => {
  await inPlace(async (place) => {
    const vectors = await matrixOf(place, threeClouds(90));
    const store = Store.open(`${place.scratch}/store`, { create: true });
    for (
      const params of [{ clusters: 4, restarts: 2 }, { clusters: 2, positions: 3 }, {
        clusters: 3,
        batch: 20,
        iterations: 5,
      }]
    ) {
      const run = async (checkpoint: CheckpointFolder, killAfter: number) => {
        let saves = 0;
        const made = await runHere(clusterVectors, { vectors }, { ...params, tolerance: 0 }, {
          checkpoint: {
            load: () => checkpoint.load(),
            async offer(make: () => unknown) {
              await checkpoint.save(await make() as never);
              if (++saves === killAfter) throw new Killed();
            },
          },
        });
        const digests = [];
        for (
          const [codec, value] of [[clusterLabels, made.labels], [centroids, made.centroids], [
            clusterReport,
            made.report,
          ]]
        ) {
          digests.push((await place.write(codec, value)).digest);
        }
        return { digests, saves };
      };
      let node = 0;
      const fresh = () =>
        new CheckpointFolder(store, `${params.clusters}${node++}`.padStart(64, "0"), clusteringState);
      const expected = await run(fresh(), Infinity);
      assert.ok(expected.saves > 3);
      for (let killAfter = 1; killAfter <= expected.saves; killAfter += 2) {
        const checkpoint = fresh();
        await assert.rejects(run(checkpoint, killAfter), Killed);
        assert.deepEqual((await run(checkpoint, Infinity)).digests, expected.digests);
      }
    }
  });
});

Deno.test("rows of padding count for nothing where they are to be skipped", async () => {
  await inPlace(async (place) => {
    const values = threeClouds(60);
    for (let row = 0; row < 60; row += 5) values.fill(0, row * WIDTH, (row + 1) * WIDTH);
    const vectors = await matrixOf(place, values);
    const cosine = { clusters: 3, metric: "cosine", zeros: "skip" };
    const found = await runHere(clusterVectors, { vectors }, { ...cosine, restarts: 5 });
    const kept = Float32Array.from({ length: 48 * WIDTH }, (_, i) => {
      const row = Math.floor(i / WIDTH);
      return values[(row + 1 + Math.floor(row / 4)) * WIDTH + i % WIDTH]!;
    });
    const alone = await runHere(clusterVectors, { vectors: await matrixOf(place, kept) }, {
      ...cosine,
      restarts: 5,
    });
    const rows = (found.labels.labels as Int32Array).filter((_, row) => row % 5 !== 0);
    // The same partition, whatever the clusters are called.
    const pairs = new Set(rows.map((label, row) => label * 10 + alone.labels.labels[row]));
    assert.equal(pairs.size, 3);
    await assert.rejects(
      runHere(clusterVectors, { vectors }, { ...cosine, zeros: "keep" }),
      /vector 0 is zero/,
    );
    const assigned = await runHere(assignClusters, { vectors, centroids: found.centroids }, {
      zeros: "skip",
    });
    assert.deepEqual((assigned.labels.labels as Int32Array).filter((_, row) => row % 5 !== 0), rows);
  });
});

Deno.test("principal components shorten vectors, shard by shard", async () => {
  await inPlace(async (place) => {
    const vectors = await matrixOf(place, threeClouds(50));
    const { axes } = await runHere(fitPca, { vectors }, { components: 2 });
    const stored = await through(place, principalAxes, axes);
    assert.deepEqual(stored, axes);
    const made = await runHere(projectPca, { vectors, axes: stored }, {}, {
      scratch: () => Deno.makeTempDir({ dir: place.scratch }),
    });
    const projected = await through<MatrixShards>(place, matrixShards, made.vectors);
    assert.deepEqual([projected.rows, projected.width], [50, 2]);
    const all = await projected.all();
    const variance = all.reduce((sum, x, i) => sum + (i % 2 === 0 ? x * x : 0), 0) / 49;
    assert.ok(Math.abs(variance - axes.variances[0]) < 1e-3 * variance);
    const narrow = await matrixOf(place, threeClouds(50), 2);
    await assert.rejects(runHere(projectPca, { vectors: narrow, axes: stored }), /vectors of 2 numbers/);
  });
});

/** 13 tokens in windows of 4, the last one padded; `b` is the end. The cluster is that of the token. */
async function text(place: SmallStore) {
  const ids = Int32Array.of(0, 2, 1, 3, 3, 2, 0, 1, 2, 2, 3, 1, 0);
  const folder = Deno.makeTempDirSync({ dir: place.scratch });
  const writer = new ShardWriter({ folder, type: "u1", width: 1 });
  await writer.append(ids);
  const laid = Windows.over([0, ids.length], { length: 4, partial: "pad" });
  const rows = Array.from({ length: laid.count * 4 }, (_, i) => i < ids.length ? ids[i]! : -1);
  const cluster = [0, 0, 1, 1];
  const labels = Int32Array.from(rows, (id) => id < 0 ? 0 : cluster[id]!);
  const vectors = Float32Array.from(rows.flatMap((id) => id < 0 ? [0, 0] : [cluster[id]!, 0.1 * id]));
  return {
    tokens: await through(place, tokens, {
      ids: await writer.finish(),
      starts: Float64Array.of(0, ids.length),
    }),
    windows: await through(place, windows, laid),
    vocabulary: { kind: "words", words: ["a", "b", "c", "d"], unknown: null, end: 1 },
    labels: await through<ClusterLabels>(place, clusterLabels, { labels, clusters: 2 }),
    vectors: await matrixOf(place, vectors, 2),
    centroids: {
      values: Float32Array.of(0, 0, 1, 0.2),
      positions: 1,
      clusters: 2,
      width: 2,
      metric: "euclidean",
    },
  };
}

Deno.test("an HMM is materialised from windows and clusters, with a state for the end", async () => {
  await inPlace(async (place) => {
    const inputs = await text(place);
    const none = { initial: 0, transition: 0, emission: 0, unigram: 0 };
    const made = await runHere(materialiseHmm, inputs, none);
    const hmm = await through<Parameters<typeof parameterOf>[0]>(place, circuit, made.circuit);
    assert.equal(hmm.variables.length, 4);
    // By hand: a c b d | d c a b | c c d b | a: states 0 1 2 1 | 1 1 0 2 | 1 1 1 2 | 0.
    const near = (id: string, expected: number[]) =>
      [...parameterOf(hmm, id).values].forEach((p, i) =>
        assert.ok(Math.abs(p - expected[i]!) < 1e-6, `${id} ${i}`)
      );
    near("initial", [1 / 2, 1 / 2, 0]);
    near("transition", [0, 1 / 2, 1 / 2, 1 / 6, 3 / 6, 2 / 6, 0, 1, 0]);
    near("emission", [1, 0, 0, 0, 0, 0, 4 / 7, 3 / 7, 0, 1, 0, 0]);

    const plain = await runHere(materialiseHmm, inputs, { ...none, endState: false });
    assert.deepEqual(parameterOf(plain.circuit, "transition").shape, [1, 2, 2]);
    const without = { ...inputs, vocabulary: { ...inputs.vocabulary, end: null } };
    await assert.rejects(runHere(materialiseHmm, without), /this vocabulary has no end-of-text token/);
    const short = { ...inputs, labels: { labels: new Int32Array(8), clusters: 2 } };
    await assert.rejects(runHere(materialiseHmm, short), /8 labels for 4 windows of 4 positions/);
  });
});

Deno.test("a table tells what the suffixes of a cluster have in common", async () => {
  await inPlace(async (place) => {
    const inputs = await text(place);
    const { table } = await runHere(describeClusters, inputs, { tokens: 1, examples: 2 });
    const [first, second] = (await through<typeof table>(place, clusterTable, table)).clusters;
    assert.deepEqual([first.size, second.size], [6, 7]);
    assert.deepEqual(
      first.tokens.map(({ token, count }: { token: string; count: number }) => [token, count]),
      [["a", 3]],
    );
    assert.ok(Math.abs(first.tokens[0].lift - 3 / 6 / (3 / 13)) < 1e-9);
    assert.deepEqual(
      first.examples[0],
      { before: "", suffix: "a c b d" },
      "the nearest suffix, the first of equals",
    );
    assert.deepEqual(second.examples.map(({ suffix }: { suffix: string }) => suffix.split(" ")[0]), [
      "c",
      "d",
    ]);
    assert.ok(Math.abs(second.distance - (4 * 0 + 3 * 0.01) / 7) < 1e-6);
    assert.match(clusterTable.summary!(table) as string, /cluster +size +tokens\n +1 +7 +c/);

    // Pieces are shown as they read together, ends by their name.
    const vocabulary = { kind: "pieces", words: ["▁un", "</s>", "seen", "▁cats"], unknown: null, end: 1 };
    const pieces = await runHere(describeClusters, { ...inputs, vocabulary }, { tokens: 1, examples: 2 });
    assert.deepEqual(pieces.table.clusters[0].examples[0], { before: "", suffix: "unseen </s> cats" });
    assert.deepEqual(pieces.table.clusters[1].examples[0], { before: "un", suffix: "seen </s> cats" });
  });
});
