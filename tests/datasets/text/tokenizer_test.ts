import assert from "node:assert/strict";
import fc from "fast-check";
import type { Passage } from "../../../datasets/text/passages.ts";
import {
  byteTokenizer,
  characterTokenizer,
  type EndsOf,
  type Tokenizer,
  wordTokenizer,
} from "../../../datasets/text/tokenizer.ts";
import { textOfTokens } from "../../../datasets/text/text_of_tokens.ts";
import { holds } from "../../property.ts";

async function* passages(...texts: string[]): AsyncGenerator<Passage> {
  for (const [document, text] of texts.entries()) yield { document, text, last: true };
}

const rules = { split: "letters", lowercase: true, ends: "sentences" } as const;

/** The units of a text, by a tokenizer that knows them all. */
async function unitsOf(
  text: string,
  options: Partial<Parameters<typeof wordTokenizer>[1]> = {},
): Promise<string[]> {
  const tokenizer = await wordTokenizer(passages(text), { ...rules, ...options });
  return tokenizer.encode({ document: 0, text, last: true }).map((id) => tokenizer.vocabulary.words[id]!);
}

Deno.test("sentences end at full stops before white space, at empty lines, with their document", async () => {
  assert.deepEqual(
    (await unitsOf("It costs 3.50, Mr. Lincoln's say-so!  Yes?\n\nNo stop")).join(" "),
    "it costs 3 . 50 , mr . <eos> lincoln's say-so ! <eos> yes ? <eos> no stop <eos>",
  );
  assert.deepEqual(await unitsOf(" \n\n "), []);
  assert.equal((await unitsOf("Two\nlines", { lowercase: false })).join(" "), "Two lines <eos>");
});

Deno.test("lines end also where nothing stands on them, as WikiText has it", async () => {
  const text = " \n = Cat = \n \n A <unk> . \nend";
  assert.equal(
    (await unitsOf(text, { split: "spaces", ends: "lines", lowercase: false })).join(" "),
    "<eos> = Cat = <eos> <eos> A <unk> . <eos> end <eos>",
  );
  assert.equal((await unitsOf("a\n", { split: "spaces", ends: "lines" })).join(" "), "a <eos>");
  assert.equal((await unitsOf("a. b\n", { split: "spaces", ends: "documents" })).join(" "), "a. b <eos>");
  assert.equal((await unitsOf("a. b\n", { split: "spaces", ends: "nothing" })).join(" "), "a. b");
});

Deno.test("the vocabulary: frequent words first, equal ones by code unit, rare ones unknown", async () => {
  const training = () => passages("b a b", "c a b d");
  const few = await wordTokenizer(training(), { ...rules, ends: "documents" }, { minimum: 2 });
  assert.deepEqual(few.vocabulary, {
    kind: "words",
    words: ["<unk>", "<eos>", "b", "a"],
    unknown: 0,
    end: 1,
  });
  assert.deepEqual(few.encode({ document: 0, text: "c a b d z", last: true }), [0, 3, 2, 0, 0, 1]);
  assert.deepEqual(few.encode({ document: 0, text: "a", last: false }), [3]);
  const largest = await wordTokenizer(training(), rules, { largest: 3 });
  assert.deepEqual(largest.vocabulary.words, ["<unk>", "<eos>", "b"]);
  const equal = await wordTokenizer(passages("z a m"), rules);
  assert.deepEqual(equal.vocabulary.words.slice(2), ["a", "m", "z"]);
  const known = await wordTokenizer(passages("<unk> x <unk> <eos>"), { ...rules, split: "spaces" });
  assert.deepEqual(known.vocabulary.words, ["<unk>", "<eos>", "x"]);
});

Deno.test("characters and bytes give the text back", async (test) => {
  await holds(
    test,
    fc.asyncProperty(
      fc.string({ unit: "binary" }).filter((text) => text.isWellFormed() && !/[\n\ufeff]/.test(text)),
      async (text) => {
        const tokenizers: Tokenizer[] = [
          byteTokenizer("documents"),
          await characterTokenizer(passages(text), "documents"),
        ];
        for (const { vocabulary, encode } of tokenizers) {
          const ids = encode({ document: 0, text, last: true });
          assert.equal(ids.at(-1), vocabulary.end);
          assert.equal(textOfTokens(ids, vocabulary), text);
        }
      },
    ),
    { numRuns: 40 },
  );
  const characters = await characterTokenizer(passages("aab😀"), "nothing", { minimum: 2 });
  assert.deepEqual(characters.encode({ document: 0, text: "ab😀a", last: true }), [2, 0, 0, 2]);
});

Deno.test("where a long document is cut changes nothing but where it must", async () => {
  // Cut after lines and empty lines, as passages are, words, lines and documents come out the same.
  const text = "One two.\nThree\n\nfour? Five.\n\n\nSix";
  for (const ends of ["nothing", "documents", "lines", "sentences"] as EndsOf[]) {
    const tokenizer = await wordTokenizer(passages(text), { ...rules, ends });
    const whole = tokenizer.encode({ document: 0, text, last: true });
    for (let at = text.indexOf("\n\n"); at >= 0; at = text.indexOf("\n\n", at + 1)) {
      const parts = [
        ...tokenizer.encode({ document: 0, text: text.slice(0, at + 2), last: false }),
        ...tokenizer.encode({ document: 0, text: text.slice(at + 2), last: true }),
      ];
      assert.deepEqual(parts, whole, `${ends}, cut at ${at}`);
    }
  }
});

Deno.test("tokens read as text", () => {
  const vocabulary = {
    kind: "pieces",
    words: ["[SEP]", "un", "##seen", "cats"],
    unknown: null,
    end: 0,
  } as const;
  assert.equal(textOfTokens([3, 1, 2, 0, 3], vocabulary), "cats unseen\ncats");
  const meta = { kind: "pieces", words: ["</s>", "▁a", "b", "▁c"], unknown: null, end: 0 } as const;
  assert.equal(textOfTokens([1, 2, 3, 0], meta), "ab c");
  const levels = {
    kind: "pieces",
    words: ["<|endoftext|>", "zw", "Ã¶lf", "Ġja"],
    unknown: null,
    end: 0,
  } as const;
  assert.equal(textOfTokens([1, 2, 3], levels), "zwölf ja");
});

Deno.test("words that stand without a space before them are told by the training text, and shown so", async () => {
  const tokenizer = await wordTokenizer(passages('Well, no. "Yes", he said (well, no): 3.50.'), rules);
  const { vocabulary } = tokenizer;
  // The quotation marks stand once after a space and once without one.
  assert.deepEqual(vocabulary.glued!.map((id) => vocabulary.words[id]), [",", ".", ")", "50", ":", "yes"]);
  const ids = tokenizer.encode({ document: 0, text: "he said, well, no.", last: false });
  assert.equal(textOfTokens(ids, vocabulary), "he said, well, no.");
});

Deno.test("pieces without their tokenizer read by the marks of the whole vocabulary, not by those of the line", () => {
  const read = (words: string[], ids: number[]) =>
    textOfTokens(ids, { kind: "pieces", words, unknown: null, end: null });
  const levels = ["co", "mp", "any", "Ġthe", "c", "a", "f", "Ã", "©"];
  assert.equal(read(levels, [0, 1, 2]), "company");
  assert.equal(read(levels, [4, 5, 6, 7, 8]), "café");
  assert.equal(read([...levels, "Ġcom"], [3, 9, 1, 2]), "the commpany");
  const fallback = ["▁the", "caf", "<0xC3>", "<0xA9>", "▁", "<0xFF>"];
  assert.equal(read(fallback, [1, 2, 3]), "café");
  assert.equal(read(fallback, [0, 4, 1, 2, 3, 0]), "the café the");
  assert.equal(read(fallback, [1, 5, 2]), "caf\ufffd\ufffd");
  const ended = ["the</w>", "com", "pany</w>", "Ã", "©</w>", "caf"];
  assert.equal(read(ended, [0, 1, 2, 0]), "the company the");
  assert.equal(read(["un", "##seen", "cats"], [2, 0, 1]), "cats unseen");
  assert.equal(read(["whole", "words"], [0, 1]), "whole words");
});
