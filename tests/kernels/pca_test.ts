import assert from "node:assert/strict";
import { vectorsOf } from "../../kernels/kmeans/mod.ts";
import { principalComponents, projection } from "../../kernels/pca.ts";

/** What scikit-learn makes of the same vectors: see make.py beside it. */
const truth = JSON.parse(
  Deno.readTextFileSync(new URL("../fixtures/kmeans/truth.json", import.meta.url)),
) as {
  readonly vectors: readonly number[][];
  readonly pca: {
    readonly mean: readonly number[];
    readonly variances: readonly number[];
    readonly components: readonly number[][];
  };
};
const values = Float32Array.from(truth.vectors.flat());
const vectors = vectorsOf(values, 5);

function near(actual: ArrayLike<number>, expected: ArrayLike<number>, tolerance: number) {
  assert.equal(actual.length, expected.length);
  for (let i = 0; i < expected.length; i++) {
    assert.ok(Math.abs(actual[i]! - expected[i]!) <= tolerance, `${i}: ${actual[i]} is not ${expected[i]}`);
  }
}

Deno.test("principal components are those of scikit-learn", async () => {
  const pca = await principalComponents(vectors, 3);
  near(pca.mean, truth.pca.mean, 1e-5);
  near(pca.variances, truth.pca.variances, 1e-4);
  truth.pca.components.forEach((expected, c) => {
    const found = pca.components.subarray(c * 5, (c + 1) * 5);
    const sign = Math.sign(expected.reduce((sum, x, i) => sum + x * found[i]!, 0));
    near(found, expected.map((x) => sign * x), 1e-4);
    assert.ok(Math.max(...found) >= -Math.min(...found), "the largest entry is positive");
  });
  const all = await principalComponents(vectors, 5);
  near([all.variances.reduce((a, b) => a + b, 0)], [all.total], 1e-6);
});

Deno.test("projected vectors have mean zero, the variances of the components, and one when whitened", async () => {
  const pca = await principalComponents(vectors, 3);
  for (const whiten of [false, true]) {
    const { project, release } = await projection(pca, { whiten });
    const projected = await project(values, vectors.rows);
    await release();
    for (let c = 0; c < 3; c++) {
      const column = Array.from({ length: vectors.rows }, (_, row) => projected[row * 3 + c]!);
      near([column.reduce((a, b) => a + b, 0) / vectors.rows], [0], 1e-4);
      const variance = column.reduce((sum, x) => sum + x * x, 0) / (vectors.rows - 1);
      near([variance], [whiten ? 1 : truth.pca.variances[c]!], 1e-3);
    }
  }
});

Deno.test("what has no principal components is refused with the place", async () => {
  await assert.rejects(principalComponents(vectors, 6), /6 components of vectors of width 5/);
  await assert.rejects(principalComponents(vectorsOf(values.slice(0, 5), 5), 1), /1 vectors have no/);
  const broken = values.slice();
  broken[77] = NaN;
  await assert.rejects(principalComponents(vectorsOf(broken, 5), 2), /vector 15, column 2 is NaN/);
});
