import assert from "node:assert/strict";
import { RandomStream } from "../../circuits/mod.ts";
import { ExchangeClasses } from "../../datasets/exchange.ts";

/** Log-likelihood of a text after its first token under the class bigram, straight from relative frequencies. */
function likelihood(tokens: readonly number[], classes: ArrayLike<number>): number {
  const count = (keys: readonly string[]) => Map.groupBy(keys, (key) => key);
  const pairs = tokens.slice(1).map((b, i) => [tokens[i]!, b] as const);
  const both = count(pairs.map(([a, b]) => `${classes[a]} ${classes[b]}`)),
    before = count(pairs.map(([a]) => `${classes[a]}`));
  const after = count(pairs.map(([, b]) => `${classes[b]}`)), words = count(pairs.map(([, b]) => `${b}`));
  return pairs.reduce((sum, [a, b]) => {
    const [g, h] = [`${classes[a]}`, `${classes[b]}`];
    const next = both.get(`${g} ${h}`)!.length / before.get(g)!.length;
    return sum + Math.log(next * words.get(`${b}`)!.length / after.get(h)!.length);
  }, 0);
}

const near = (a: number, b: number) =>
  assert.ok(Math.abs(a - b) < 1e-9 * Math.max(1, Math.abs(b)), `${a}, not ${b}`);

function randomText(seed: number, length: number, types: number): number[] {
  const random = new RandomStream(seed, 0);
  return Array.from({ length }, () => Math.floor(types * random.uniform() ** 2));
}

Deno.test("exchange: the log-likelihood is that of relative frequencies, and no pass lowers it", () => {
  for (let seed = 0; seed < 10; seed++) {
    const tokens = randomText(seed, 80, 9), exchange = new ExchangeClasses(tokens, 10, 3);
    near(exchange.logLikelihood, likelihood(tokens, exchange.classes));
    for (let pass = 0; pass < 5; pass++) {
      const before = exchange.logLikelihood;
      exchange.pass();
      near(exchange.logLikelihood, likelihood(tokens, exchange.classes));
      assert.ok(exchange.logLikelihood > before - 1e-9);
    }
  }
});

Deno.test("exchange: where it ends, brute force finds no better class for any word, and seldom a better clustering", () => {
  let best = 0;
  for (let seed = 0; seed < 12; seed++) {
    const types = 6,
      tokens = randomText(seed + 50, 60, types),
      exchange = new ExchangeClasses(tokens, types, 2);
    for (let pass = 0; pass < 20 && exchange.pass() > 0; pass++);
    const found = likelihood(tokens, exchange.classes);
    for (let w = 0; w < types; w++) {
      const other = Int32Array.from(exchange.classes);
      other[w] = 1 - other[w]!;
      assert.ok(
        likelihood(tokens, other) <= found + 1e-9,
        `seed ${seed}: word ${w} is better in the other class`,
      );
    }
    const all = Array.from(
      { length: 2 ** types },
      (_, code) => Array.from({ length: types }, (_, w) => code >> w & 1),
    );
    const most = Math.max(...all.map((classes) => likelihood(tokens, classes)));
    if (most - found < 1e-9) best++;
    // Seldom far off: an exchange ends where no single word moves.
    assert.ok(most - found < 0.1 * Math.abs(most));
  }
  assert.ok(best >= 4, `${best} of 12 ended at the best of all clusterings`);
});

Deno.test("exchange: words that are used alike share a class", () => {
  // Nouns 0 to 3 and verbs 4 to 7 by turns.
  const random = new RandomStream(3, 0);
  const tokens = Array.from({ length: 400 }, (_, i) => random.integer(4) + (i % 2) * 4);
  const exchange = new ExchangeClasses(tokens, 9, 2);
  for (let pass = 0; pass < 10; pass++) exchange.pass();
  assert.equal(new Set(exchange.classes.subarray(0, 4)).size, 1);
  assert.equal(new Set(exchange.classes.subarray(4, 8)).size, 1);
  assert.notEqual(exchange.classes[0], exchange.classes[4]);
  // The same text gives the same classes.
  const again = new ExchangeClasses(tokens, 9, 2);
  for (let pass = 0; pass < 10; pass++) again.pass();
  assert.deepEqual(again.classes, exchange.classes);
});

Deno.test("exchange: numbers that make no sense are refused", () => {
  assert.throws(() => new ExchangeClasses([0, 1], 2, 0), /0 classes of 2 types/);
  assert.throws(() => new ExchangeClasses([0, 2], 2, 1), /token 1 is 2, expected an id from 0 to 1/);
});
