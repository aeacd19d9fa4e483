import assert from "node:assert/strict";
import { accepts } from "../../control/automata/automaton.ts";
import { intersection } from "../../control/automata/algebra.ts";
import { UTF8 } from "../../control/automata/utf8.ts";
import {
  all,
  anyOf,
  type Constraint,
  exactly,
  inOrder,
  matches,
  not,
  phrase,
  words,
} from "../../control/mod.ts";
import { acceptsTokens, Lifting } from "../../control/pieces/lift.ts";
import { bytesOf, isText, spellingOf, textOfPieces } from "../../control/pieces/spelling.ts";
import { tokenizerOf } from "../../datasets/text/known_tokenizer.ts";
import { textOfTokens } from "../../datasets/text/text_of_tokens.ts";
import type { Vocabulary } from "../../datasets/text/vocabulary.ts";
import { bytes, vocabularies } from "./vocabularies.ts";

const CONSTRAINTS: readonly Constraint[] = [
  phrase("ab"),
  phrase(" ab"),
  phrase("é"),
  not("b a"),
  anyOf("aba", "b b", "it unseen"),
  inOrder("a", "ab"),
  exactly(2, "ab"),
  words(1, 2),
  matches(/^[^ ]/u),
  matches(/^(?:ab ?)+$/u),
  all(words(2), not("ba"), matches(/b$/u)),
  matches(/\bab\b/u),
  phrase("cats-it"),
];

/** All sequences of tokens that are text. */
function sequences(tokens: readonly number[], longest: number): number[][] {
  const found: number[][] = [[]];
  for (let at = 0; at < found.length; at++) {
    if (found[at]!.length < longest) { for (const token of tokens) found.push([...found[at]!, token]); }
  }
  return found;
}

/** The text of tokens by what shows them elsewhere: the tokenizer's own decoder. */
function shown(ids: readonly number[], vocabulary: Vocabulary): string {
  return tokenizerOf(vocabulary)?.decode(ids) ?? textOfTokens(ids, vocabulary);
}

for (const [name, vocabulary] of Object.entries(vocabularies)) {
  Deno.test(`${name}: of every sequence of tokens the lifted automaton says what the other says of its text`, () => {
    const spelling = spellingOf(vocabulary);
    const tokens = vocabulary.words.map((_, id) => id)
      .filter((id) => isText(id, spelling));
    const longest = tokens.length > 10 ? 3 : tokens.length > 5 ? 4 : 5;
    const lifting = new Lifting(spelling);
    const all = sequences(tokens, longest);
    assert.ok(all.length > 1000);
    for (const ids of all) {
      const text = textOfPieces(ids, spelling);
      // Half a character is shown in ways of its own.
      if (!text.includes("\ufffd")) assert.equal(text, shown(ids, vocabulary), ids.join());
    }
    let held = 0;
    for (const { automaton, label } of CONSTRAINTS) {
      for (const both of [automaton, intersection(automaton, UTF8)]) {
        const lifted = lifting.lift(both);
        for (const ids of all) {
          const truth = accepts(both, bytesOf(ids, spelling));
          if (truth) held++;
          assert.equal(acceptsTokens(lifted, ids), truth, `${label}: ${ids.join()}`);
        }
      }
    }
    assert.ok(held > 1000, "constraints that hold");
  });
}

Deno.test("every way to cut a phrase into tokens counts", () => {
  const vocabulary = vocabularies["byte level"]!;
  const spelling = spellingOf(vocabulary);
  const lifted = new Lifting(spelling).lift(phrase(" ab").automaton);
  const id = (piece: string) => vocabulary.words.indexOf(piece);
  for (const way of [["Ġab"], ["Ġa", "b"], ["Ġ", "ab"], ["Ġ", "a", "b"], ["Ġ", "a", "ba"]]) {
    assert.ok(acceptsTokens(lifted, way.map(id)), way.join());
  }
  assert.ok(!acceptsTokens(lifted, [id("ab")]));
  assert.ok(!acceptsTokens(lifted, [id("<|endoftext|>"), id("Ġab")]), "an end piece is no text");
});

Deno.test("over bytes the lifted automaton is the automaton, and classes of tokens are few", () => {
  const { automaton } = all(phrase("ab"), words(2, 4));
  const lifted = new Lifting(spellingOf(bytes)).lift(automaton);
  assert.equal(lifted.states, automaton.states);
  assert.equal(lifted.width, automaton.width);
  assert.equal(lifted.classes[256], -1);
});

Deno.test("vocabularies whose text cannot be told are refused", () => {
  const refused: [Vocabulary, RegExp][] = [
    [{ kind: "pieces", words: ["a"], unknown: null, end: null }, /has no tokenizer/],
    [
      {
        ...vocabularies["Metaspace"]!,
        tokenizer: vocabularies["Metaspace"]!.tokenizer!.replace(
          /"decoder":\{[^}]*\}/,
          '"decoder":{"type":"CTC","pad_token":"<pad>","word_delimiter_token":"|","cleanup":true}',
        ),
      },
      /`CTC`/,
    ],
    [
      {
        ...vocabularies["byte fallback"]!,
        tokenizer: vocabularies["byte fallback"]!.tokenizer!.replace('"start":1', '"start":2'),
      },
      /`Strip`/,
    ],
  ];
  for (const [vocabulary, message] of refused) {
    assert.throws(() => spellingOf(vocabulary), { code: "control/tokenizer", message });
  }
});
