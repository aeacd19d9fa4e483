import assert from "node:assert/strict";
import fc from "fast-check";
import { pieceTokenizer } from "../../datasets/text/pieces.ts";
import {
  accepts,
  all,
  atLeast,
  type Constraint,
  jsonSchema,
  matches,
  phrase,
  words,
} from "../../control/mod.ts";
import { Allowance, AUTOMATON_STATES } from "../../control/automata/allowance.ts";
import { concatenation } from "../../control/automata/algebra.ts";
import { expression } from "../../control/regex/elements.ts";
import { spanning } from "../../control/regex/whole.ts";
import { Lifting } from "../../control/pieces/lift.ts";
import { spellingOf } from "../../control/pieces/spelling.ts";
import { RetortError } from "../../foundation/errors.ts";
import { holds } from "../property.ts";
import { allTexts } from "./texts.ts";
import { byteLevel } from "./vocabularies.ts";

Deno.test("what would take minutes is refused in seconds, with what to shorten", () => {
  const refused: [() => unknown, RegExp, RegExp][] = [
    [
      () => matches(/^(?:a(?=.{0,30}b)|c(?!.{0,20}d)|e(?=.{3,25}f))*$/u),
      /the automaton of `matches\(.*\)` takes more than 10,000,000 steps/,
      /Shorten bounded repetitions.*write look-aheads as expressions of their own/,
    ],
    [() => matches(/^(?:a?){5000}$/u), /takes more than 10,000,000 steps/, /Shorten/],
    [() => phrase("ab".repeat(200_000)), /more than 100,000 states/, /Ask for less/],
    [() => words(0, 60_000), /more than 100,000 states/, /smaller counts/],
    [() => jsonSchema({ type: "string", maxLength: 50_000 }), /more than 200,000 parts/, /Shorten/],
  ];
  for (const [make, message, hint] of refused) {
    assert.throws(make, (error) => {
      assert.ok(error instanceof RetortError && error.code === "control/too-large", String(error));
      assert.match(error.message, message);
      assert.match(error.hint!, hint);
      return true;
    });
  }
  const { automaton } = matches(/^.*a.{4}$/u), few = () => new Allowance("it", "Less.", 1000);
  for (
    const make of [
      () => concatenation(automaton, automaton, few()),
      () => spanning(expression(".*a.{6}"), few()),
    ]
  ) {
    assert.throws(make, { code: "control/too-large", message: "it takes more than 1,000 steps to make" });
  }
  const lifting = new Lifting(spellingOf(pieceTokenizer(byteLevel).vocabulary));
  assert.throws(() => lifting.lift(words(0, 500).automaton, few()), { code: "control/too-large" });
});

Deno.test("look-aheads that passwords are checked by are told apart, not multiplied", () => {
  const { automaton } = matches(/^(?=.*[A-Z])(?=.*\d)(?=.*[!?])(?!.*\s).{8,16}$/u);
  const truth = /^(?=.*[A-Z])(?=.*\d)(?=.*[!?])(?!.*\s).{8,16}$/u;
  for (
    const text of [
      "Abcdefg1!",
      "abcdefg1!",
      "Abcdefgh!",
      "Abcdefg12",
      "Ab1!",
      "Abc defg1!",
      "A1!45678901234567",
    ]
  ) {
    assert.equal(accepts(automaton, text), truth.test(text), text);
  }
  const apart = all(
    matches(/[A-Z]/u),
    matches(/\d/u),
    matches(/[!?]/u),
    matches(/^\S*$/u),
    matches(/^.{8,16}$/u),
  );
  assert.equal(automaton.states, apart.automaton.states);
});

Deno.test("every construction ends, with an automaton that says what RegExp says, of a bounded number of states, or a refusal", (t) => {
  const small = fc.integer({ min: 0, max: 8 });
  const part = fc.oneof(
    fc.constantFrom("a", "b", ".", "[ab]", "\\w", "\\b", "^", "$"),
    fc.tuple(fc.constantFrom("a", ".", "[^a]"), small, small).map(([x, a, b]) =>
      `${x}{${Math.min(a, b)},${Math.max(a, b)}}`
    ),
  );
  const source = fc.letrec<{ some: string }>((tie) => ({
    some: fc.array(
      fc.oneof(
        { withCrossShrink: true, maxDepth: 2 },
        part,
        fc.tuple(fc.constantFrom("?=", "?!", "?<=", "?<!", "?:"), tie("some")).map(([kind, x]) =>
          `(${kind}${x})`
        ),
        tie("some").map((x) => `(?:${x})*`),
        fc.tuple(tie("some"), tie("some")).map((two) => `(?:${two.join("|")})`),
      ),
      { maxLength: 4 },
    ).map((parts) => parts.join("")),
  })).some;
  let made = 0, refused = 0;
  const texts = allTexts(["a", "b", " "], 5);
  const attempt = (make: () => Constraint, truth?: RegExp) => {
    try {
      const { automaton } = make();
      made++;
      for (const text of truth === undefined ? [] : texts) {
        assert.equal(accepts(automaton, text), truth!.test(text), `${truth} ${JSON.stringify(text)}`);
      }
      assert.ok(automaton.states <= AUTOMATON_STATES && automaton.next.length <= AUTOMATON_STATES * 256);
    } catch (error) {
      if (error instanceof assert.AssertionError) throw error;
      assert.ok(error instanceof RetortError && error.code === "control/too-large", String(error));
      refused++;
    }
  };
  holds(
    t,
    fc.property(source, small, (one, n) => {
      const regex = new RegExp(one, "u");
      attempt(() => matches(regex), regex);
      attempt(() => atLeast(n % 4, matches(new RegExp(one, "u"))));
    }),
    { numRuns: 15 },
  );
  assert.ok(made > 15, `${made} made, ${refused} refused`);
});
