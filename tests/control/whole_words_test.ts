import assert from "node:assert/strict";
import fc from "fast-check";
import {
  accepts,
  all,
  anyOf,
  atLeast,
  atMost,
  type Constraint,
  constraintFromJson,
  constraintFromText,
  equalAutomata,
  exactly,
  inOrder,
  matches,
  not,
  word,
  words,
} from "../../control/mod.ts";
import { holds } from "../property.ts";
import { allTexts } from "./texts.ts";

const TEXTS = allTexts(["a", "b", " "], 7);

/** An expression, and the constraint that it is found. */
interface Found {
  readonly source: string;
  readonly constraint: Constraint;
}

const part = (source: string): Found => ({ source, constraint: matches(new RegExp(source, "u")) });
const wholeWord = (text: string) => `(?<![\\p{L}\\p{N}_])${text}(?![\\p{L}\\p{N}_])`;
const parts = fc.constantFrom(
  ...[
    "a",
    "\\ba\\b",
    "\\Bb",
    "b\\B",
    "(?<=a)b",
    "(?<!b)a(?!b)",
    "a(?= b)",
    "^a",
    "b$",
    "(?<=^|b)a",
    "a(?=.*bb)",
  ].map(part),
  { source: "(?<!\\S)ab(?!\\S)", constraint: matches(/(?<!\S)ab(?!\S)/) },
);

/** What JavaScript finds: `n` times, one after the other. */
const foundBy = (sources: readonly string[]) =>
  new RegExp(sources.map((one) => `(?:${one})`).join("[^]*"), "u");

function agrees({ automaton, label }: Constraint, truth: (text: string) => boolean, texts = TEXTS): void {
  for (const text of texts) {
    assert.equal(accepts(automaton, text), truth(text), `${label}: ${JSON.stringify(text)}`);
  }
}

Deno.test("look-around in parts finds what RegExp finds in the whole text: in order, counted, as one of several", (t) => {
  holds(
    t,
    fc.property(parts, parts, parts, fc.integer({ min: 1, max: 3 }), (a, b, c, n) => {
      const ordered = foundBy([a.source, b.source, c.source]);
      agrees(inOrder(a.constraint, b.constraint, c.constraint), (text) => ordered.test(text));
      const times = (n: number) => foundBy(Array.from({ length: n }, () => a.source));
      const [enough, more] = [times(n), times(n + 1)];
      agrees(atLeast(n, a.constraint), (text) => enough.test(text));
      agrees(atMost(n, a.constraint), (text) => !more.test(text));
      agrees(exactly(n, a.constraint), (text) => enough.test(text) && !more.test(text));
      const one = foundBy([`${a.source}|${b.source}`, c.source]);
      agrees(inOrder(anyOf(a.constraint, b.constraint), c.constraint), (text) => one.test(text));
      const nested = inOrder(inOrder(a.constraint, b.constraint), c.constraint);
      assert.ok(
        equalAutomata(nested.automaton, inOrder(a.constraint, inOrder(b.constraint, c.constraint)).automaton),
      );
      agrees(not(inOrder(a.constraint, b.constraint)), (text) => !foundBy([a.source, b.source]).test(text));
    }),
    { numRuns: 12 },
  );
});

Deno.test("parts that are counted by words stand between those that look around", () => {
  const made = inOrder(matches(/\ba\b/), words(1, 2), matches(/(?<!b)b\b/));
  // A cut inside a word leaves two.
  const truth = (text: string) => {
    for (let from = 0; from <= text.length; from++) {
      for (let to = from; to <= text.length; to++) {
        const count = text.slice(from, to).split(/\s+/).filter((x) => x !== "").length;
        if (count < 1 || count > 2) continue;
        const isFirst = [...text.matchAll(/\ba\b/g)].some(({ index }) => index + 1 <= from);
        if (isFirst && [...text.matchAll(/(?<!b)b\b/g)].some(({ index }) => index >= to)) return true;
      }
    }
    return false;
  };
  agrees(made, truth, allTexts(["a", "b", " "], 6));
});

Deno.test("no part ends inside a character, where edges of the text would be taken for granted", () => {
  const part = exactly(2, "ab"), made = inOrder(anyOf(part, matches(/^a/)), part);
  assert.ok(!accepts(made.automaton, "-ababababab\u0080ab"), "six times, and no `a` at the beginning");
  assert.ok(accepts(made.automaton, "-abab\u0080abab") && accepts(made.automaton, "abababababab\u0080ab"));
});

Deno.test("a part that no text satisfies leaves no text, and is no choice", () => {
  const none = all("a", not("a")), looking = matches(/\ba\b/);
  for (const made of [inOrder(looking, none), inOrder(none, looking), inOrder(looking, anyOf())]) {
    assert.ok(equalAutomata(made.automaton, anyOf().automaton), made.label);
  }
  const chosen = inOrder(anyOf(looking, none), "b"), alone = inOrder(looking, "b");
  assert.ok(equalAutomata(chosen.automaton, alone.automaton));
});

Deno.test("whole words have no letter, digit or underscore beside them, of whatever script", () => {
  const texts = allTexts(["we", "W", "é", "7", "_", "-", " ", "\u0301", "ж", "語", "𝒜", "。"], 3);
  const [one, two] = [1, 2].map((n) => foundBy(Array.from({ length: n }, () => wholeWord("we"))));
  agrees(word("we"), (text) => one!.test(text), texts);
  agrees(exactly(1, word("we")), (text) => one!.test(text) && !two!.test(text), texts);
  const ordered = foundBy([wholeWord("we"), wholeWord("é")]);
  agrees(inOrder(word("we"), word("é")), (text) => ordered.test(text), texts);
  const speech = inOrder(word("america"), word("jobs"));
  for (
    const [text, is] of [["american jobs", false], ["america jobs", true], ["america, new jobs!", true], [
      "america jobsé",
      false,
    ]] as const
  ) {
    assert.equal(accepts(speech.automaton, text), is, text);
  }
  assert.ok(
    accepts(word("we the").automaton, "so we the people") && !accepts(word("we the").automaton, "we then"),
  );
});

Deno.test("whole words come from text and JSON, and join what is counted", () => {
  const made = constraintFromText('all(inOrder(word("we"), "our"), words(3, 8), not(word("no")))');
  assert.equal(made.label, 'all(inOrder(word("we"), "our"), words(3, 8), not(word("no")))');
  assert.deepEqual(made.texts, ["we", "our", "no"]);
  for (
    const [text, is] of [["we know our way", true], ["no, we know our way", false], [
      "were sour to us",
      false,
    ], ["we our", false]] as const
  ) {
    assert.equal(accepts(made.automaton, text), is, text);
  }
  assert.ok(equalAutomata(constraintFromJson({ word: "we" }).automaton, word("we").automaton));
});

Deno.test("what denies look-around is refused as a part, and stands for the whole text", () => {
  const bare = matches(/\ba\b/);
  for (
    const denied of [not(bare), all(bare, "b"), exactly(1, bare), atMost(1, bare), anyOf("b", not(bare))]
  ) {
    for (
      const make of [
        () => inOrder(denied, "b"),
        () => atLeast(2, denied),
        () => exactly(1, denied),
        () => inOrder(anyOf(denied, "c"), "b"),
      ]
    ) {
      assert.throws(make, { code: "control/argument", message: /looks at what surrounds a part/ });
    }
    assert.ok(all(denied, "b").automaton.states > 1);
  }
  assert.throws(() => word(""), { code: "control/argument", message: /a phrase is ""/ });
});
