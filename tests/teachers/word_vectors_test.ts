import assert from "node:assert/strict";
import { Matrix, SingularValueDecomposition } from "ml-matrix";
import { RandomStream } from "../../circuits/random.ts";
import { decayedSums, WordVectors } from "../../teachers/word_vectors.ts";

const UNITS = 9;
const stream = new RandomStream(3);
const TEXT = Int32Array.from(
  { length: 400 },
  (_, i) => (i % 3 === 0 ? stream.integer(3) : 3 + stream.integer(6)),
);

/** Positive pointwise mutual information of tokens within `reach` of each other, by its definition. */
function ppmi(reach: number): number[][] {
  const counts = Array.from({ length: UNITS }, () => new Array<number>(UNITS).fill(0));
  TEXT.forEach((token, i) => {
    for (let j = Math.max(0, i - reach); j <= Math.min(TEXT.length - 1, i + reach); j++) {
      if (j !== i) counts[token]![TEXT[j]!]! += 1;
    }
  });
  const sums = counts.map((row) => row.reduce((a, b) => a + b, 0));
  const total = sums.reduce((a, b) => a + b, 0);
  return counts.map((row, i) =>
    row.map((n, j) => n === 0 ? 0 : Math.max(0, Math.log(n * total / (sums[i]! * sums[j]!))))
  );
}

function vectors(width: number, method: "ppmi" | "random" = "ppmi", seed = 1): Promise<Float32Array> {
  const occurrences = new Float64Array(UNITS);
  for (const token of TEXT) occurrences[token]! += 1;
  const made = new WordVectors(occurrences, { width, reach: 2, contexts: UNITS, method, seed });
  made.add(TEXT.subarray(0, 123)); // Where the text is cut must not matter.
  made.add(TEXT.subarray(123));
  return made.vectors();
}

Deno.test("inner products of the vectors are those of the truncated decomposition", async () => {
  const svd = new SingularValueDecomposition(new Matrix(ppmi(2)));
  for (const width of [2, 4]) {
    const found = await vectors(width);
    for (let i = 0; i < UNITS; i++) {
      for (let j = 0; j < UNITS; j++) {
        let wanted = 0;
        for (let k = 0; k < width; k++) {
          wanted += svd.leftSingularVectors.get(i, k) * svd.diagonal[k]! * svd.leftSingularVectors.get(j, k);
        }
        let product = 0;
        for (let k = 0; k < width; k++) product += found[i * width + k]! * found[j * width + k]!;
        assert.ok(Math.abs(product - wanted) < 1e-4, `${i} ${j}: ${product}, not ${wanted}`);
      }
    }
  }
});

Deno.test("a seed fixes the vectors", async () => {
  assert.deepEqual(await vectors(3), await vectors(3));
  assert.deepEqual(await vectors(3, "random", 7), await vectors(3, "random", 7));
  assert.notDeepEqual(await vectors(3, "random", 7), await vectors(3, "random", 8));
});

Deno.test("too many contexts are refused", () => {
  assert.throws(
    () =>
      new WordVectors(new Float64Array(200_000), {
        width: 2,
        reach: 2,
        contexts: 5000,
        method: "ppmi",
        seed: 0,
      }),
    /counts of 200000 tokens by 5000 contexts take 4000000000 bytes/,
  );
});

Deno.test("decayed sums, by hand; padding is zero", () => {
  const rows = { count: 1, variables: 3, values: Int32Array.of(0, 1, 0), observed: Uint8Array.of(1, 1, 0) };
  assert.deepEqual([...decayedSums(rows, Float32Array.of(1, 2, 10, 20), 2, 0.5)], [6, 12, 10, 20, 0, 0]);
});
