import assert from "node:assert/strict";
import { gzipSync } from "node:zlib";
import type { RetortError } from "../../../foundation/errors.ts";
import { files } from "../../../runner/codecs/files.ts";
import { documents, tokens, vocabulary, windows } from "../../../stages/text/codecs.ts";
import { loadText } from "../../../stages/text/load.ts";
import { localText } from "../../../stages/text/local.ts";
import { sotuText } from "../../../stages/text/sotu.ts";
import { tokenize, tokenizePieces } from "../../../stages/text/tokenize.ts";
import { layWindows } from "../../../stages/text/windows.ts";
import { partNeeds } from "../../needs.ts";
import { realData } from "../../real_data.ts";
import { inPlace, runHere, type SmallStore } from "../in_place.ts";

const splits = ["train", "valid", "test"] as const;

/** Runs a stage and reads each output back from the store. */
async function run(
  place: SmallStore,
  stage: Parameters<typeof runHere>[0],
  inputs: Record<string, unknown>,
  params: unknown = {},
  // deno-lint-ignore no-explicit-any -- tests know what the stage gives
): Promise<any> {
  const made = await runHere(stage, inputs, params);
  const outputs: Record<string, unknown> = {};
  for (const [name, codec] of Object.entries(stage.definition.outputs)) {
    outputs[name] = await place.read(codec, await place.write(codec, made[name]));
  }
  return outputs;
}

async function filesOf(place: SmallStore, content: Record<string, string | Uint8Array>) {
  return await place.read(files, await place.write(files, content));
}

async function textOf(given: { passages(): AsyncIterable<{ document: number; text: string }> }) {
  const texts: string[] = [];
  for await (const { document, text } of given.passages()) texts[document] = (texts[document] ?? "") + text;
  return texts;
}

Deno.test("WikiText-2 has the tokens and the types that everyone counts", async () => {
  const found = await realData("wikitext-2");
  if (!partNeeds("data", found !== undefined) || found === undefined) return;
  await inPlace(async (place) => {
    const input = {
      entries: found.files.map(({ path }) => ({ name: path, size: 0, digest: "" })),
      path: (name: string) => Promise.resolve(`${found.folder}/${name}`),
    };
    const text = await run(place, loadText, { files: input }, { format: "wikitext", split: "names" });
    const made = await run(place, tokenize, text, { by: "spaces", ends: "lines" });
    assert.deepEqual(splits.map((split) => made[split].count), [2_088_628, 217_646, 245_569]);
    assert.equal(made.vocabulary.words.length, 33_278);
    // The paper tells of 600, 60 and 60 articles; each file begins with an empty line that is in none.
    assert.deepEqual(splits.map((split) => text[split].count - 1), [600, 60, 60]);
    const ids: Int32Array = await made.train.ids.all();
    const head = Array.from(ids.subarray(0, 12), (id) => made.vocabulary.words[id]);
    assert.equal(head.join(" "), "<eos> = Valkyria Chronicles III = <eos> <eos> Senjō no Valkyria 3");
    const unknown = ids.reduce((n, id) => n + (id === 0 ? 1 : 0), 0);
    assert.equal(unknown, 54_625);
    const { windows } = await run(place, layWindows, { tokens: made.train, vocabulary: made.vocabulary });
    assert.equal(windows.count, 65_269);
    const rows = await windows.rows(made.train.ids, 65_268, 65_269);
    assert.deepEqual(rows.values, ids.subarray(65_268 * 32, 65_269 * 32));
  });
});

Deno.test("documents fall into splits by hash, whatever files they lie in", async () => {
  await inPlace(async (place) => {
    const lines = Array.from({ length: 200 }, (_, i) => `document ${i}\n`);
    const one = await filesOf(place, { "all.txt": lines.join("") });
    const two = await filesOf(place, {
      "a.txt.gz": gzipSync(lines.slice(100).join("")),
      "b.txt": lines.slice(0, 100).join(""),
    });
    const first = await run(place, loadText, { files: one }, { format: "lines" });
    const second = await run(place, loadText, { files: two }, { format: "lines" });
    const all: string[] = [];
    for (const split of splits) {
      const texts = await textOf(first[split]);
      assert.deepEqual((await textOf(second[split])).sort(), texts.toSorted());
      assert.ok(texts.length > 5, `${split}: ${texts.length}`);
      all.push(...texts);
    }
    assert.deepEqual(all.sort(), lines.toSorted());
  });
});

Deno.test("rows of tables are documents, by hash or by the names of files; `auto` goes by names where it can", async () => {
  await inPlace(async (place) => {
    const rows = Array.from({ length: 60 }, (_, i) => `document ${i}\n`);
    const table = await filesOf(place, {
      "all.jsonl.gz": gzipSync(rows.map((text, id) => JSON.stringify({ id, text })).join("\n")),
    });
    const lines = await filesOf(place, { "all.txt": rows.join("") });
    const byHash = await run(place, loadText, { files: table }, { column: "text", split: "auto" });
    const plain = await run(place, loadText, { files: lines }, { format: "lines" });
    for (const split of splits) {
      assert.deepEqual(await textOf(byHash[split]), await textOf(plain[split]));
    }
    const named = await filesOf(place, {
      "data/train-00000.csv": "text\none\ntwo\n",
      "data/validation-00000.csv": "text\nthree\n",
      "data/test-00000.csv": "id,text\n4,four\n",
    });
    const byName = await run(place, loadText, { files: named }, { column: "text", split: "auto" });
    assert.deepEqual(await Promise.all(splits.map((split) => textOf(byName[split]))), [["one", "two"], [
      "three",
    ], ["four"]]);
    await assert.rejects(
      run(place, loadText, { files: named }, { split: "auto" }),
      /data\/test-00000\.csv: it is a table \(CSV\): which column/,
    );
    // What decides, and what is left out, is said.
    const mixed = { "train.txt": "a", "valid.txt": "b", "test.txt": "c", "README.md": "d" };
    const told: string[] = [];
    const log = (line: string) => void told.push(line);
    await runHere(loadText, { files: await filesOf(place, mixed) }, { split: "auto" }, { log });
    assert.deepEqual(told, [
      "documents go by the names of files",
      "left out, since they are named after no split: README.md",
    ]);
    told.length = 0;
    await runHere(loadText, { files: lines }, { split: "auto", format: "lines" }, { log });
    assert.deepEqual(told, ["documents go by hash"]);
  });
});

Deno.test("the addresses of the union come in whole and in three splits", async () => {
  await inPlace(async (place) => {
    const { files } = await run(place, sotuText, {}, { from: 1790, to: 1860 });
    assert.ok(files.entries.length > 60);
    const text = await run(place, loadText, { files });
    const counts = splits.map((split) => text[split].count);
    assert.equal(counts.reduce((a, b) => a + b), files.entries.length);
    assert.ok(counts.every((count) => count > 0), String(counts));
  });
});

Deno.test("windows within sentences and documents, padded, hold every token once", async () => {
  await inPlace(async (place) => {
    const input = await filesOf(place, {
      "train/a": "One two three. Four five!\n\nSix",
      "train/b": "Two.",
      "valid": "x",
      "test": "y",
    });
    const text = await run(place, loadText, { files: input }, { split: "names" });
    const made = await run(place, tokenize, text, { lowercase: true });
    const words = async (params: unknown) => {
      const { windows } = await run(
        place,
        layWindows,
        { tokens: made.train, vocabulary: made.vocabulary },
        params,
      );
      const rows = await windows.rows(made.train.ids, 0, windows.count);
      return Array.from(
        { length: rows.count },
        (_, i) =>
          Array.from(rows.values.subarray(i * rows.variables, (i + 1) * rows.variables) as Int32Array)
            .filter((_, j) => rows.observed?.[i * rows.variables + j] !== 0)
            .map((id) => made.vocabulary.words[id]).join(" "),
      );
    };
    assert.deepEqual(await words({ length: 4, within: "ends", partial: "pad" }), [
      "one two three .",
      "<eos>",
      "four five ! <eos>",
      "six <eos>",
      "two . <eos>",
    ]);
    assert.deepEqual(await words({ length: 6, within: "documents", partial: "pad" }), [
      "one two three . <eos> four",
      "five ! <eos> six <eos>",
      "two . <eos>",
    ]);
    assert.deepEqual(await words({ length: 8 }), ["one two three . <eos> four five !"]);
    await assert.rejects(words({ length: 99 }), /14 tokens give no window of 99/);
    const bytes = await run(place, tokenize, text, { by: "bytes", ends: "nothing" });
    assert.equal(bytes.train.ids.type, "u2"); // 256 bytes and the end are one too many for one byte.
    assert.equal(bytes.train.count, 34);
  });
});

Deno.test("a source names files in the order of their names, and says what is not there", async () => {
  const folder = Deno.makeTempDirSync({ prefix: "retort-local-" });
  const locate = async (params: unknown) =>
    await (localText.definition.locate as unknown as (args: unknown) => Promise<{ name: string }[]>)({
      params: localText.definition.params!.parse(params),
    });
  try {
    Deno.mkdirSync(`${folder}/sub`);
    for (const name of ["b.txt", "sub/a.txt", "c.md", ".hidden"]) {
      Deno.writeTextFileSync(`${folder}/${name}`, "x");
    }
    assert.deepEqual((await locate({ path: folder })).map(({ name }) => name), [
      "b.txt",
      "c.md",
      "sub/a.txt",
    ]);
    assert.deepEqual((await locate({ path: folder, endings: [".md"] })).map(({ name }) => name), ["c.md"]);
    assert.deepEqual((await locate({ path: `${folder}/c.md` })).map(({ name }) => name), ["c.md"]);
    Deno.mkdirSync(`${folder}/other`);
    Deno.writeTextFileSync(`${folder}/other/b.txt`, "y");
    assert.deepEqual((await locate({ path: [`${folder}/c.md`, `${folder}/sub`] })).map(({ name }) => name), [
      "a.txt",
      "c.md",
    ]);
    const each = {
      train: [`${folder}/b.txt`, `${folder}/sub`],
      valid: `${folder}/c.md`,
      test: `${folder}/other`,
    };
    assert.deepEqual((await locate({ path: each })).map(({ name }) => name), [
      "test/b.txt",
      "train/a.txt",
      "train/b.txt",
      "valid/c.md",
    ]);
    await assert.rejects(
      locate({ path: [`${folder}/b.txt`, `${folder}/other`] }),
      /two files are called b\.txt: .*b\.txt and .*other\/b\.txt/,
    );
    await assert.rejects(locate({ path: 5 }).then(), /expected a file or a folder/);
    await assert.rejects(locate({ path: `${folder}/none` }), /there is no file or folder .*none/);
    await assert.rejects(locate({ path: folder, endings: [".pdf"] }), (error: RetortError) => {
      assert.match(error.message, /holds no text files \*\.pdf/);
      assert.match(error.hint!, /`endings`.*There are files called \*\.md, \*\.txt\.$/);
      return true;
    });
    Deno.mkdirSync(`${folder}/none/.git`, { recursive: true });
    await assert.rejects(locate({ path: `${folder}/none` }), (error: RetortError) => {
      assert.match(error.message, /none holds no text files$/);
      assert.match(error.hint!, /hidden files do not count/);
      return true;
    });
  } finally {
    Deno.removeSync(folder, { recursive: true });
  }
});

Deno.test("bad input is refused in words", async () => {
  await inPlace(async (place) => {
    const load = async (content: Record<string, string | Uint8Array>, params: unknown) =>
      await run(place, loadText, { files: await filesOf(place, content) }, params);
    await assert.rejects(
      load({ "train.txt": "a", "test.txt": "b" }, { split: "names" }),
      /no file is named after the split `valid`; there are test\.txt, train\.txt/,
    );
    await assert.rejects(
      load({ "a.txt": Uint8Array.of(65, 0xe4, 66) }, {}),
      /a\.txt: not UTF-8 at byte 1: e4 42/,
    );
    await assert.rejects(load({ "a.txt": "" }, {}), /there is no text in a\.txt/);
    await assert.rejects(
      load({ "a.txt": "a" }, { shares: { train: 1, valid: 0.0000001, test: 0 } }),
      /of 1 documents none fell into `valid` \(train: 1, share 1; valid: 0, share 1e-7; test: 0, share 0\)/,
    );
    // Blank lines are no document, in any format and however it is split.
    for (const format of ["file", "paragraphs", "lines", "wikitext"]) {
      await assert.rejects(load({ "a.txt": "\n\n \n" }, { format }), /there is no text in a\.txt/);
      await assert.rejects(
        load({ "train/1": "a", "train/2": "b", "valid": " \n\n", "test": "c" }, { format, split: "names" }),
        /there is no text for the split `valid` in valid/,
      );
    }
    const text = await load({ "train": "a", "valid": "b", "test": "c" }, { split: "names" });
    const pieces = async (json: string, name = "tokenizer.json") =>
      await run(place, tokenizePieces, { ...text, tokenizer: await filesOf(place, { [name]: json }) });
    await assert.rejects(pieces("{}", "vocab.txt"), /no tokenizer\.json among vocab\.txt/);
    await assert.rejects(pieces("{"), /tokenizer\.json is not a usable tokenizer: it is not JSON/);
    await assert.rejects(pieces("{}"), /it has no `model`/);
    await assert.rejects(pieces('{"model":{"type":"Other","vocab":{"a":0}}}'), /is not a usable tokenizer: /);
  });
});

Deno.test("a teacher's tokenizer cuts documents into its pieces", async () => {
  await inPlace(async (place) => {
    const text = await run(place, loadText, {
      files: await filesOf(place, { "train": "Unseen cats!", "valid": "cats", "test": "dogs" }),
    }, { split: "names" });
    const json = JSON.stringify({
      version: "1.0",
      truncation: { max_length: 2, strategy: "LongestFirst", stride: 0 },
      padding: { strategy: { Fixed: 9 }, direction: "Right", pad_id: 0, pad_type_id: 0, pad_token: "[PAD]" },
      added_tokens: [
        {
          id: 1,
          content: "[SEP]",
          single_word: false,
          lstrip: false,
          rstrip: false,
          normalized: false,
          special: true,
        },
      ],
      normalizer: {
        type: "BertNormalizer",
        clean_text: true,
        handle_chinese_chars: true,
        strip_accents: null,
        lowercase: true,
      },
      pre_tokenizer: { type: "BertPreTokenizer" },
      post_processor: null,
      decoder: { type: "WordPiece", prefix: "##", cleanup: true },
      model: {
        type: "WordPiece",
        unk_token: "[UNK]",
        continuing_subword_prefix: "##",
        max_input_chars_per_word: 100,
        vocab: { "[PAD]": 0, "[SEP]": 1, "[UNK]": 2, "un": 3, "##seen": 4, "cats": 5, "!": 6 },
      },
    });
    const made = await run(place, tokenizePieces, {
      ...text,
      tokenizer: await filesOf(place, { "model/tokenizer.json": json }),
    });
    assert.deepEqual(made.vocabulary.words, ["[PAD]", "[SEP]", "[UNK]", "un", "##seen", "cats", "!"]);
    assert.deepEqual([made.vocabulary.unknown, made.vocabulary.end], [2, 1]);
    assert.deepEqual([...await made.train.ids.all()], [3, 4, 5, 6, 1]);
    assert.deepEqual([...await made.test.ids.all()], [2, 1]);
  });
});

Deno.test("codecs refuse what does not fit together", async () => {
  await inPlace(async (place) => {
    const folder = Deno.makeTempDirSync({ dir: place.scratch });
    Deno.writeTextFileSync(`${folder}/t.txt`, "abc");
    const made = await place.write(documents, { path: `${folder}/t.txt`, starts: Float64Array.of(0, 2) });
    await assert.rejects(place.read(documents, made), /text\.txt has 3 bytes, expected 2/);
    assert.notEqual(tokens.version, 1);
    assert.deepEqual([vocabulary.name, windows.name], ["vocabulary", "windows"]);
  });
});
