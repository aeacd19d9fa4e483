import assert from "node:assert/strict";
import { hmm } from "../../circuits/mod.ts";
import { withNotes } from "../../circuits/circuit.ts";
import {
  all,
  type ConstraintLike,
  type ControlPlanOptions,
  hmmOfCircuit,
  matches,
  not,
  openControl,
  tokenHmm,
  vocabularyDigest,
  words,
} from "../../control/mod.ts";
import type { Vocabulary } from "../../datasets/text/vocabulary.ts";
import { randomNumbers } from "./brute_force.ts";
import { languageModelOf } from "./language_models.ts";
import { vocabularies } from "./vocabularies.ts";

const PIECES = vocabularies["byte level"]!;
const numbers = randomNumbers(3, PIECES.words.length, 4);
const id = (piece: string) => PIECES.words.indexOf(piece);

Deno.test("HMMs that are none, or of another vocabulary, are refused", async () => {
  const { initial, transition, emission } = numbers;
  const spoiled = (values: Iterable<number>, at: number, x: number) =>
    Float64Array.from(values, (old, i) => i === at ? x : old);
  const refused: [() => unknown, RegExp][] = [
    [
      () => tokenHmm({ initial: spoiled(initial, 0, 0.9), transition, emission }),
      /row 0 of the initial states sums to/,
    ],
    [
      () => tokenHmm({ initial, transition: spoiled(transition, 4, NaN), emission }),
      /row 1 of the transitions holds/,
    ],
    [
      () => tokenHmm({ initial, transition: spoiled(transition, 0, -0.1), emission }),
      /row 0 of the transitions/,
    ],
    [
      () => tokenHmm({ initial, transition, emission: Float64Array.from(emission, Math.log) }),
      /row 0 of the emissions/,
    ],
    [() => tokenHmm({ initial, transition: transition.slice(1), emission }), /has 8 transitions/],
    [
      () => hmmOfCircuit(hmm({ length: 3, states: 2, symbols: 4, homogeneous: false })),
      /the parameters `emission\/2`/,
    ],
  ];
  for (const [make, message] of refused) assert.throws(make, { code: "control/hmm", message });
  const own = tokenHmm(numbers);
  await assert.rejects(openControl(own, vocabularies["Metaspace"]!), {
    code: "control/vocabulary",
    message: "the HMM has 15 tokens, the vocabulary 7",
  });
  const circuit = hmm({ length: 4, states: 3, symbols: PIECES.words.length });
  const other = withNotes(circuit, { vocabulary: vocabularyDigest({ ...PIECES, end: null }) });
  await assert.rejects(openControl(other, PIECES), {
    code: "control/vocabulary",
    message: /is of the vocabulary/,
  });
  await using control = await openControl(
    withNotes(circuit, { vocabulary: vocabularyDigest(PIECES) }),
    PIECES.tokenizer!,
  );
  assert.equal(control.hmm.states, 3);
});

Deno.test("plans that cannot be kept are refused, with the number of tokens that would do", async () => {
  await using control = await openControl(tokenHmm(numbers), PIECES);
  const refused: [ConstraintLike, ControlPlanOptions, string, RegExp][] = [
    [
      "abababab",
      { tokens: 3 },
      "control/infeasible",
      /"abababab" needs 4 tokens at least, and 3 are allowed/,
    ],
    [all("ab", not("a")), { tokens: 9 }, "control/infeasible", /^no text satisfies all\("ab", not\("a"\)\)$/],
    ["xyz", { tokens: 9 }, "control/infeasible", /tokens of this vocabulary cannot spell it/],
    [
      matches(/^ab$/),
      { tokens: [3, 9] },
      "control/infeasible",
      /only texts of fewer than 3 tokens .*: 1 would do/,
    ],
    [words(7, 9), { tokens: 5 }, "control/infeasible", /needs 7 tokens at least/],
    ["a", { tokens: 9, weights: [] }, "control/argument", /0 weights of tokens, expected 15/],
    ["a", { tokens: 9, weights: Array(15).fill(-1) }, "control/argument", /weight of token 0 is -1/],
    [
      "a",
      { tokens: 9, weights: Array(15).fill(null) },
      "control/argument",
      /weight of token 0 is null, expected 0 or a number from 1e-100 to 1e\+100/,
    ],
    ["a", { tokens: 9, weights: Array(15).fill(1e101) }, "control/argument", /weight of token 0 is 1e\+101/],
    [
      "ab",
      { tokens: 9, weights: PIECES.words.map((word) => word.includes("b") ? 0 : 1) },
      "control/infeasible",
      /no text/,
    ],
    ["a", { tokens: [5, 2] }, "control/argument", /from 5 to 2/],
    ["a", { tokens: -1 }, "control/argument", /is -1/],
    ["a", { tokens: 5, alpha: -1 }, "control/argument", /`alpha` is -1/],
    ["a", { tokens: 5, candidates: 0 }, "control/argument", /`candidates` is 0/],
    ["the <|endoftext|> of", { tokens: 9 }, "control/argument", /holds "<\|endoftext\|>", a marker/],
    ["a", { tokens: 9, prompt: [99] }, "control/prompt", /token 99, expected 0 to 14/],
    [
      not("ab"),
      { tokens: 9, prompt: "b ab", whole: true },
      "control/prompt",
      /the prompt breaks not\("ab"\)/,
    ],
    [
      "abababab",
      { tokens: 2, prompt: "ab", whole: true },
      "control/infeasible",
      /^after the prompt, "abababab" needs 3 tokens at least, and 2 are allowed$/,
    ],
    ["xyz", { tokens: 9, prompt: "ab", whole: true }, "control/infeasible", /cannot spell it/],
    ["ab", { tokens: 1e9 }, "control/too-large", /would take up to .*, and 4.* are allowed/],
    ["ab", { tokens: 100, memory: 100 }, "control/too-large", /and 100 B are allowed/],
    ["ab", { tokens: 9, prompt: [id("Ã")] }, "control/prompt", /ends inside a character/],
    ["ab", { tokens: 9, suffix: [id("©")] }, "control/suffix", /inside a character/],
    ["ab", { tokens: 9, suffix: [id("<|endoftext|>")] }, "control/suffix", /holds the end token/],
  ];
  for (const [constraint, options, code, message] of refused) {
    await assert.rejects(control.plan(constraint, options), { code, message }, String(message));
  }
  // A prompt may end inside a character where the constraint is about the whole text.
  const plan = await control.plan("é", { tokens: 3, prompt: [id("Ã")], whole: true });
  for await (const { tokens, text } of plan.draw(languageModelOf(numbers, PIECES), { count: 20, seed: 1 })) {
    assert.ok([id("©"), id("©a")].includes(tokens[0]!), "the character is completed");
    assert.ok(text.startsWith(tokens[0] === id("©") ? "é" : "éa"), text);
  }
});

Deno.test("a prompt decides what may begin after it, and which lengths may follow", async () => {
  const words = vocabularies["words"]!, own = randomNumbers(3, words.words.length, 4);
  await using control = await openControl(tokenHmm(own), words);
  // Words after others have a blank before them.
  const blank = await control.plan(matches(/^ a/), { tokens: [1, 3], prompt: "b" });
  for await (const { text } of blank.draw(languageModelOf(own, words), { count: 5, seed: 1 })) {
    assert.match(text, /^ a/);
  }
  const first = await control.plan(matches(/^a/), { tokens: [1, 3] });
  for (const make of [() => first.after("b"), () => first.begin("b")]) {
    assert.throws(make, {
      code: "control/infeasible",
      message: /^no text satisfies matches\(\/\^a\/\): tokens of this vocabulary cannot spell it$/,
    });
  }
  await assert.rejects(control.plan(matches(/^a/), { tokens: 3, prompt: "b" }), {
    code: "control/infeasible",
  });
  // A comma needs no blank: two tokens less.
  const short = await control.plan(matches(/^(?:,,|a b a b)$/), { tokens: [3, 4] });
  assert.throws(() => short.after("b"), {
    code: "control/infeasible",
    message: /^only texts of fewer than 3 tokens satisfy after the prompt, matches\(.*\): 2 would do$/,
  });
});

Deno.test("texts beyond their plan, and language models that do not fit, are refused", async () => {
  await using control = await openControl(tokenHmm(numbers), PIECES);
  const plan = await control.plan("ab", { tokens: [1, 2] });
  const text = plan.begin();
  assert.throws(() => text.add(id("Ã")), {
    code: "control/finished",
    message: /token 8 is not allowed here/,
  });
  text.add(id("ab"));
  text.add(id("<|endoftext|>"));
  assert.ok(text.isComplete && !text.canContinue);
  assert.throws(() => text.adjust(new Float32Array(15)), { code: "control/finished" });
  assert.throws(() => text.add(id("a")), { code: "control/finished" });
  const model = languageModelOf(numbers, PIECES);
  const first = (other: typeof model, options = {}) =>
    plan.draw(other, { count: 1, seed: 0, ...options }).next();
  const others: [Partial<typeof model>, object, string][] = [
    [{ longest: 2 }, {}, "control/length"],
    [{ longest: NaN }, {}, "control/argument"],
    [
      { vocabulary: { ...PIECES, words: [...PIECES.words].reverse() } as Vocabulary },
      {},
      "control/vocabulary",
    ],
    [{}, { batch: 0 }, "control/argument"],
    [{}, { temperature: 0 }, "control/argument"],
    [{}, { count: -1 }, "control/argument"],
  ];
  for (const [changed, options, code] of others) {
    await assert.rejects(first({ ...model, ...changed }, options), { code });
  }
  const aborted = AbortSignal.abort(new Error("enough"));
  await assert.rejects(first(model, { signal: aborted }), { message: "enough" });
});

Deno.test("plans of a control that was disposed of are refused, whatever multiplied for them", async () => {
  for (const engine of ["plain", "onnx"] as const) {
    const control = await openControl(tokenHmm(numbers), PIECES, { engine });
    const plan = await control.plan("ab", { tokens: [1, 9] });
    await control[Symbol.asyncDispose]();
    await control[Symbol.asyncDispose]();
    for (
      const call of [
        () => plan.draw(languageModelOf(numbers, PIECES), { count: 1, seed: 1 }).next(),
        () => plan.search(languageModelOf(numbers, PIECES)),
        () => control.plan("ab", { tokens: [1, 9] }),
      ]
    ) await assert.rejects(call(), { code: "control/argument", message: /was disposed of/ });
  }
});

Deno.test("logits and tokens that are none are refused, and infinite ones are kept", async () => {
  await using control = await openControl(tokenHmm(numbers), PIECES);
  const plan = await control.plan("ab", { tokens: [1, 9] });
  const logits = (change: (logits: Float32Array) => void) => {
    const made = new Float32Array(15);
    change(made);
    return made;
  };
  const refused: [unknown, object, RegExp][] = [
    [new Float32Array(14), {}, /^there are 14 logits, expected 15: one for each token of the vocabulary$/],
    [[0, 0, 0], {}, /^`logits` is \[0,0,0\], expected a Float32Array or Float64Array$/],
    [logits((x) => x[3] = NaN), {}, /^the logit of token 3 is NaN, expected a number or -Infinity$/],
    [logits((x) => x[14] = Infinity), {}, /^the logit of token 14 is Infinity/],
    [new Float32Array(15), { alpha: NaN }, /^`alpha` is NaN/],
    [new Float32Array(15), { candidates: 0 }, /`candidates` is 0/],
  ];
  for (const [given, adjustment, message] of refused) {
    assert.throws(() => plan.begin().adjust(given as Float32Array, adjustment), {
      code: "control/argument",
      message,
    });
  }
  const some = logits((x) => x.fill(-Infinity, 2));
  plan.begin().adjust(some);
  assert.ok(some[1]! > -Infinity && some[2] === -Infinity);
  const none = logits((x) => x.fill(-Infinity));
  plan.begin().adjust(none);
  assert.ok(
    none.includes(0),
    "where the language model rules out everything, the constraint is kept all the same",
  );
  // More logits than tokens, as exporters pad them: what those are does not matter.
  const more = new Float32Array(17).fill(NaN, 15);
  plan.begin().adjust(more);
  assert.deepEqual([...more.slice(15)], [-Infinity, -Infinity]);
  for (const token of [1.5, -1, 15, NaN, "a"]) {
    assert.throws(() => plan.begin().add(token as number), {
      code: "control/argument",
      message: /^the token is .*, expected a whole number from 0 to 14$/,
    });
  }
  for (const hidden of [[1, 0], [NaN, 0, 1], [-1, 1, 1]]) {
    assert.throws(() => plan.begin().settle(hidden), {
      code: "control/argument",
      message: /expected 3 numbers/,
    });
  }
  const odd = languageModelOf(numbers, PIECES);
  const half = {
    ...odd,
    begin: () => ({ ...odd.begin(1), read: () => Promise.resolve([new Float32Array(7)]) }),
  };
  await assert.rejects(plan.draw(half, { count: 1, seed: 1 }).next(), {
    code: "control/argument",
    message: /there are 7 logits/,
  });
});

Deno.test("fewer candidates leave out all but the likeliest tokens that are allowed", async () => {
  await using control = await openControl(tokenHmm(numbers), PIECES);
  const plan = await control.plan("ab", { tokens: [2, 6], candidates: 3 });
  const logits = Float32Array.from({ length: 15 }, (_, i) => -i);
  const all = logits.slice();
  plan.begin().adjust(all, { candidates: 15 });
  plan.begin().adjust(logits, { candidates: 3 });
  const finite = [...logits.keys()].filter((token) => logits[token]! > -Infinity);
  assert.deepEqual(finite, [1, 2, 3]);
  for (const token of finite) assert.equal(logits[token], all[token]);
});
