import assert from "node:assert/strict";
import fc from "fast-check";
import { documentsOf, splitByHash, splitByName, type TextFormat } from "../../../datasets/text/documents.ts";
import { type Passage, passagesOf } from "../../../datasets/text/passages.ts";
import { holds } from "../../property.ts";

async function inFile<T>(bytes: string, action: (path: string) => Promise<T>): Promise<T> {
  const path = Deno.makeTempFileSync({ prefix: "retort-documents-" });
  try {
    Deno.writeTextFileSync(path, bytes);
    return await action(path);
  } finally {
    Deno.removeSync(path);
  }
}

async function documents(text: string, format: TextFormat): Promise<string[]> {
  return await inFile(text, async (path) => {
    const found: string[] = [];
    for await (const document of documentsOf(path, format)) {
      let whole = "";
      for await (const piece of document.text()) whole += piece;
      found.push(whole);
    }
    return found;
  });
}

Deno.test("documents of a file, by format", async () => {
  const text = "one\ntwo\n\n \nthree\n";
  assert.deepEqual(await documents(text, "file"), [text]);
  assert.deepEqual(await documents(text, "lines"), ["one\n", "two\n", "three\n"]);
  assert.deepEqual(await documents(text, "paragraphs"), ["one\ntwo\n", "three\n"]);
  assert.deepEqual(await documents("no line end", "lines"), ["no line end"]);
  for (const format of ["file", "lines", "paragraphs", "wikitext"] as const) {
    assert.deepEqual(await documents("", format), []);
  }
});

Deno.test("articles of WikiText begin at titles, not at headings, and lose nothing", async () => {
  const text =
    " \n = Cat = \n \n A cat . \n = = Food = = \n = not a title \n \n = nor this = \n x \n \n = Dog = \n \n A dog .\n";
  const found = await documents(text, "wikitext");
  assert.deepEqual(found, [
    " \n",
    " = Cat = \n \n A cat . \n = = Food = = \n = not a title \n \n = nor this = \n x \n \n",
    " = Dog = \n \n A dog .\n",
  ]);
  assert.equal(found.join(""), text);
});

Deno.test("a document's split depends on its text alone, and shares are kept", async () => {
  const shares = { train: 0.8, valid: 0.1, test: 0.1 };
  const counts = { train: 0, valid: 0, test: 0 };
  for (let i = 0; i < 2000; i++) {
    const text = `document ${i}`;
    const split = await splitByHash({ text: () => [text] }, shares);
    assert.equal(await splitByHash({ text: () => [text.slice(0, 4), text.slice(4)] }, shares), split);
    counts[split]++;
  }
  // Four standard deviations of a binomial of 2,000.
  assert.ok(Math.abs(counts.train - 1600) < 72, String(counts.train));
  assert.ok(Math.abs(counts.valid - 200) < 54, String(counts.valid));
  assert.equal(await splitByHash({ text: () => ["x"] }, { train: 0, valid: 0, test: 1 }), "test");
});

Deno.test("a file's split is in its name or its folder's", () => {
  const names = [
    "train.txt",
    "wiki.valid.tokens",
    "TEST/1.txt",
    "dev-00.gz",
    "contest.txt",
    "training/a",
    "retrain.txt",
  ];
  assert.deepEqual(
    names.map(splitByName),
    ["train", "valid", "test", "valid", undefined, "train", undefined],
  );
});

Deno.test("passages give every document back, cut at the best place that there is", async (test) => {
  await holds(
    test,
    fc.asyncProperty(
      fc.array(
        fc.array(fc.constantFrom("a", "é", "😀", " ", "\n", "\n\n", "word"), { minLength: 1, maxLength: 40 })
          .map((parts) => parts.join("")),
        { maxLength: 5 },
      ),
      fc.integer({ min: 8, max: 40 }),
      async (texts, limit) => {
        const encoder = new TextEncoder();
        const starts = [0];
        for (const text of texts) starts.push(starts.at(-1)! + encoder.encode(text).length);
        const passages: Passage[] = [];
        await inFile(texts.join(""), async (path) => {
          for await (const passage of passagesOf(path, Float64Array.from(starts), limit)) {
            passages.push(passage);
          }
        });
        const again = texts.map(() => "");
        for (const { document, text, last } of passages) {
          assert.ok(encoder.encode(text).length <= limit && text !== "");
          again[document] += text;
          assert.equal(last, again[document] === texts[document]);
        }
        assert.deepEqual(again, texts);
      },
    ),
  );
  const cuts = async (text: string) => {
    const size = new TextEncoder().encode(text).length;
    return await inFile(text, async (path) => {
      const found: string[] = [];
      for await (const { text } of passagesOf(path, Float64Array.of(0, size), 10)) found.push(text);
      return found;
    });
  };
  assert.deepEqual(await cuts("aaaaa\n\nb c\nd"), ["aaaaa\n\n", "b c\nd"]);
  assert.deepEqual(await cuts("aaaaa\nbb ccc"), ["aaaaa\n", "bb ccc"]);
  assert.deepEqual(await cuts("aaaaa bbbbbb"), ["aaaaa ", "bbbbbb"]);
  assert.deepEqual(await cuts("😀😀😀"), ["😀😀", "😀"]);
});
