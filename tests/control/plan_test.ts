import assert from "node:assert/strict";
import { hmm } from "../../circuits/mod.ts";
import { RandomStream } from "../../circuits/random.ts";
import {
  all,
  anyOf,
  anyText,
  type Constraint,
  type ControlPlanOptions,
  exactly,
  hmmOfCircuit,
  inOrder,
  matches,
  not,
  openControl,
  phrase,
  tokenHmm,
  words,
} from "../../control/mod.ts";
import { spellingOf } from "../../control/pieces/spelling.ts";
import { allowedTexts, probabilityOf, randomNumbers } from "./brute_force.ts";
import { LETTERS } from "./vocabularies.ts";

const SPELLING = spellingOf(LETTERS);
const TOKENS = LETTERS.words.length;

const CONSTRAINTS: readonly Constraint[] = [
  anyText,
  phrase("ab"),
  inOrder(anyOf("a", "bb"), "ba"),
  all(not("aa"), words(2)),
  exactly(2, "a"),
  matches(/^b.*\ba$/u),
];
const SHAPES: readonly ControlPlanOptions[] = [
  { tokens: [0, 4] },
  { tokens: [2, 5] },
  { tokens: [4, 4], ends: false },
  { tokens: [1, 5], ends: false },
  { tokens: [1, 4], suffix: [2, 3] },
  { tokens: [0, 4], suffix: [3, 3], ends: false },
  { tokens: [0, 3], prompt: [3, 2] },
  { tokens: [1, 4], weights: [1, 1, 0.25, 3, 0.5], suffix: "b a" },
  { tokens: [1, 4], weights: [1, 1, 0, 1, 1] },
];

/** How far two probabilities are apart, relative to the larger. */
const apart = (a: number, b: number) => Math.abs(a - b) / Math.max(a, b, Number.MIN_VALUE);

Deno.test("probabilities of constraints and of next tokens are those of enumeration, whatever the shape", async () => {
  let cases = 0, worst = 0;
  for (const [seed, constraint] of CONSTRAINTS.entries()) {
    for (const options of SHAPES) {
      const numbers = randomNumbers(3, TOKENS, 10 * seed + cases);
      await using control = await openControl(tokenHmm(numbers), LETTERS);
      const weights = options.weights as number[] | undefined;
      const [least, most] = options.tokens as [number, number];
      const suffix = typeof options.suffix === "string"
        ? [...options.suffix].map((letter) => LETTERS.words.indexOf(letter))
        : options.suffix ?? [];
      const prompt = (options.prompt ?? []) as readonly number[];
      const texts = [
        ...allowedTexts({
          hmm: numbers,
          spelling: SPELLING,
          constraint,
          least,
          most,
          suffix: options.ends === false ? suffix : [...suffix, 1],
          prompt,
          ...(weights !== undefined && { weights }),
        }).values(),
      ];
      const total = texts.reduce((sum, { probability }) => sum + probability, 0);
      if (texts.length === 0) {
        await assert.rejects(control.plan(constraint, options), { code: "control/infeasible" });
        continue;
      }
      const plan = await control.plan(constraint, options);
      // Without an end token a text of any length goes on: its length is drawn evenly from the range.
      const lengths = (from: number) => options.ends === false ? most - Math.max(least, from) + 1 : 1;
      const truth = total / lengths(0);
      worst = Math.max(worst, apart(plan.probability, truth));
      assert.ok(apart(plan.probability, truth) < 1e-13, `${constraint.label} ${JSON.stringify(options)}`);
      if (weights === undefined) assert.ok(plan.probability <= 1);
      // Walks along some of the texts, and asks at every step for every next token.
      const random = new RandomStream(seed, 5);
      for (let walk = 0; walk < 4; walk++) {
        const text = texts[random.integer(texts.length)]!.tokens;
        const continuation = plan.begin();
        for (let n = 0; n <= text.length; n++) {
          const before = text.slice(0, n);
          const going = texts.filter(({ tokens }) => before.every((token, i) => tokens[i] === token));
          const share = (token: number) =>
            going.filter(({ tokens }) => tokens[n] === token)
              .reduce((sum, { probability }) => sum + probability, 0);
          const ending = going.filter(({ tokens }) => tokens.length === n).length > 0;
          assert.equal(continuation.isComplete, ending);
          assert.equal(continuation.canContinue, going.some(({ tokens }) => tokens.length > n));
          const own = before.length + prompt.length === 0
            ? 1
            : probabilityOf(numbers, [...prompt, ...before]);
          const given = prompt.length === 0 ? 1 : probabilityOf(numbers, prompt);
          const sum = going.reduce((sum, { probability }) => sum + probability, 0);
          const completed = Math.exp(continuation.logProbability) * lengths(n - suffix.length);
          assert.ok(apart(completed * own / given, sum) < 1e-13);
          const end = going.find(({ tokens }) => tokens.length === n)?.probability ?? 0;
          if (continuation.canContinue) assert.ok(apart(continuation.shareOfEnding, end / sum) < 1e-12);
          if (!continuation.canContinue) break;
          const logits = new Float64Array(TOKENS);
          continuation.adjust(logits);
          logits.forEach((logit, token) => {
            cases++;
            const truth = share(token);
            const alone = probabilityOf(numbers, [...prompt, ...before, token]) / given;
            const joint = Math.exp(logit) * alone;
            if (truth === 0) return assert.equal(logit, -Infinity, `${before} ${token}`);
            worst = Math.max(worst, apart(joint, truth));
            assert.ok(
              apart(joint, truth) < 1e-13,
              `${constraint.label} ${JSON.stringify(options)} ${before} ${token}`,
            );
          });
          if (n < text.length) continuation.add(text[n]!);
        }
      }
    }
  }
  assert.ok(cases > 3000, `${cases} cases`);
  console.log(`${cases} cases, greatest relative error ${worst}`);
});

Deno.test("a probability is one: of all texts it is 1, and of a constraint and its contrary the sum, with and without an end", async () => {
  // The end token is never drawn, and the unknown one neither: every text goes on.
  const numbers = randomNumbers(3, TOKENS, 8);
  const emission = Float64Array.from(numbers.emission, (x, i) => i % TOKENS < 2 ? 0 : x);
  for (let z = 0; z < 3; z++) {
    const row = emission.subarray(z * TOKENS, (z + 1) * TOKENS), sum = row.reduce((a, b) => a + b, 0);
    row.forEach((x, i) => row[i] = x / sum);
  }
  const hmm = tokenHmm({ ...numbers, emission });
  for (const vocabulary of [LETTERS, { ...LETTERS, end: null }]) {
    await using control = await openControl(hmm, vocabulary);
    for (const options of [{ tokens: [0, 8] }, { tokens: 5 }, { tokens: [3, 3] }] as const) {
      const plan = (constraint: Constraint) => control.plan(constraint, { ...options, ends: false });
      const [all, some, none] = await Promise.all([anyText, phrase("ab"), not("ab")].map(plan));
      assert.ok(Math.abs(all!.probability - 1) < 1e-12, `${all!.probability}`);
      assert.ok(Math.abs(some!.probability + none!.probability - 1) < 1e-12);
      const text = all!.begin();
      for (let n = 0; text.canContinue; n++) {
        assert.ok(Math.abs(text.logProbability) < 1e-12, `after ${n} tokens`);
        text.add(2 + n % 3);
      }
      assert.ok(Math.abs(text.logProbability) < 1e-12, "at the end");
    }
  }
});

Deno.test("weights as large and as small as they may be scale the expectation, and nothing else", async () => {
  await using control = await openControl(tokenHmm(randomNumbers(3, TOKENS, 4)), LETTERS);
  const plan = (weight: number) =>
    control.plan("ab", { tokens: [4, 4], suffix: [2], weights: Array(TOKENS).fill(weight) });
  const one = await plan(1);
  for (const weight of [1e100, 1e-100]) {
    const own = await plan(weight);
    const expected = 4 * Math.log(weight) + one.logProbability;
    assert.ok(Math.abs(own.logProbability - expected) < 1e-9 * Math.abs(expected));
    const [found, truth] = [own, one].map((plan) => {
      const logits = new Float64Array(TOKENS), text = plan.begin();
      text.add(3);
      text.adjust(logits);
      return logits;
    });
    for (const [token, logit] of truth!.entries()) {
      // Adjusted logits are those of the text and its completion: the weights of all its tokens.
      const shifted = logit + 4 * Math.log(weight);
      assert.ok(found![token] === shifted || Math.abs(found![token]! - shifted) < 1e-9 * Math.abs(shifted));
    }
  }
});

Deno.test("a model of windows of two tokens plans texts of seven: it has no length", async () => {
  const circuit = hmm({ length: 2, states: 3, symbols: TOKENS, seed: 6 });
  const [initial, transition, emission] = ["initial", "transition", "emission"].map((name) =>
    Float64Array.from(circuit.parameters.get(name)!.values)
  ) as [Float64Array, Float64Array, Float64Array];
  const constraint = inOrder("ab", "ba"), numbers = { initial, transition, emission };
  const texts = allowedTexts({
    hmm: numbers,
    spelling: SPELLING,
    constraint,
    least: 5,
    most: 7,
    suffix: [1],
  });
  const total = [...texts.values()].reduce((sum, { probability }) => sum + probability, 0);
  await using control = await openControl(hmmOfCircuit(circuit, { precision: 64 }), LETTERS);
  const plan = await control.plan(constraint, { tokens: [5, 7] });
  assert.ok(apart(plan.probability, total) < 1e-12, `${plan.probability} ${total}`);
});
