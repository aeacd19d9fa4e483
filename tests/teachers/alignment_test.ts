import assert from "node:assert/strict";
import type { Passage } from "../../datasets/text/passages.ts";
import { pieceTokenizer } from "../../datasets/text/pieces.ts";
import { characterTokenizer, wordTokenizer } from "../../datasets/text/tokenizer.ts";
import { END, UNKNOWN, type Vocabulary } from "../../datasets/text/vocabulary.ts";
import { Windows } from "../../datasets/text/windows.ts";
import { ShardWriter } from "../../runner/codecs/shard_writer.ts";
import { matrixShards } from "../../runner/codecs/shard_codecs.ts";
import { tokens as tokensCodec } from "../../stages/text/codecs.ts";
import { embedSuffixes } from "../../stages/text/embed.ts";
import { alignTokens, piecesOfTokens } from "../../teachers/alignment.ts";
import { inPlace, runHere } from "../stages/in_place.ts";
import { tinyTeacher } from "./tiny.ts";

/** Made by Hugging Face's `tokenizers`: see `make.py` there. */
const FOLDER = new URL("../fixtures/tokenizers/", import.meta.url);
const read = (name: string) => Deno.readTextFileSync(new URL(name, FOLDER));
const truth: Record<string, { words: { text: string; ids: number[][] }[] }> = JSON.parse(read("truth.json"));

const { config: tiny } = tinyTeacher("causal");

function vocabularyOf(words: readonly string[]): Vocabulary {
  return { kind: "words", words: [UNKNOWN, END, ...new Set(words)], unknown: 0, end: 1 };
}

/** A teacher with a tokenizer; its end is the tokenizer's own. */
function teacherOf(name: string) {
  const tokenizer = pieceTokenizer(read(`${name}.json`));
  const { end } = tokenizer.vocabulary;
  return { tokenizer, config: { ...tiny, unknown: [0], end: [end ?? 0] } };
}

Deno.test("tokens are cut as Python's tokenizers cut them in a running text, for every kind of tokenizer", async (t) => {
  for (const [name, { words }] of Object.entries(truth)) {
    await t.step(name, () => {
      const { tokenizer, config } = teacherOf(name);
      const vocabulary = vocabularyOf(words.flatMap(({ text }) => text.split(" ")));
      const alignment = alignTokens(vocabulary, config, tokenizer);
      for (const { text, ids } of words) {
        const tokens = text.split(" ").map((word) => vocabulary.words.indexOf(word));
        const { pieces, starts } = piecesOfTokens(alignment, tokens, true);
        ids.forEach((own, i) => assert.deepEqual([...pieces.subarray(starts[i], starts[i + 1])], own, text));
        // In the middle of a text the first word is cut as the others are.
        const again = piecesOfTokens(alignment, [...tokens, ...tokens], true);
        const second = piecesOfTokens(alignment, tokens, false);
        assert.deepEqual(second.pieces, again.pieces.slice(pieces.length), text);
      }
    });
  }
});

Deno.test("after an end that is no text a text begins; escapes and marks join what stands beside them", async () => {
  for (const name of ["byte_level", "llama3", "wordpiece", "gpt1", "clip"]) {
    const { tokenizer, config } = teacherOf(name);
    const vocabulary = vocabularyOf(["the", "self", "@-@", "evident", "company"]);
    const [, end, the, self, hyphen, evident, company] = vocabulary.words.keys();
    const alignment = alignTokens(vocabulary, config, tokenizer);
    const cut = (tokens: number[]) => [...piecesOfTokens(alignment, tokens, true).pieces];
    assert.deepEqual(cut([the!, self!, hyphen!, evident!]), tokenizer.encode("the self-evident"), name);
    if (tokenizer.vocabulary.end === null) continue;
    const twice = [...tokenizer.encode("the company"), ...config.end, ...tokenizer.encode("company")];
    assert.deepEqual(cut([the!, company!, end!, company!]), twice, name);
    // An end that is written as a full stop is a part of the text.
    const stop = { ...config, end: tokenizer.cut(".", "glued")! };
    const [first, second] = ["the company.", "the company. company"].map((text) => tokenizer.encode(text));
    const stopped = piecesOfTokens(
      alignTokens(vocabulary, stop, tokenizer),
      [the!, company!, end!, company!],
      true,
    );
    assert.deepEqual([...stopped.pieces], [...first!, ...second!.slice(first!.length)], name);
  }
  // The training text says which words stand without a space before them.
  async function* passages(): AsyncGenerator<Passage> {
    yield { document: 0, text: "The people, by the people, for the people.", last: true };
  }
  const made = await wordTokenizer(passages(), { split: "letters", lowercase: false, ends: "nothing" });
  for (const name of ["byte_level", "llama2", "llama3", "gemma", "unigram", "wordpiece"]) {
    const { tokenizer, config } = teacherOf(name);
    const text = "The people, for the people.";
    const tokens = made.encode({ document: 0, text, last: false });
    const { pieces } = piecesOfTokens(alignTokens(made.vocabulary, config, tokenizer), tokens, true);
    assert.deepEqual([...pieces], tokenizer.encode(text), name);
  }
});

Deno.test("words and characters of Chinese are cut without spaces", async () => {
  const text = "今天天气很好，今天不好。";
  async function* passages(): AsyncGenerator<Passage> {
    yield { document: 0, text, last: true };
  }
  const words = await wordTokenizer(passages(), { split: "letters", lowercase: false, ends: "nothing" });
  const characters = await characterTokenizer(passages(), "nothing");
  assert.ok(words.vocabulary.words.includes("今天"));
  for (const name of ["byte_level", "llama3", "llama2", "gemma", "unigram_bytes"]) {
    const { tokenizer, config } = teacherOf(name);
    for (const { vocabulary, encode } of [words, characters]) {
      const { pieces } = piecesOfTokens(
        alignTokens(vocabulary, config, tokenizer),
        encode({ document: 0, text, last: true }),
        true,
      );
      assert.deepEqual([...pieces], tokenizer.encode(text), `${name}, ${vocabulary.kind}`);
    }
  }
});

Deno.test("what words are cut into depends on the words around: refused", () => {
  // A tokenizer without words: "b a" is a piece that reaches over two.
  const tokenizer = pieceTokenizer(JSON.stringify({
    model: {
      type: "BPE",
      vocab: { a: 0, b: 1, " ": 2, "b ": 3, "b a": 4, "the": 5, t: 6, h: 7, e: 8, th: 9, "e ": 10 },
      merges: [["b", " "], ["b ", "a"], ["t", "h"], ["th", "e"]],
    },
  }));
  assert.throws(
    () => alignTokens(vocabularyOf(["a", "b"]), { ...tiny, unknown: [0], end: [0] }, tokenizer),
    /reach over words: "b a"/,
  );
});

Deno.test("windows that begin with a text are embedded so, others as in the middle of one", async () => {
  // Its vectors tell which pieces it saw: the tiny causal graph gives each piece's id.
  const { tokenizer, config } = teacherOf("byte_level");
  const vocabulary = vocabularyOf(["the", "company"]);
  const ids = [2, 3, 1, 3, 2, 3, 3, 2];
  await inPlace(async (place) => {
    const writer = new ShardWriter({
      folder: Deno.makeTempDirSync({ dir: place.scratch }),
      type: "u1",
      width: 1,
    });
    await writer.append(Int32Array.from(ids));
    const tokens = await place.read(
      tokensCodec,
      await place.write(tokensCodec, { ids: await writer.finish(), starts: Float64Array.of(0, 5, 8) }),
    );
    const teacher = {
      ...tinyTeacher("causal"),
      config: { ...config, before: [], after: [] },
      tokenizer: tokenizer.vocabulary.tokenizer,
    };
    const windows = Windows.over([0, 8], { length: 1, stride: 1 });
    const { vectors } = await runHere(embedSuffixes, { teacher, tokens, windows, vocabulary }, {
      mode: "causal",
      precision: "f4",
    }, { scratch: () => Deno.makeTempDir({ dir: place.scratch }) });
    const rows = await (await place.read(matrixShards, await place.write(matrixShards, vectors))).all();
    // Document "the company <eos> company the", then "company company the".
    const places = ["first", "spaced", undefined, "first", "spaced", "first", "spaced", "spaced"] as const;
    const expected = places.map((at, i) =>
      at === undefined ? config.end[0]! : tokenizer.cut(vocabulary.words[ids[i]!]!, at)!.at(-1)!
    );
    const seen = ids.map((_, i) => rows[2 * i]!);
    assert.deepEqual(seen, expected);
    assert.notDeepEqual(tokenizer.cut("the", "first"), tokenizer.cut("the", "spaced"));
  });
});
