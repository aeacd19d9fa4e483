import assert from "node:assert/strict";
import { hmm as hmmCircuit } from "../../circuits/mod.ts";
import * as control from "../../control/mod.ts";
import { RetortError } from "../../foundation/errors.ts";
import { randomNumbers } from "./brute_force.ts";
import { languageModelOf } from "./language_models.ts";
import { LETTERS } from "./vocabularies.ts";

/** What a program may pass by mistake. */
const WRONG: readonly unknown[] = [
  ...[undefined, null, {}, [], 5, -1, 0.5, NaN, Infinity, "", "x", "(", true, 1n, () => 1, Symbol("s"), /a/],
  ...[
    new Date(0),
    new Map(),
    [1],
    ["a"],
    [undefined],
    new Float32Array(2),
    new Uint8Array(3),
    Object.create(null),
  ],
  ...[{ automaton: {}, label: "x", texts: [] }, { tokens: 5 }, { words: ["a"] }, { count: 1, seed: 0 }],
  ...[{ tokens: [1, 2], prompt: {}, suffix: 3 }, { alpha: "1" }, { candidates: NaN }, { matches: 5 }, {
    words: "x",
  }],
  ...[{ parts: {} }, { states: 2, tokens: 2 }, { begin: 1, vocabulary: LETTERS }, {
    nodes: [],
    parameters: new Map(),
  }],
  ...[{ initial: [1], transition: [1], emission: [1] }, { not: {} }, { jsonSchema: null }, {
    exactly: ["a", "b"],
  }],
];

const numbers = randomNumbers(3, LETTERS.words.length, 4);
const hmm = control.tokenHmm(numbers);
const model = languageModelOf(numbers, LETTERS);

/** Calls something; what it refuses must have a code, words and no trace of the inside. */
async function tried(what: string, call: () => unknown): Promise<boolean> {
  try {
    const given = await call();
    if (given !== null && typeof given === "object" && Symbol.asyncIterator in given) {
      await (given as AsyncGenerator).next();
    }
    return false;
  } catch (error) {
    assert.ok(
      error instanceof RetortError,
      `${what}: ${error instanceof Error ? error.stack : String(error)}`,
    );
    assert.match(error.message, /\w+ .*\w/, what);
    return true;
  }
}

Deno.test("whatever is passed to the functions of control, what cannot be used is refused in words", async () => {
  const good: Readonly<Record<string, readonly unknown[]>> = {
    accepts: [control.phrase("a").automaton, "a"],
    all: ["a", "b"],
    anyOf: ["a", "b"],
    atLeast: [1, "a"],
    atMost: [1, "a"],
    constraintFromJson: ["a"],
    constraintFromText: ["a"],
    decodeHmmFile: [control.encodeHmmFile(hmm), "here"],
    drawControlled: [undefined, model, { count: 1, seed: 0 }],
    encodeHmmFile: [hmm],
    equalAutomata: [control.phrase("a").automaton, control.phrase("a").automaton],
    exactly: [1, "a"],
    hmmAfter: [hmm, [2]],
    hmmOfCircuit: [hmmCircuit({ length: 2, states: 2, symbols: 3 }), {}],
    hmmScore: [hmm, [2]],
    inOrder: ["a", "b"],
    jsonSchema: [{ type: "null" }],
    languageModelOfHmm: [hmm, LETTERS],
    languageModelScores: [model, [[2]], 1],
    matches: [/a/],
    not: ["a"],
    openControl: [hmm, LETTERS, {}],
    phrase: ["a"],
    quantised: [hmm],
    searchControlled: [undefined, model, {}],
    shortestText: [control.phrase("a").automaton],
    tokenHmm: [numbers, "digest"],
    vocabularyDigest: [LETTERS],
    word: ["a"],
    words: [1, 2],
  };
  await using opened = await control.openControl(hmm, LETTERS);
  const plan = await opened.plan("ab", { tokens: [2, 4] });
  const exported = Object.entries(control).filter(([, value]) => typeof value === "function");
  assert.deepEqual(
    exported.map(([name]) => name).sort(),
    Object.keys(good).sort(),
    "every function is tried",
  );
  const calls: [string, (...given: unknown[]) => unknown, readonly unknown[]][] = exported.map((
    [name, call],
  ) => [
    name,
    call as (...given: unknown[]) => unknown,
    good[name]!.map((x) => x ?? plan),
  ]);
  const method = (what: string, make: () => object, name: string, given: readonly unknown[]) =>
    calls.push([
      `${what}.${name}`,
      (...changed) => {
        const own = make();
        return (own as Record<string, (...given: unknown[]) => unknown>)[name]!(...changed);
      },
      given,
    ]);
  method("control", () => opened, "plan", ["ab", { tokens: [2, 4] }]);
  for (const name of ["begin", "after"]) method("plan", () => plan, name, ["ab"]);
  method("plan", () => plan, "processor", [{}]);
  method("plan", () => plan, "draw", [model, { count: 1, seed: 1 }]);
  method("plan", () => plan, "search", [model, { beams: 2 }]);
  method("plan", () => plan, "text", [[2, 3]]);
  for (const name of ["add", "begin"]) method("text", () => plan.begin(), name, [2]);
  method("text", () => plan.begin(), "adjust", [new Float32Array(5), { alpha: 1 }]);
  method("text", () => plan.begin(), "settle", [Float64Array.of(1, 0, 0)]);
  method("processor", () => plan.processor(), "process", [[[2n]], {
    dims: [1, 5],
    data: new Float32Array(5),
  }]);
  let refused = 0, taken = 0;
  for (const [name, call, given] of calls) {
    assert.ok(!await tried(name, () => call(...given)), `${name} takes what it should`);
    if (given.length > 0) await tried(`${name}()`, () => call());
    for (const [i] of given.entries()) {
      for (const wrong of WRONG) {
        const changed = given.with(i, wrong);
        const isRefused = await tried(
          `${name}, argument ${i + 1}: ${Deno.inspect(wrong)}`,
          () => call(...changed),
        );
        if (isRefused) refused++;
        else taken++;
      }
    }
  }
  assert.ok(refused > 1000 && refused > 3 * taken, `${refused} refused, ${taken} taken`);
});
