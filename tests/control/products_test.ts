import assert from "node:assert/strict";
import { all, inOrder, openControl, type Reals, tokenHmm, words } from "../../control/mod.ts";
import { onnxProducts } from "../../control/hmm/onnx_products.ts";
import { plainProducts } from "../../control/hmm/products.ts";
import { webgpuProducts } from "../../control/hmm/webgpu_products.ts";
import { RandomStream } from "../../circuits/random.ts";
import { randomNumbers } from "./brute_force.ts";
import { vocabularies } from "./vocabularies.ts";

const LETTERS = vocabularies["characters"]!;

/** A model in single precision, of a number of states that fills no tile. */
function singleHmm(states: number) {
  const { initial, transition, emission } = randomNumbers(states, LETTERS.words.length, 9);
  const [a, b, c] = [initial, transition, emission].map((values) => Float32Array.from(values)) as [
    Float32Array,
    Float32Array,
    Float32Array,
  ];
  return tokenHmm({ initial: a, transition: b, emission: c });
}

Deno.test("products of every engine are those of sums in double precision, for one row and for many", async () => {
  const hmm = singleHmm(83), { states, transition } = hmm;
  await using onnx = await onnxProducts(hmm);
  await using webgpu = await webgpuProducts(hmm);
  const random = new RandomStream(4, 1);
  for (const count of [1, 2, 5, 40]) {
    const rows = Float32Array.from({ length: count * states }, () => random.uniform());
    const truth = (at: (z: number, to: number) => number) =>
      Array.from({ length: count * states }, (_, i) => {
        const r = Math.floor(i / states) * states;
        let sum = 0;
        for (let k = 0; k < states; k++) sum += rows[r + k]! * at(i % states, k);
        return sum;
      });
    const expected = {
      backward: truth((z, to) => transition[z * states + to]!),
      forward: truth((to, z) => transition[z * states + to]!),
    };
    for (const products of [plainProducts(hmm), onnx, webgpu]) {
      for (const direction of ["backward", "forward"] as const) {
        const found: Reals = await products[direction](rows, count);
        assert.equal(found.length, count * states);
        expected[direction].forEach((x, i) => assert.ok(Math.abs(found[i]! - x) < 2e-6 * Math.max(1, x)));
      }
    }
  }
});

Deno.test("a device says of plans and texts what typed arrays say, to single precision", async () => {
  const hmm = singleHmm(40);
  const constraint = all(inOrder("ab", "ba"), words(2, 4));
  await using exact = await openControl(hmm, LETTERS, { engine: "plain" });
  await using device = await openControl(hmm, LETTERS, { engine: "webgpu" });
  const [a, b] = await Promise.all([exact, device].map((one) => one.plan(constraint, { tokens: [5, 20] })));
  assert.ok(Math.abs(a!.logProbability - b!.logProbability) < 1e-5);
  const [x, y] = [a!, b!].map((plan) => {
    const logits = new Float64Array(LETTERS.words.length);
    const text = plan.begin();
    text.add(LETTERS.words.indexOf("a"));
    text.adjust(logits);
    return logits;
  });
  x!.forEach((logit, token) => assert.ok(logit === y![token] || Math.abs(logit - y![token]!) < 1e-5));
});

Deno.test("engines that are none, and adapters that are not there, are refused", async () => {
  const hmm = singleHmm(4);
  await assert.rejects(openControl(hmm, LETTERS, { engine: "cuda" as "plain" }), {
    code: "control/argument",
    message: 'the engine is "cuda", expected plain, onnx or webgpu',
  });
  await assert.rejects(openControl(hmm, LETTERS, { adapter: "no such adapter" }), { code: "gpu/no-adapter" });
});
