import assert from "node:assert/strict";
import fc from "fast-check";
import { pieceDocumentTokenizer, pieceTokenizer } from "../../../datasets/text/pieces.ts";
import { endsOf } from "../../../datasets/text/tokenizer.ts";
import { textOfTokens } from "../../../datasets/text/text_of_tokens.ts";
import { holds } from "../../property.ts";

/** Made by Hugging Face's `tokenizers`: see `make.py` there. */
const FOLDER = new URL("../../fixtures/tokenizers/", import.meta.url);
const read = (name: string) => Deno.readTextFileSync(new URL(name, FOLDER));

interface Truth {
  readonly texts: { text: string; ids: number[]; special: number[]; decoded: string }[];
  readonly words: { text: string; ids: number[][] }[];
}
const truth: Record<string, Truth> = JSON.parse(read("truth.json"));

Deno.test("texts become the ids that Python's tokenizers give, of every kind of tokenizer", async (t) => {
  for (const [name, { texts }] of Object.entries(truth)) {
    await t.step(name, () => {
      const tokenizer = pieceTokenizer(read(`${name}.json`));
      for (const { text, ids, special } of texts) {
        assert.deepEqual(tokenizer.encode(text), ids, text);
        assert.deepEqual(tokenizer.encode(text, { special: true }), special, text);
      }
    });
  }
});

Deno.test("pieces read as their tokenizer's decoder joins them", async (t) => {
  for (const [name, { texts }] of Object.entries(truth)) {
    await t.step(name, () => {
      const tokenizer = pieceTokenizer(read(`${name}.json`));
      for (const { ids, decoded } of texts) {
        // The marks of ends of words are no text: as transformers.CLIPTokenizer has it, they are spaces.
        const text = name === "clip" ? decoded.replaceAll("</w>", " ") : decoded;
        assert.equal(tokenizer.decode(ids), text);
        assert.equal(textOfTokens(ids, tokenizer.vocabulary), text.trim());
      }
    });
  }
});

Deno.test("words are cut as they are in a running text", async (t) => {
  for (const [name, { words }] of Object.entries(truth)) {
    await t.step(name, () => {
      const tokenizer = pieceTokenizer(read(`${name}.json`));
      for (const { text, ids } of words) {
        const cut = text.split(" ").map((word, i) => tokenizer.cut(word, i === 0 ? "first" : "spaced"));
        assert.deepEqual(cut, ids, text);
      }
    });
  }
});

Deno.test("where a long document is cut changes no piece", async (t) => {
  const word = fc.constantFrom("the", "company", "dedicated", "nation,", "here.", "1863", "Happiness", "--");
  // No unknown pieces: of two beside each other some models make one, which no cut can know.
  const space = fc.constantFrom(" ", " ", " ", "\n", "\n\n");
  for (
    const name of [
      "byte_level",
      "byte_level_prefix",
      "llama2",
      "llama2_metaspace",
      "llama3",
      "wordpiece",
      "unigram",
    ]
  ) {
    await t.step(name, (step) => {
      const pieces = pieceTokenizer(read(`${name}.json`));
      const all = endsOf.filter((ends) => ends === "nothing" || pieces.vocabulary.end !== null);
      holds(
        step,
        fc.property(
          fc.array(fc.tuple(word, space, fc.boolean()), { minLength: 1, maxLength: 12 }),
          fc.constantFrom(...all),
          (parts, ends) => {
            // Passages end after white space, as long documents are cut.
            const passages = [""];
            for (const [one, after, cut] of parts) {
              passages[passages.length - 1] += one + after;
              if (cut) passages.push("");
            }
            const encode = (texts: string[]) => {
              const tokenizer = pieceDocumentTokenizer(pieces, ends);
              return texts.flatMap((text, i) =>
                tokenizer.encode({ document: 0, text, last: i === texts.length - 1 })
              );
            };
            const cut = [...passages.filter((text) => text !== ""), "end"];
            assert.deepEqual(encode(cut), encode([`${passages.join("")}end`]));
          },
        ),
        { numRuns: 60 },
      );
    });
  }
});

// The ids are those that fixtures/tokenizers/edges.py prints.
Deno.test("characters without a piece, empty texts and pre-tokens by length are as Python's tokenizers have them", () => {
  const split = { type: "WhitespaceSplit" };
  const words = (vocab: Record<string, number>) => ({ type: "WordLevel", vocab, unk_token: "[UNK]" });
  const ids = (parts: Record<string, unknown>, ...texts: string[]) => {
    const tokenizer = pieceTokenizer(JSON.stringify(parts));
    return texts.map((text) => tokenizer.encode(text));
  };
  const letters = { type: "BPE", vocab: { o: 0, r: 1, or: 2, s: 3 }, merges: [["o", "r"]] };
  assert.deepEqual(
    ids({ model: letters, pre_tokenizer: split }, "oXr or soör X 😀s", "X"),
    [[2, 2, 3, 2, 3], []],
  );
  const ends = {
    type: "BPE",
    vocab: { o: 0, r: 1, or: 2, "r</w>": 3, "or</w>": 4, "o</w>": 5 },
    merges: [["o", "r"], ["o", "r</w>"]],
    end_of_word_suffix: "</w>",
  };
  assert.deepEqual(ids({ model: ends, pre_tokenizer: split }, "oXr orX or"), [[4, 2, 4]]);
  const marked = {
    type: "Sequence",
    normalizers: [{ type: "Strip", strip_left: true, strip_right: true }, { type: "Prepend", prepend: "$&" }],
  };
  const known = words({ "[UNK]": 0, "$&a": 1, a: 2, "$&ab": 3 });
  assert.deepEqual(
    ids({ model: known, normalizer: marked, pre_tokenizer: split }, "a", " ", "", " ab "),
    [[1], [], [], [3]],
  );
  const fixed = words({ "[UNK]": 0, ab: 1, "😀😀": 2, c: 3 });
  assert.deepEqual(
    ids({ model: fixed, pre_tokenizer: { type: "FixedLength", length: 2 } }, "ab😀😀abc"),
    [[1, 2, 1, 3]],
  );
});

Deno.test("what no piece stands for is told; what would be read otherwise than it was made is refused", () => {
  const made = (parts: Record<string, unknown>) => pieceTokenizer(JSON.stringify(parts));
  const vocab = { "[PAD]": 0, "[UNK]": 1, hello: 2 };
  const words = {
    model: { type: "WordLevel", vocab, unk_token: "[UNK]" },
    pre_tokenizer: { type: "Whitespace" },
  };
  assert.deepEqual(made(words).encode("hello world"), [2, 1]);
  assert.equal(made(words).vocabulary.unknown, 1);
  const none = made({ ...words, model: { type: "WordLevel", vocab: { hello: 0 }, unk_token: "[UNK]" } });
  assert.deepEqual(none.encode("hello"), [0]);
  assert.throws(() => none.encode("hello world"), /has no piece for .*, and none for unknown ones/);
  const refused: [Record<string, unknown>, RegExp][] = [
    [{ ...words, normalizer: { type: "Rot13" } }, /Rot13/],
    [{ ...words, pre_tokenizer: { type: "UnicodeScripts" } }, /UnicodeScripts/],
    [
      {
        ...words,
        pre_tokenizer: { type: "Split", pattern: { String: "a" }, behavior: "Contiguous", invert: true },
      },
      /Split, inverted and contiguous/,
    ],
    [{ ...words, added_tokens: [{ id: 0, content: "[PAD]", single_word: true }] }, /whole words only/],
    [{ model: { type: "BPE", vocab, merges: [], continuing_subword_prefix: "##" } }, /prefix/],
    [{ model: { type: "Other", vocab } }, /its model is a Other/],
    [{ ...words, normalizer: { type: "Precompiled", precompiled_charsmap: "AAA=" } }, /cut off/],
  ];
  for (const [parts, message] of refused) assert.throws(() => made(parts), message);
});
