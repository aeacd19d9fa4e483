import assert from "node:assert/strict";
import { categoricalVariables, hclt, hmm, maximumSpanningTree, RandomStream } from "../../circuits/mod.ts";
import { isInput, segmentsOf } from "../../kernels/cpu/segments.ts";
import { planOf } from "../../kernels/plan.ts";

/** A hidden Chow-Liu tree over the pixels of a square, each linked to neighbours. */
function squareTree(side: number, latents: number) {
  const count = side * side, random = new RandomStream(3), weights = new Float64Array(count * count);
  for (let v = 0; v < count; v++) {
    for (const w of [v % side + 1 < side ? v + 1 : -1, v + side < count ? v + side : -1]) {
      if (w >= 0) weights[v * count + w] = weights[w * count + v] = 1 + random.uniform();
    }
  }
  return hclt(categoricalVariables(count, 2), maximumSpanningTree(weights, count), { latents });
}

Deno.test("small folds stay in their group: a tree over an image has few segments", () => {
  const plan = planOf(squareTree(14, 2));
  const { segments } = segmentsOf(plan);
  const inner = segments.filter((segment) => !isInput(segment));
  assert.equal(inner.length, plan.groups.filter(({ kind }) => kind !== "input").length);
  assert.ok(segments.length - inner.length <= inner.length);
});

Deno.test("leaves of a step of a chain are a segment, which needs no copy", () => {
  const { segments } = segmentsOf(planOf(hmm({ length: 6, states: 3, symbols: 4 })));
  assert.deepEqual(segments.filter(isInput).map(({ folds }) => folds), [1, 1, 1, 1, 1, 1]);
});

Deno.test("large folds that are read together are a segment of their own, and all folds are in one", () => {
  const plan = planOf(squareTree(6, 512));
  const { segments, byGroup } = segmentsOf(plan);
  assert.ok(segments.length > plan.groups.length, `${segments.length} of ${plan.groups.length} groups`);
  for (const group of plan.groups) {
    const folds = byGroup[group.index]!.map((index) => segments[index]!.folds);
    assert.equal(folds.reduce((a, b) => a + b, 0), group.folds);
  }
});
