import assert from "node:assert/strict";
import fc from "fast-check";
import {
  accepts,
  all,
  anyOf,
  atLeast,
  atMost,
  type Constraint,
  equalAutomata,
  exactly,
  inOrder,
  matches,
  not,
  phrase,
  shortestText,
  words,
} from "../../control/mod.ts";
import { holds } from "../property.ts";
import { allTexts } from "./texts.ts";

const LETTERS = allTexts(["a", "b"], 8);
const THREE = allTexts(["a", "b", " "], 8);
const ODD = allTexts(["a", "é", "\n", "_"], 4);

/** Checks a constraint against what JavaScript says, for each of many texts. */
function agrees(constraint: Constraint, truth: (text: string) => boolean, texts: readonly string[]): void {
  let held = 0;
  for (const text of texts) {
    const expected = truth(text);
    if (expected) held++;
    assert.equal(
      accepts(constraint.automaton, text),
      expected,
      `${constraint.label}: ${JSON.stringify(text)}`,
    );
  }
  const lengths = texts.filter(truth).map((text) => new TextEncoder().encode(text).length);
  if (held > 0) assert.equal(shortestText(constraint.automaton), Math.min(...lengths), constraint.label);
}

/** Occurrences that do not overlap, as `split` counts them. */
const occurrences = (text: string, part: string) => text.split(part).length - 1;

/** Whether parts occur one after the other. */
function ordered(text: string, parts: readonly string[]): boolean {
  let from = 0;
  for (const part of parts) {
    const at = text.indexOf(part, from);
    if (at < 0) return false;
    from = at + part.length;
  }
  return true;
}

Deno.test("phrases, several, in order, counted and denied are what JavaScript finds, in all texts of 8 bytes", () => {
  for (const part of ["a", "ab", "aa", "aba", "abab", "bbbbbbbb"]) {
    agrees(phrase(part), (text) => text.includes(part), LETTERS);
    agrees(not(part), (text) => !text.includes(part), LETTERS);
    for (const n of [0, 1, 2, 3]) {
      agrees(atLeast(n, part), (text) => occurrences(text, part) >= n, LETTERS);
      agrees(atMost(n, part), (text) => occurrences(text, part) <= n, LETTERS);
      agrees(exactly(n, part), (text) => occurrences(text, part) === n, LETTERS);
    }
  }
  for (const parts of [["a", "b"], ["ab", "ba"], ["aa", "a"], ["b", "ab", "b"], ["aab", "aba"]]) {
    agrees(inOrder(...parts), (text) => ordered(text, parts), LETTERS);
    agrees(anyOf(...parts), (text) => parts.some((part) => text.includes(part)), LETTERS);
    agrees(all(...parts), (text) => parts.every((part) => text.includes(part)), LETTERS);
  }
  agrees(all(), () => true, LETTERS);
  agrees(anyOf(), () => false, LETTERS);
  agrees(
    inOrder(anyOf("ab", "ba"), "bb"),
    (text) => ordered(text, ["ab", "bb"]) || ordered(text, ["ba", "bb"]),
    LETTERS,
  );
});

Deno.test("words are what white space separates", () => {
  const count = (text: string) => text.split(/\s+/).filter((word) => word !== "").length;
  for (const [least, most] of [[0, 0], [1, 1], [2, 3], [0, 2], [4, 4]] as const) {
    agrees(words(least, most), (text) => least <= count(text) && count(text) <= most, THREE);
  }
  agrees(words(2), (text) => count(text) === 2, THREE);
  agrees(words(2, Infinity), (text) => count(text) >= 2, THREE);
  // White space of Unicode, and letters that begin with the same bytes.
  const letters = ["a", "\u00a0", "é", "\u2003", "\u2020", "\u3000", "\ufeff", "\n"];
  for (const [least, most] of [[1, 2], [2, Infinity]] as const) {
    agrees(words(least, most), (text) => least <= count(text) && count(text) <= most, allTexts(letters, 4));
  }
  const { automaton } = words(2);
  for (let code = 0; code < 0x3100; code++) {
    const text = `a${String.fromCharCode(code)}b`;
    assert.equal(accepts(automaton, text), /\s/.test(text), `U+${code.toString(16)}`);
  }
  assert.ok(!accepts(words(1).automaton, Uint8Array.of(0xc3)), "half a character is no word");
  assert.ok(!accepts(inOrder(words(1), words(1)).automaton, "é"), "and none is cut");
});

Deno.test("regular expressions find what RegExp finds, look-around and edges included", () => {
  const expressions = [
    /(a|b)\1/,
    /a/,
    /^a*b$/,
    /^(?:ab|ba)*$/,
    /a{2,3}b/,
    /^a{2,}$/,
    /(a)(b)?a$/,
    /a+?b/,
    /[^a]/,
    /^.$/,
    /^$/,
    /b|^aa/,
    /a(?=b)/,
    /a(?!b)/,
    /(?<=a)b/,
    /(?<!a)b$/,
    /^(?=.*aa)(?=.*bb)/,
    /^(?!.*aba).*$/,
    /(?=a(?!b))a/,
    /(?<=^a*)b/,
    /(?<=(?<!b)a)b/,
    /^(?=.*a)(?=.*b)(?=.*ab).{3,6}$/,
    /^(?:a(?=.{0,3}b)|b(?!.{0,2}aa))*$/,
    /(?:(?=.{1,3}b)(?=a|.a).)+b$/,
    /(?!(?=a)(?!ab)).(?=b(?!b))/,
    /(?<=(?=aa|b)a*)b(?!(?<=bb)a)/,
    /(?<!(?=ab).)(?=(?!aa).*(?=b)b)a/,
    /(?=(?:a(?=b)|b(?!a))+$)a/,
    /^(?:a(?!a)|b)*$/,
    /(?=(?<=b)a)/,
    /(?!)/,
    /(?:)/,
    /A/i,
  ];
  for (const regex of expressions) agrees(matches(regex), (text) => regex.test(text), LETTERS);
  // Flags: what does not change what `test` says first changes nothing.
  for (const regex of [/A/gi, /^b/dm, /a.b/s, /B$/ivg]) {
    agrees(matches(regex), (text) => new RegExp(regex.source, regex.flags).test(text), LETTERS);
  }
  const spaced = [
    /\bab\b/,
    /\Ba/,
    /^\s*a/,
    /\b/,
    /\B/,
    /^(?:\b\w+\b ?)+$/,
    /\w\s\w/,
    /a(?=\s|$)/,
    /(?<!\S)b(?!\S)/,
  ];
  for (const regex of spaced) agrees(matches(regex), (text) => regex.test(text), THREE);
  const odd = [
    /^.$/u,
    /é/u,
    /^[^a]*$/u,
    /\B/u,
    /(?!^)(?!$)/u,
    /(?!^)\B(?!$)/u,
    /\p{L}{2}/u,
    /^é+$/iu,
    /É/iu,
    /^a$/mu,
    /./su,
    /^\W+$/u,
    /[[a-z]--a]|_/v,
    /(?<=é)(?=é)/u,
    /(?<!^)(?<!é)é/u,
  ];
  for (const regex of odd) agrees(matches(regex), (text) => regex.test(text), ODD);
});

Deno.test("the algebra is that of sets, and equal sets have equal automata", (t) => {
  const expressions = [matches(/^a/), matches(/b$/)];
  const basic = fc.constantFrom<Constraint>(
    ...expressions,
    phrase("a"),
    phrase("ab"),
    phrase("bb"),
    words(1, 2),
    exactly(2, "ab"),
    inOrder("a", "bb"),
  );
  const texts = allTexts(["a", "b", " "], 6);
  const truth = ({ automaton }: Constraint) => texts.map((text) => accepts(automaton, text));
  const same = (one: Constraint, other: Constraint) =>
    assert.ok(equalAutomata(one.automaton, other.automaton), `${one.label} and ${other.label}`);
  // Expressions are found in valid UTF-8 alone, and phrases in any bytes, so that sequences of both are equal in texts only.
  const valid = matches(/(?:)/u);
  holds(
    t,
    fc.property(basic, basic, basic, (a, b, c) => {
      const [x, y, z] = [a, b, c].map(truth);
      assert.deepEqual(truth(all(a, not(b))), texts.map((_, i) => x![i]! && !y![i]!));
      assert.deepEqual(truth(anyOf(a, b, not(c))), texts.map((_, i) => x![i]! || y![i]! || !z![i]!));
      same(not(all(a, b)), anyOf(not(a), not(b)));
      same(all(a, anyOf(b, c)), anyOf(all(a, b), all(a, c)));
      same(not(not(a)), a);
      const isMixed = [a, b, c].some((one) => expressions.includes(one));
      const sameOrder = (one: Constraint, other: Constraint) =>
        isMixed ? same(all(one, valid), all(other, valid)) : same(one, other);
      sameOrder(inOrder(inOrder(a, b), c), inOrder(a, inOrder(b, c)));
      sameOrder(inOrder(anyOf(a, b), c), anyOf(inOrder(a, c), inOrder(b, c)));
    }),
    { numRuns: 60 },
  );
});

Deno.test("automata are as small as can be", () => {
  assert.equal(phrase(" ball").automaton.states, 6);
  assert.equal(matches(/^(?:a|b)*abb$/).automaton.states, 5, "the textbook's four states and a dead one");
  assert.equal(not(not("abc")).automaton.states, 4);
  assert.equal(all("a", not("a")).automaton.states, 1);
  assert.equal(shortestText(all("a", not("a")).automaton), Infinity);
  const spaced = matches(/^\s*\S+(?:\s+\S+){1,2}\s*$/u);
  assert.ok(equalAutomata(words(2, 3).automaton, spaced.automaton), "counting finds the same states");
});

Deno.test("what makes no constraint is refused with what to do", () => {
  const refused: [() => unknown, string, RegExp][] = [
    [() => phrase(""), "control/argument", /a phrase is "", expected a text/],
    [() => phrase("\ud800"), "control/argument", /a phrase is/],
    [() => phrase(7 as unknown as string), "control/argument", /a phrase is 7/],
    [() => inOrder(), "control/argument", /no constraints/],
    [() => words(3, 2), "control/argument", /from 3 to 2/],
    [() => words(-1), "control/argument", /is -1/],
    [() => exactly(1.5, "a"), "control/argument", /is 1.5/],
    [() => matches("a" as unknown as RegExp), "control/argument", /expects a regular expression/],
    [() => matches(/(a*)b\1/), "control/regex", /ackreference/],
    [() => matches(/a/y), "control/regex", /has the flag `y`, which asks where a search goes on/],
    [() => matches(/\-/), "control/regex", /Invalid escape/],
    [() => matches(/(?:a{0,900}){0,900}/), "control/too-large", /more than 200,000 parts/],
    [() => all(atLeast(350, "a"), atLeast(350, "b")), "control/too-large", /more than 100,000 states/],
  ];
  for (const [make, code, message] of refused) assert.throws(make, { code, message }, String(message));
});
