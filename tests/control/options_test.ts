import assert from "node:assert/strict";
import { z } from "zod";
import {
  type Control,
  jsonSchema,
  languageModelOfHmm,
  not,
  openControl,
  tokenHmm,
} from "../../control/mod.ts";
import { constraintParam } from "../../stages/control/mod.ts";
import { randomNumbers } from "./brute_force.ts";
import { LETTERS } from "./vocabularies.ts";

const hmm = tokenHmm(randomNumbers(3, LETTERS.words.length, 4));
const model = languageModelOfHmm(hmm, LETTERS);

Deno.test("options that are none are refused, with the nearest name", async () => {
  await using control = await openControl(hmm, LETTERS);
  const plan = await control.plan("ab", { tokens: [2, 4] });
  const wrong: [() => unknown, RegExp][] = [
    [() => openControl(hmm, LETTERS, { engin: "plain" } as object), /no `engin`; did you mean `engine`\?/],
    [
      () => control.plan("ab", { tokens: 4, promt: "a" } as Parameters<Control["plan"]>[1]),
      /`promt`; did you mean `prompt`/,
    ],
    [
      () => plan.draw(model, { count: 1, seed: 1, temprature: 2 } as { count: number; seed: number }).next(),
      /`temprature`; did you mean `temperature`/,
    ],
    [() => plan.search(model, { beam: 4 } as object), /no `beam`; did you mean `beams`/],
    [() => plan.processor({ alfa: 1 } as object), /no `alfa`; did you mean `alpha`/],
    [
      () => plan.begin().adjust(new Float32Array(5), { candidate: 3 } as object),
      /`candidate`; did you mean `candidates`/,
    ],
    [() => control.plan("ab", { tokens: 4, whole: true }), /`whole` is true, and there is no `prompt`/],
    [() => control.plan("ab", { tokens: 4, alpha: 1.5 }), /^`alpha` is 1.5, expected a number from 0/],
    [
      () => control.plan("ab", { tokens: 4, candidates: 0 }),
      /^`candidates` is 0, expected a whole number from 1$/,
    ],
    [
      () => control.plan("ab", { tokens: 4, candidates: 2.5 }),
      /^`candidates` is 2.5, expected a whole number/,
    ],
    [() => not(/a/ as unknown as string), /or a constraint: `matches\(\/a\/\)`/],
  ];
  for (const [call, message] of wrong) {
    await assert.rejects(
      async () => void await call(),
      { code: "control/argument", message },
      String(message),
    );
  }
});

Deno.test("a type of zod is no JSON schema, and is told what makes one", () => {
  assert.throws(() => jsonSchema(z.object({ a: z.int() })), {
    code: "control/schema",
    message: /is a type of zod: pass `z.toJSONSchema\(type\)`/,
  });
});

Deno.test("the length that a language model takes is told with what stands beside the tokens", async () => {
  await using control = await openControl(hmm, LETTERS);
  const plan = await control.plan("ab", { tokens: 40, prompt: "a" });
  await assert.rejects(plan.draw({ ...model, longest: 40 }, { count: 1, seed: 1 }).next(), {
    code: "control/length",
    message: /up to 40 tokens and 2 of prompt, suffix and end, and the language model takes 40 together/,
    hint: /Plan 38 `tokens` at most/,
  });
});

Deno.test("a processor refuses rows that begin otherwise than its plan", async () => {
  await using control = await openControl(hmm, LETTERS);
  const plan = await control.plan("ab", { tokens: [2, 4], prompt: "ab" });
  const logits = () => ({ dims: [1, 5], data: new Float32Array(5) });
  const ids = (text: string) => [[1n, ...[...text].map((letter) => BigInt(LETTERS.words.indexOf(letter)))]];
  plan.processor().process(ids("ab"), logits());
  assert.throws(() => plan.processor().process(ids("ba"), logits()), {
    code: "control/prompt",
    message: /the prompt of the plan/,
  });
  plan.after("ba").processor().process(ids("ba"), logits());
});

Deno.test("a constraint among parameters is checked with them, and none becomes a phrase unasked", () => {
  for (
    const good of ["peace", " we", "f(x) is", 'inOrder(" a", " b")', { word: "we" }, '{"words": [2, 3]}']
  ) {
    assert.ok(constraintParam.safeParse(good).success, JSON.stringify(good));
  }
  const bad: [unknown, RegExp][] = [
    ['inorder(" peace"," freedom")', /`inorder` is no constraint; did you mean `inOrder`\?/],
    ['inOrder(" peace"', /ends too early/],
    ['{"inOrder":[" peace"," freedom"]', /expected JSON in braces/],
    [{ inorder: [" peace"] }, /did you mean `inOrder`/],
    [{ words: [3, 2] }, /from 3 to 2/],
    ["", /a phrase is ""/],
  ];
  for (const [given, message] of bad) {
    const { error } = constraintParam.safeParse(given);
    assert.match(error?.issues[0]?.message ?? "", message, JSON.stringify(given));
  }
});
