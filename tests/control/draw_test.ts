import assert from "node:assert/strict";
import {
  accepts,
  all,
  anyOf,
  anyText,
  type Constraint,
  type ControlPlanOptions,
  inOrder,
  matches,
  not,
  openControl,
  phrase,
  tokenHmm,
  words,
} from "../../control/mod.ts";
import { bytesOf, spellingOf } from "../../control/pieces/spelling.ts";
import { allowedTexts, randomNumbers } from "./brute_force.ts";
import { chiSquare, languageModelOf } from "./language_models.ts";
import { LETTERS } from "./vocabularies.ts";

const SPELLING = spellingOf(LETTERS);

Deno.test("where the language model is the HMM, draws have exactly the conditional distribution; the mask alone does not", async () => {
  const numbers = randomNumbers(4, LETTERS.words.length, 3, 1.2);
  const model = languageModelOf(numbers, LETTERS);
  await using control = await openControl(tokenHmm(numbers), LETTERS);
  const cases: [Constraint, ControlPlanOptions][] = [
    [inOrder(anyOf("ab", "ba"), "b"), { tokens: [2, 5] }],
    [all(words(2), not("bb")), { tokens: [3, 4], suffix: [2, 2] }],
    [phrase("ab"), { tokens: [2, 4], ends: false, suffix: [3] }],
    [phrase("a"), { tokens: [1, 4], ends: false }],
  ];
  for (const [constraint, options] of cases) {
    const plan = await control.plan(constraint, options);
    const [least, most] = options.tokens as [number, number];
    const texts = allowedTexts({
      hmm: numbers,
      spelling: SPELLING,
      constraint,
      least,
      most,
      suffix: [...(options.suffix ?? []) as number[], ...(options.ends === false ? [] : [1])],
    });
    const shares = new Map([...texts].map(([key, { probability }]) => [key, probability]));
    const total = [...shares.values()].reduce((a, b) => a + b, 0);
    const drawnWith = async (alpha: number, count: number) => {
      const counts = new Map<string, number>();
      const draws = plan.draw(model, { count, seed: 5, batch: 500, alpha });
      for await (const { tokens, logProbability } of draws) {
        const key = tokens.join();
        assert.ok(texts.has(key), key);
        if (alpha === 1) {
          // The probability with which a text says it was drawn is that of enumeration.
          const truth = Math.log(shares.get(key)! / total);
          assert.ok(Math.abs(logProbability - truth) < 1e-5, `${key}: ${logProbability}, ${truth}`);
        }
        counts.set(key, (counts.get(key) ?? 0) + 1);
      }
      return chiSquare(counts, shares);
    };
    const { statistic, degrees } = await drawnWith(1, 1500);
    assert.ok(degrees > 10);
    assert.ok(
      statistic < degrees + 5 * Math.sqrt(2 * degrees),
      `${constraint.label}: ${statistic} on ${degrees}`,
    );
    const mask = await drawnWith(0, 1000);
    assert.ok(mask.statistic > 2 * degrees, `mask alone: ${mask.statistic} on ${degrees}`);
  }
});

Deno.test("a text depends on its seed and index alone, not on batches or engines", async () => {
  const numbers = randomNumbers(4, LETTERS.words.length, 3, 1.2);
  const model = languageModelOf(numbers, LETTERS);
  const texts = async (
    engine: "plain" | "onnx",
    options: { batch: number; first?: number; seed?: number },
  ) => {
    await using control = await openControl(tokenHmm(numbers), LETTERS, { engine });
    const plan = await control.plan("ab", { tokens: [2, 12] });
    const found: string[] = [];
    const count = 20 - (options.first ?? 0);
    for await (const { text } of plan.draw(model, { count, seed: 1, ...options })) found.push(text);
    return found;
  };
  const all = await texts("plain", { batch: 20 });
  assert.ok(new Set(all).size > 10);
  assert.deepEqual(await texts("plain", { batch: 3 }), all);
  assert.deepEqual(await texts("onnx", { batch: 7 }), all);
  assert.deepEqual(await texts("plain", { batch: 4, first: 11 }), all.slice(11));
  assert.notDeepEqual(await texts("plain", { batch: 20, seed: 2 }), all);
});

Deno.test("of 10,000 draws under constraints that the models think nearly impossible none is broken", async () => {
  // "a" is rare, "b" follows itself: texts with many an "a" are as improbable as 1e-60.
  const numbers = {
    initial: Float64Array.of(1 - 1e-9, 1e-9),
    transition: Float64Array.of(1 - 1e-9, 1e-9, 1 - 1e-9, 1e-9),
    emission: Float64Array.of(0, 1e-9, 1e-12, 0.999, 0.001 - 1e-9 - 1e-12, 0, 0.5, 0.5, 0, 0),
  };
  const model = languageModelOf(numbers, LETTERS);
  const constraints: Constraint[] = [
    inOrder("aa", "aa", "aa"),
    all(matches(/^(?:ab)+a?$/u), words(1)),
    all(words(6), not("b")),
    all("aaaaaaaa", not("aaaaaaaaa"), words(3)),
  ];
  await using control = await openControl(tokenHmm(numbers), LETTERS);
  let draws = 0;
  for (const constraint of constraints) {
    const plan = await control.plan(constraint, { tokens: [6, 14] });
    assert.ok(plan.logProbability < -60 * Math.LN2, `${constraint.label}: ${plan.logProbability}`);
    for await (const { tokens, text } of plan.draw(model, { count: 2500, seed: 7, batch: 500 })) {
      draws++;
      assert.ok(accepts(constraint.automaton, text), `${constraint.label}: ${text}`);
      assert.equal(tokens.at(-1), 1);
      assert.ok(tokens.length >= 7 && tokens.length <= 15);
      assert.deepEqual(bytesOf(tokens, SPELLING), new TextEncoder().encode(text));
    }
  }
  assert.equal(draws, 10_000);
});

Deno.test("what a double cannot hold is kept by powers of two, and what the HMM rules out by the mask", async () => {
  const small = 1e-30;
  const numbers = {
    initial: Float64Array.of(1),
    transition: Float64Array.of(1),
    emission: Float64Array.of(0, small, small, 1 - 2 * small, 0),
  };
  await using control = await openControl(tokenHmm(numbers), LETTERS);
  const plan = await control.plan(matches(/^a{40}$/u), { tokens: 40 });
  assert.ok(Math.abs(plan.logProbability - 41 * Math.log(small)) < 1e-9);
  assert.equal(plan.probability, 0, "it is told as the logarithm alone");
  const logits = new Float64Array(5);
  plan.begin().adjust(logits);
  assert.ok(Math.abs(logits[2]! - 40 * Math.log(small)) < 1e-9);
  // A blank has no probability at all.
  const never = await control.plan("  ", { tokens: [2, 4] });
  assert.equal(never.logProbability, -Infinity);
  for await (const { text } of never.draw(languageModelOf(numbers, LETTERS), { count: 50, seed: 1 })) {
    assert.ok(text.includes("  "));
  }
});

Deno.test("a mask leaves out what would break the constraint, and nothing else, whatever the HMM thinks of it", async () => {
  // It never says "a".
  const emission = Float64Array.of(0, 0.2, 0, 0.4, 0.4);
  const hmm = tokenHmm({ initial: Float64Array.of(1), transition: Float64Array.of(1), emission });
  await using control = await openControl(hmm, LETTERS);
  const plan = await control.plan(not("b"), { tokens: [1, 3] });
  const adjusted = (alpha: number) => {
    const logits = Float64Array.of(5, 4, 3, 2, 1);
    plan.begin().adjust(logits, { alpha });
    return [...logits];
  };
  assert.deepEqual(adjusted(0), [-Infinity, -Infinity, 3, -Infinity, 1]);
  assert.equal(adjusted(1)[2], -Infinity, "which Bayes' rule leaves out");
});

Deno.test("a suffix that the model thinks less likely than a double can be is drawn all the same", async () => {
  const small = 1e-200;
  const numbers = {
    initial: Float64Array.of(1, small),
    transition: Float64Array.of(1, 0, 0, 1),
    emission: Float64Array.of(0, 0, 0, 1, 0, 0, 0, small, 1, 0),
  };
  await using control = await openControl(tokenHmm(numbers), LETTERS);
  const plan = await control.plan(anyText, { tokens: 0, suffix: [2], ends: false });
  const logits = new Float64Array(5).fill(1);
  plan.begin().adjust(logits);
  assert.deepEqual([...logits], [-Infinity, -Infinity, 1, -Infinity, -Infinity]);
});

Deno.test("single precision says what double precision says, to its own precision", async () => {
  const numbers = randomNumbers(300, LETTERS.words.length, 9);
  const single = {
    initial: Float32Array.from(numbers.initial),
    transition: Float32Array.from(numbers.transition),
    emission: Float32Array.from(numbers.emission),
  };
  const constraint = all(inOrder("ab", "ba"), words(2, 4));
  await using exact = await openControl(tokenHmm(numbers), LETTERS);
  await using plain = await openControl(tokenHmm(single), LETTERS, { engine: "plain" });
  await using onnx = await openControl(tokenHmm(single), LETTERS);
  const [a, b, c] = await Promise.all(
    [exact, plain, onnx].map((control) => control.plan(constraint, { tokens: [5, 20] })),
  );
  for (const other of [b!, c!]) assert.ok(Math.abs(other.logProbability - a!.logProbability) < 1e-5);
  const [x, y, z] = [a!, b!, c!].map((plan) => {
    const continuation = plan.begin();
    continuation.add(2);
    const logits = new Float64Array(5);
    continuation.adjust(logits);
    return logits;
  });
  x!.forEach((logit, token) => {
    for (const other of [y!, z!]) {
      assert.ok(other[token] === logit || Math.abs(other[token]! - logit) < 1e-5);
    }
  });
});
