import assert from "node:assert/strict";
import fc from "fast-check";
import { byteTokenizer, characterTokenizer, wordTokenizer } from "../../../datasets/text/tokenizer.ts";
import { sentencesOf, wordsIn } from "../../../datasets/text/words.ts";
import { holds } from "../../property.ts";

const words = (text: string) => Array.from(wordsIn(text), ({ word }) => word).join("|");
const sentences = (text: string, last = true) =>
  Array.from(sentencesOf(text, last), ([sentence]) => sentence);

Deno.test("Chinese, Japanese and Thai are cut into words, also beside other scripts", () => {
  // As native readers part them; what dictionaries disagree about is left out.
  assert.equal(words("我喜欢学习自然语言处理。"), "我|喜欢|学习|自然|语言|处理|。");
  assert.equal(words("私は東京大学でタクシーに乗る。"), "私|は|東京|大学|で|タクシー|に|乗る|。");
  assert.equal(words("ฉันชอบเรียนภาษาไทย"), "ฉัน|ชอบ|เรียน|ภาษา|ไทย");
  assert.equal(words("用iPhone学习CD-ROM 2024年"), "用|iPhone|学习|CD-ROM|2024|年");
  // Marks on letters stay with them: composed or not, and the vowels of Indic scripts.
  assert.equal(words("हिन्दी में cafe\u0301, naïve"), "हिन्दी|में|cafe\u0301|,|naïve");
  assert.equal(words("It's Lincoln’s say-so: 3.50!"), "It's|Lincoln’s|say-so|:|3|.|50|!");
});

Deno.test("words and marks in their order are the text without white space, each where it says", (test) => {
  const token = fc.constantFrom(
    "a",
    "'",
    "-",
    " ",
    "\n",
    "é",
    "e\u0301",
    "\u0301",
    "我",
    "喜欢",
    "は",
    "カー",
    "ไทย",
    "हि",
    "7",
    "。",
    "!",
    "😀",
  );
  holds(
    test,
    fc.property(fc.array(token, { maxLength: 30 }).map((parts) => parts.join("")), (text) => {
      const found = [...wordsIn(text)];
      for (const { word, index } of found) assert.equal(text.slice(index, index + word.length), word);
      assert.equal(found.map(({ word }) => word).join(""), text.replaceAll(/\s/g, ""));
    }),
  );
});

Deno.test("sentences of Chinese and Japanese end without a space, with what closes after the mark", () => {
  assert.deepEqual(sentences("我来了。你呢？好！！走吧"), ["我来了。", "你呢？", "好！！", "走吧"]);
  assert.deepEqual(sentences("「行くよ。」と言った。\n次の日。　また来た"), [
    "「行くよ。」",
    "と言った。",
    "次の日。",
    "また来た",
  ]);
  assert.deepEqual(sentences("他说：“好。” 然后走了。"), ["他说：“好。”", "然后走了。"]);
  assert.deepEqual(sentences("यह है। वह है।"), ["यह है।", "वह है।"]);
  assert.deepEqual(sentences("هل؟ نعم."), ["هل؟", "نعم."]);
  assert.deepEqual(sentences("One. Two! 3.50 e.g. x\n\n \nFour"), ["One.", "Two!", "3.50 e.g.", "x", "Four"]);
  assert.deepEqual(sentences(" \n\n \n"), []);
  // A text that goes on after a full stop that needs no space has ended its sentence, after another one not yet.
  assert.deepEqual([...sentencesOf("好。走", false)], [["好。", true], ["走", false]]);
  assert.deepEqual([...sentencesOf("好。", false)], [["好。", true]]);
  assert.deepEqual([...sentencesOf("Good.", false)], [["Good.", false]]);
});

Deno.test("white space between sentences is none: one end for each, whatever the tokens are", async () => {
  const text = "One.\n\n\n\nTwo.\n\n", passage = { document: 0, text, last: true };
  async function* passages() {
    yield passage;
  }
  const rules = { split: "letters", lowercase: false, ends: "sentences" } as const;
  const tokenizers = [
    await wordTokenizer(passages(), rules),
    await characterTokenizer(passages(), "sentences"),
    byteTokenizer("sentences"),
  ];
  for (const { vocabulary, encode } of tokenizers) {
    const ids = encode(passage);
    assert.equal(ids.filter((id) => id === vocabulary.end).length, 2, vocabulary.kind);
    assert.equal(ids.at(-1), vocabulary.end);
    assert.deepEqual(encode({ document: 0, text: " \n\n \n", last: true }), [], vocabulary.kind);
  }
});
