import assert from "node:assert/strict";
import fc from "fast-check";
import { BigramCounts, BigramModel } from "../../datasets/bigram.ts";
import { holds } from "../property.ts";

function countBigrams(tokens: Int32Array, vocabulary: number, start: number) {
  const counts = new BigramCounts(vocabulary, start);
  // In two stretches: where tokens are cut must not matter.
  const cut = tokens.length >> 1;
  counts.add(tokens.subarray(0, cut));
  counts.add(tokens.subarray(cut));
  return counts.counts;
}

Deno.test("a bigram model's probabilities sum to one after every token, seen or not", (test) => {
  holds(
    test,
    fc.property(
      fc.array(fc.nat(4), { minLength: 1, maxLength: 60 }),
      fc.double({ min: 0, max: 1, noNaN: true }),
      (tokens, weight) => {
        const { unigrams, pairs } = countBigrams(Int32Array.from(tokens), 6, 5);
        const model = new BigramModel(unigrams, pairs, weight);
        for (let previous = 0; previous < 6; previous++) {
          let sum = 0;
          for (let token = 0; token < 6; token++) sum += model.probability(token, previous);
          assert.ok(Math.abs(sum - 1) < 1e-12, `after ${previous}: ${sum}`);
        }
      },
    ),
  );
});

Deno.test("counts of a hand-made text", () => {
  // start 3: 0 1 0 1 2
  const { unigrams, pairs } = countBigrams(Int32Array.of(0, 1, 0, 1, 2), 4, 3);
  assert.deepEqual(unigrams, [2, 2, 1, 0]);
  assert.deepEqual(pairs, [0, 1, 2, 1, 0, 1, 1, 2, 1, 3, 0, 1]);
  const model = new BigramModel(unigrams, pairs, 0.5);
  // p(1 | 0) = 0.5 * 2/2 + 0.5 * (2+1)/(5+4)
  assert.ok(Math.abs(model.probability(1, 0) - (0.5 + 0.5 * 3 / 9)) < 1e-12);
  // Token 2 is never followed: the unigram alone.
  assert.ok(Math.abs(model.probability(0, 2) - 3 / 9) < 1e-12);
});

Deno.test("weight 0 is the unigram with one added to every count", () => {
  const { unigrams, pairs } = countBigrams(Int32Array.of(0, 0, 1), 2, 1);
  const model = new BigramModel(unigrams, pairs, 0);
  const bits = -(2 * Math.log2(3 / 5) + Math.log2(2 / 5));
  assert.ok(Math.abs(model.bits(Int32Array.of(0, 0, 1), 1) - bits) < 1e-12);
});
