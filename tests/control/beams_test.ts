import assert from "node:assert/strict";
import {
  anyOf,
  type ControlPlanOptions,
  inOrder,
  languageModelOfHmm,
  openControl,
  phrase,
  tokenHmm,
} from "../../control/mod.ts";
import { spellingOf } from "../../control/pieces/spelling.ts";
import { openCausalLm } from "../../teachers/causal_sampling.ts";
import { languageModel } from "../teachers/tiny_language_model.ts";
import { allowedTexts, randomNumbers } from "./brute_force.ts";
import { languageModelOf } from "./language_models.ts";
import { LETTERS, vocabularies } from "./vocabularies.ts";

const numbers = randomNumbers(4, LETTERS.words.length, 3, 1.2);

Deno.test("with beams enough the likeliest texts of all are found; with few, texts that are allowed and nearly as likely", async () => {
  const model = languageModelOf(numbers, LETTERS);
  await using control = await openControl(tokenHmm(numbers), LETTERS);
  const shapes: ControlPlanOptions[] = [
    { tokens: [2, 6] },
    { tokens: [3, 5], suffix: [2, 2] },
    { tokens: [1, 5], ends: false },
    { tokens: [2, 5], prompt: [3, 4] },
  ];
  for (const options of shapes) {
    const constraint = inOrder(anyOf("ab", "ba"), "b");
    const plan = await control.plan(constraint, options);
    const [least, most] = options.tokens as [number, number];
    const texts = [
      ...allowedTexts({
        hmm: numbers,
        spelling: spellingOf(LETTERS),
        constraint,
        least,
        most,
        suffix: [...(options.suffix ?? []) as number[], ...(options.ends === false ? [] : [1])],
        prompt: (options.prompt ?? []) as number[],
      }).values(),
    ].sort((a, b) => b.probability - a.probability);
    const found = await plan.search(model, { beams: 1000, count: 5 });
    assert.deepEqual(found.map(({ tokens }) => [...tokens]), texts.slice(0, 5).map(({ tokens }) => tokens));
    found.forEach(({ logProbability }, i) =>
      assert.ok(Math.abs(logProbability - Math.log(texts[i]!.probability)) < 1e-5)
    );
    const [best] = await plan.search(model, { beams: 2 });
    assert.ok(texts.some(({ tokens }) => tokens.join() === best!.tokens.join()));
    assert.ok(best!.logProbability > Math.log(texts[0]!.probability) - 1);
  }
});

Deno.test("where the language model rules out what the constraint needs, a text is found all the same", async () => {
  await using control = await openControl(tokenHmm(numbers), LETTERS);
  const never = {
    ...numbers,
    emission: numbers.emission.map((x, i) => i % LETTERS.words.length === 2 ? 0 : x) as Float64Array,
  };
  const plan = await control.plan("a", { tokens: [2, 4] });
  const found = await plan.search(languageModelOf(never, LETTERS), { beams: 8, count: 2 });
  assert.equal(found.length, 2);
  for (const { text, logProbability } of found) {
    assert.ok(text.includes("a"));
    assert.equal(logProbability, -Infinity);
  }
});

Deno.test("texts that a language model reads go on in other orders and several times, with caches as without", async () => {
  const vocabularyOf = async (cached: boolean) => await openCausalLm(await languageModel(cached));
  await using cached = await vocabularyOf(true);
  await using plain = await vocabularyOf(false);
  const alone = async (tokens: number[]) => {
    const [logits] = await plain.begin(1).read([tokens]);
    return logits!;
  };
  for (const model of [cached, plain]) {
    const reading = model.begin(2);
    await reading.read([[3, 4], [5, 6]]);
    reading.keep([1, 0, 1]);
    const logits = await reading.read([[7], [8], [9]]);
    for (const [n, tokens] of [[5, 6, 7], [3, 4, 8], [5, 6, 9]].entries()) {
      const truth = await alone(tokens);
      logits[n]!.forEach((x, token) => assert.ok(Math.abs(x - truth[token]!) < 1e-5, `${tokens} ${token}`));
    }
    reading.keep([2]);
    const [last] = await reading.read([[3]]);
    const truth = await alone([5, 6, 9, 3]);
    last!.forEach((x, token) => assert.ok(Math.abs(x - truth[token]!) < 1e-5));
  }
});

Deno.test("a hidden Markov model is a language model: what it reads and says is what enumeration says", async () => {
  const own = languageModelOfHmm(tokenHmm(numbers), LETTERS).begin(2);
  const truth = languageModelOf(numbers, LETTERS).begin(2);
  for (const pieces of [[[], []], [[2, 3], [4, 4]], [[3], [2]]]) {
    const [a, b] = await Promise.all([own, truth].map((one) => one.read(pieces)));
    a!.forEach((row, n) => row.forEach((x, token) => assert.ok(Math.abs(x - b![n]![token]!) < 1e-5)));
  }
  assert.throws(() => languageModelOfHmm(tokenHmm(numbers), vocabularies["characters"]!), {
    code: "control/vocabulary",
  });
  await using control = await openControl(tokenHmm(numbers), LETTERS);
  const plan = await control.plan(phrase("ab"), { tokens: [2, 6], prompt: [3] });
  await assert.rejects(plan.search(languageModelOf(numbers, LETTERS), { beams: 2, count: 3 }), {
    code: "control/argument",
    message: "3 texts by 2 beams: expected as many beams or more",
  });
  // The same tables after another prompt.
  const other = plan.after([2, 4]);
  assert.equal(other.logProbability, plan.begin([2, 4]).logProbability);
  assert.notEqual(other.logProbability, plan.logProbability);
});
