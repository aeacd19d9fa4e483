/** What k-means must do on every engine, as tests that each of them runs. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import fc from "fast-check";
import { RandomStream } from "../../circuits/mod.ts";
import {
  cpuProducts,
  everyNth,
  type KernelFactory,
  kmeans,
  type KMeansContext,
  type KMeansOptions,
  type KMeansState,
  nearestCentroids,
  type Vectors,
  vectorsOf,
} from "../../kernels/kmeans/mod.ts";
import { type SuiteOptions, suiteTest } from "../registry.ts";
import { holds } from "../property.ts";

interface Truth {
  readonly vectors: readonly number[][];
  readonly weights: readonly number[];
  readonly lloyd: Clustering;
  readonly weighted: Clustering;
  readonly spherical: Clustering;
  readonly threeIterations: { readonly centroids: readonly number[][] };
  readonly best: { readonly clusters: number; readonly inertia: number };
}

interface Clustering {
  readonly labels: readonly number[];
  readonly centroids: readonly number[][];
  readonly inertia: number;
}

/** What scikit-learn and numpy made of the same vectors: see make.py beside it. */
const truth = JSON.parse(
  readFileSync(new URL("../fixtures/kmeans/truth.json", import.meta.url), "utf8"),
) as Truth;
const WIDTH = 5;
const values = Float32Array.from(truth.vectors.flat());
const blobs = vectorsOf(values, WIDTH);
const start = values.slice(0, 8 * WIDTH);

/** An engine that does k-means. */
export interface KMeansSuite {
  /** Name in the titles of the tests. */
  readonly name: string;
  /** Its kernel. */
  readonly kernel: KernelFactory;
  /** Part of the repetitions to make, where a device makes each of them wait; 1 when left out. */
  readonly share?: number;
  /** Options of its tests. */
  readonly test?: SuiteOptions;
}

function near(actual: ArrayLike<number>, expected: ArrayLike<number>, tolerance: number) {
  assert.equal(actual.length, expected.length);
  for (let i = 0; i < expected.length; i++) {
    assert.ok(Math.abs(actual[i]! - expected[i]!) <= tolerance, `${i}: ${actual[i]} is not ${expected[i]}`);
  }
}

/** Sum of weighted squared distances in float64, by the definition. */
function inertiaOf(
  vectors: Float32Array,
  width: number,
  centroids: Float32Array,
  labels: ArrayLike<number>,
  weights?: ArrayLike<number>,
) {
  let total = 0;
  for (let row = 0; row < labels.length; row++) {
    for (let i = 0; i < width; i++) {
      const d = vectors[row * width + i]! - centroids[labels[row]! * width + i]!;
      total += (weights?.[row] ?? 1) * d * d;
    }
  }
  return total;
}

/** Registers the tests. */
export function kmeansSuite({ name, kernel, share = 1, test: options }: KMeansSuite): void {
  const test = (title: string, fn: (own: Deno.TestContext) => Promise<void>) =>
    suiteTest({ ...options, name: `k-means, ${name}: ${title}`, fn });
  const run = (vectors: Vectors, options: KMeansOptions, context: Partial<KMeansContext> = {}) =>
    kmeans(vectors, options, { kernel, products: cpuProducts, ...context });

  test("from the same start it ends where scikit-learn ends", async () => {
    const found = await run(blobs, { clusters: 8, start, tolerance: 0, iterations: 500 });
    assert.deepEqual([...found.labels], truth.lloyd.labels);
    near(found.centroids, truth.lloyd.centroids.flat(), 2e-5);
    near([found.inertia], [truth.lloyd.inertia], 1e-3);
    near([found.distances.reduce((a, b) => a + b, 0)], [truth.lloyd.inertia], 1e-2);
    assert.equal(found.runs[0]!.converged, true);

    const three = await run(blobs, { clusters: 8, start, tolerance: 0, iterations: 3 });
    near(three.centroids, truth.threeIterations.centroids.flat(), 2e-5);
  });

  test("weighted, it ends where scikit-learn ends", async () => {
    const { weights } = truth;
    const found = await run(blobs, { clusters: 8, start, tolerance: 0, iterations: 500, weights });
    assert.deepEqual([...found.labels], truth.weighted.labels);
    near(found.centroids, truth.weighted.centroids.flat(), 2e-5);
    near([found.inertia], [truth.weighted.inertia], 2e-3);
  });

  test("by angle, it ends where the plain algorithm ends", async () => {
    const options = { clusters: 8, start, metric: "cosine" as const, tolerance: 0, iterations: 500 };
    const found = await run(blobs, options);
    assert.deepEqual([...found.labels], truth.spherical.labels);
    near(found.centroids, truth.spherical.centroids.flat(), 2e-5);
    near([found.inertia], [truth.spherical.inertia], 1e-4);
    // Lengths do not matter.
    const longer = vectorsOf(values.map((x, i) => x * (1 + Math.floor(i / WIDTH) % 7)), WIDTH);
    assert.deepEqual([...(await run(longer, options)).labels], truth.spherical.labels);
  });

  test("with restarts it is within 1 % of scikit-learn's best of 200", async () => {
    for (const start of share < 1 ? ["k-means++"] as const : ["k-means++", "sample"] as const) {
      const { clusters, inertia } = truth.best;
      const found = await run(blobs, { clusters, start, restarts: 20, tolerance: 0, seed: 3 });
      assert.ok(found.inertia < 1.01 * inertia, `${start}: ${found.inertia} is more than ${inertia}`);
      near([inertiaOf(values, WIDTH, found.centroids, found.labels)], [found.inertia], 1e-3);
      assert.equal(found.runs.length, 20);
      const ends = found.runs.map((run) => run.inertia.at(-1)!);
      near([ends[found.best]!], [Math.min(...ends)], 1e-6 * inertia);
      assert.deepEqual([...found.sizes], countsOf(found.labels, clusters));
    }
  });

  test("mini-batches come within 5 % of full passes", async () => {
    const clusters = 8;
    const full = await run(blobs, { clusters, restarts: 10, tolerance: 0 });
    const found = await run(blobs, { clusters, batch: 64, iterations: 400, restarts: 3 });
    assert.ok(found.inertia < 1.05 * full.inertia, `${found.inertia} is more than ${full.inertia}`);
    assert.ok(found.runs.some((run) => run.converged));
  });

  test("full passes never raise the inertia, and the reported one is that of the labels", async (own) => {
    await holds(
      own,
      fc.asyncProperty(arbitraryProblem(), async ({ vectors, width, clusters, weights, metric, seed }) => {
        const source = vectorsOf(vectors, width);
        const found = await run(source, {
          clusters,
          seed,
          metric,
          tolerance: 0,
          iterations: 30,
          start: seed % 2 === 0 ? "sample" : "k-means++",
          ...(weights && { weights }),
        });
        const compared = metric === "cosine" ? unit(vectors, width) : vectors;
        const inertia = found.runs[0]!.inertia;
        const scale = 1e-5 * compared.reduce((sum, x) => sum + x * x, 0);
        for (let i = 1; i < inertia.length; i++) assert.ok(inertia[i]! <= inertia[i - 1]! + scale);
        assert.ok(found.inertia <= inertia.at(-1)! + scale);
        near([inertiaOf(compared, width, found.centroids, found.labels, weights)], [found.inertia], scale);
        // Every label is that of a nearest centroid, by a plain search in float64.
        for (let row = 0; row < source.rows; row++) {
          const x = compared.subarray(row * width, (row + 1) * width);
          const distances = Array.from(
            { length: clusters },
            (_, k) => inertiaOf(x, width, found.centroids.subarray(k * width, (k + 1) * width), [0]),
          );
          assert.ok(distances[found.labels[row]!]! <= Math.min(...distances) + scale);
        }
      }),
      { numRuns: Math.ceil(60 * share) },
    );
  });

  test("the order of the vectors decides the order of the labels and nothing else", async () => {
    const order = new RandomStream(4).permutation(blobs.rows);
    const shuffled = Float32Array.from(order.flatMap((row) => truth.vectors[row]!));
    const options = { clusters: 8, start, tolerance: 0, iterations: 500 };
    const found = await run(vectorsOf(shuffled, WIDTH), options);
    assert.deepEqual([...found.labels], order.map((row) => truth.lloyd.labels[row]!));
  });

  test("empty clusters get the vectors that lie farthest off, always the same ones", async () => {
    // Seven centroids lie far away from everything and get no vector.
    const far = new Float32Array(8 * WIDTH).fill(1e3);
    far.set(values.subarray(0, WIDTH));
    const options = { clusters: 8, start: far, tolerance: 0, iterations: 500 };
    const found = await run(blobs, options);
    assert.equal(found.runs[0]!.filled[0], 7);
    assert.ok(found.sizes.every((size) => size > 0));
    assert.ok(found.inertia < 0.5 * found.runs[0]!.inertia[0]!);
    assert.deepEqual((await run(blobs, options)).labels, found.labels);

    // All start on one direction, up to rounding.
    const one = Float32Array.from({ length: 8 * WIDTH }, (_, i) => start[i % WIDTH]!);
    const spherical = await run(blobs, { clusters: 8, start: one, metric: "cosine", tolerance: 0 });
    assert.equal(spherical.runs[0]!.filled[0], 7);
    assert.ok(spherical.sizes.every((size) => size > 0));
  });

  test("of vectors that are all the same, or of fewer kinds than clusters, the rest stays empty", async () => {
    const same = await run(vectorsOf(new Float32Array(40).fill(0.1), 4), { clusters: 3 });
    assert.ok(same.inertia < 1e-10);
    assert.equal(same.sizes.reduce((a, b) => a + b, 0), 10);

    const kinds = Float32Array.from(
      { length: 60 },
      (_, i) => [0.3, -7, 11.7][Math.floor(i / 2) % 3]! + i % 2,
    );
    for (const start of ["sample", "k-means++"] as const) {
      const found = await run(vectorsOf(kinds, 2), { clusters: 5, start, tolerance: 0 });
      assert.ok(found.inertia < 1e-9, `inertia ${found.inertia}`);
      assert.equal(found.sizes.filter((size) => size === 10).length, 3);
    }
  });

  test("as many clusters as vectors give each its own", async () => {
    const found = await run(vectorsOf(values.slice(0, 12 * WIDTH), WIDTH), { clusters: 12, tolerance: 0 });
    assert.deepEqual(found.labels.toSorted(), Int32Array.from({ length: 12 }, (_, i) => i));
    assert.ok(found.inertia < 1e-6);
  });

  test("whether vectors are streamed or held does not change a bit", async () => {
    const streamed: Vectors = {
      rows: blobs.rows,
      width: WIDTH,
      blocks: () => blobs.blocks({ rows: 17 }),
      read: (from, to) => blobs.read(from, to),
    };
    const options = { clusters: 9, seed: 11, restarts: 2 };
    assert.deepEqual(await run(streamed, { ...options, memory: 0 }), await run(blobs, options));
  });

  test("resumed from any iteration it ends with the same bytes", async () => {
    for (const batch of [undefined, 50]) {
      const options = { clusters: 7, restarts: 3, iterations: 12, seed: 5, ...(batch && { batch }) };
      const states: KMeansState[] = [];
      const whole = await run(blobs, options, {
        iteration: (state) => {
          states.push(structuredClone(state));
        },
      });
      assert.ok(states.length > 12);
      const step = Math.round(1 / share);
      for (const resume of states.filter((_, i) => i % step === 0)) {
        assert.deepEqual(await run(blobs, options, { resume }), whole);
      }
    }
  });

  test("another seed starts elsewhere, and the start does not depend on the number of restarts", async () => {
    const options = { clusters: 8, iterations: 1 };
    const one = await run(blobs, options);
    const other = await run(blobs, { ...options, seed: 1 });
    assert.notDeepEqual(one.centroids, other.centroids);
    const more = await run(blobs, { ...options, restarts: 3 });
    assert.deepEqual(more.runs[0], one.runs[0]);
  });

  test("what cannot be clustered is refused with the place", async () => {
    await assert.rejects(run(blobs, { clusters: 357 }), /357 clusters of 356 vectors/);
    await assert.rejects(run(blobs, { clusters: 0 }), /`clusters` is 0/);
    await assert.rejects(run(blobs, { clusters: 2, start: new Float32Array(3) }), /`start` has 3 numbers/);
    const broken = values.slice();
    for (const bad of [NaN, -Infinity]) {
      broken[123 * WIDTH + 2] = bad;
      const message = new RegExp(`vector 123, column 2 is ${bad}`);
      await assert.rejects(run(vectorsOf(broken, WIDTH), { clusters: 2 }), message);
    }
    broken.fill(0, 123 * WIDTH, 124 * WIDTH);
    await assert.rejects(
      run(vectorsOf(broken, WIDTH), { clusters: 2, metric: "cosine" }),
      /vector 123 is zero: it has no direction/,
    );
    const weights = [...truth.weights];
    weights[7] = -1;
    await assert.rejects(run(blobs, { clusters: 2, weights }), /weight of vector 7 is -1/);
    await assert.rejects(run(blobs, { clusters: 2, weights: [1] }), /1 weights for 356 vectors/);
    assert.throws(() => vectorsOf(values, 7), /do not divide into vectors of width 7/);
  });

  test("vectors far from zero keep their distances", async () => {
    const found = await run(vectorsOf(values.map((x) => x + 500), WIDTH), {
      clusters: 8,
      start: start.map((x) => x + 500),
      tolerance: 0,
      iterations: 500,
    });
    assert.deepEqual([...found.labels], truth.lloyd.labels);
    assert.ok(Math.abs(found.inertia / truth.lloyd.inertia - 1) < 1e-3);
  });

  test("other vectors go to their nearest centroids", async () => {
    for (const metric of ["euclidean", "cosine"] as const) {
      const { centroids, labels, inertia } = await run(blobs, { clusters: 8, metric, tolerance: 0 });
      const again = await nearestCentroids(blobs, centroids, { metric, kernel });
      assert.deepEqual(again.labels, labels);
      near([again.inertia], [inertia], 1e-3);
      const part = await nearestCentroids(everyNth(blobs, 3, 1), centroids, { metric, kernel });
      assert.deepEqual(part.labels, labels.filter((_, row) => row % 3 === 1));
    }
    await assert.rejects(
      nearestCentroids(blobs, new Float32Array(7), { kernel }),
      /do not divide into centroids of width 5/,
    );
  });
}

function countsOf(labels: Int32Array, clusters: number): number[] {
  const counts = new Array<number>(clusters).fill(0);
  for (const label of labels) counts[label]!++;
  return counts;
}

function unit(vectors: Float32Array, width: number): Float32Array {
  return vectors.map((x, i) => {
    const at = i - i % width;
    return x / Math.hypot(...vectors.subarray(at, at + width));
  });
}

function arbitraryProblem() {
  return fc.record({
    rows: fc.integer({ min: 1, max: 40 }),
    width: fc.integer({ min: 1, max: 6 }),
    share: fc.double({ min: 0, max: 1, noNaN: true }),
    grid: fc.constantFrom(1, 2, 1000),
    seed: fc.integer({ min: 0, max: 2 ** 32 - 1 }),
    weighted: fc.boolean(),
    metric: fc.constantFrom("euclidean" as const, "cosine" as const),
  }).map(({ rows, width, share, grid, seed, weighted, metric }) => {
    const random = new RandomStream(seed);
    // Coarse grids make duplicates and ties.
    const vectors = Float32Array.from(
      { length: rows * width },
      () => Math.round(random.normal() * grid) / grid,
    );
    for (let at = 0; at < vectors.length; at += width) {
      if (vectors.subarray(at, at + width).every((x) => x === 0)) vectors[at] = 1;
    }
    const weights = weighted ? Float64Array.from({ length: rows }, () => random.uniform()) : undefined;
    return { vectors, width, clusters: 1 + Math.floor(share * (rows - 1)), weights, metric, seed };
  });
}
