import assert from "node:assert/strict";
import fc from "fast-check";
import { KneserNeyModel } from "../../datasets/kneser_ney.ts";
import { Ngrams } from "../../datasets/ngrams.ts";
import { holds } from "../property.ts";
import truth from "../fixtures/ngrams/truth.json" with { type: "json" };

/** What stands before the first token in the fixture: no token. */
const START = -1;

for (const order of [1, 2, 3, 5] as const) {
  Deno.test(`a Kneser-Ney model of order ${order} gives KenLM's probabilities`, () => {
    const ngrams = new Ngrams(order, truth.vocabulary, START);
    ngrams.add(Int32Array.from(truth.train));
    const model = new KneserNeyModel(ngrams);
    const text = [START, ...truth.test];
    const expected = truth.log10[order];
    for (const [i, token] of truth.test.entries()) {
      // With fewer tokens before it, KenLM takes a part of the model, and this one the model of a smaller order.
      if (1 + i < order - 1) continue;
      const log10 = Math.log10(model.probability(token, text, 1 + i));
      assert.ok(Math.abs(log10 - expected[i]!) < 2e-5, `token ${i}: ${log10}, expected ${expected[i]}`);
    }
  });
}

const smallTexts = fc.tuple(
  fc.array(fc.nat(4), { minLength: 1, maxLength: 80 }),
  fc.integer({ min: 1, max: 4 }),
);

Deno.test("probabilities sum to one after every context, known or not, however short", (test) => {
  holds(
    test,
    fc.property(smallTexts, fc.array(fc.nat(5), { maxLength: 5 }), ([tokens, order], before) => {
      const ngrams = new Ngrams(order, 6, 5);
      ngrams.add(Int32Array.from(tokens));
      const model = new KneserNeyModel(ngrams);
      let sum = 0;
      for (let token = 0; token < 6; token++) {
        const p = model.probability(token, before);
        assert.ok(p >= 0);
        sum += p;
      }
      assert.ok(Math.abs(sum - 1) < 1e-12, `${sum}`);
    }),
  );
});

Deno.test("occurrences and left extensions are those counted by hand, wherever the text is cut", (test) => {
  holds(
    test,
    fc.property(smallTexts, fc.nat(80), ([tokens, order], cut) => {
      const start = 5, ngrams = new Ngrams(order, 6, start);
      ngrams.add(Int32Array.from(tokens.slice(0, cut)));
      ngrams.add(Int32Array.from(tokens.slice(cut)));
      const padded = order > 1 ? [start, ...tokens] : tokens;
      for (let length = 1; length <= order; length++) {
        const seen = new Map<string, { times: number; before: Set<number> }>();
        for (let end = Math.max(length - 1, padded.length - tokens.length); end < padded.length; end++) {
          const gram = padded.slice(end - length + 1, end + 1);
          const one = seen.get(gram.join()) ?? { times: 0, before: new Set() };
          one.times++;
          if (length < order) one.before.add(padded[end - length] ?? -1);
          seen.set(gram.join(), one);
        }
        for (const [gram, { times, before }] of seen) {
          const node = ngrams.find(gram.split(",").map(Number), 0, length);
          assert.equal(ngrams.occurrences(length)[node], times, gram);
          assert.equal(ngrams.extensions(length)[node], before.size, gram);
        }
      }
    }),
  );
});
