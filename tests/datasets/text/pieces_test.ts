import assert from "node:assert/strict";
import { pieceTokenizer } from "../../../datasets/text/pieces.ts";
import { textOfTokens } from "../../../datasets/text/text_of_tokens.ts";

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
