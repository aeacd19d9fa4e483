import assert from "node:assert/strict";
import { command, type Ended, Folder, outputValue, ROOT } from "../command.ts";
import { tinyModel, tinyTokenizer } from "../teachers/tiny.ts";

/** Small models, few epochs: what matters here is what text goes in. */
const SMALL = ["states=[3]", "epochs=2", "components=2", "iterations=3", "window=8", "minimum=1"];

async function textHmm(store: string, cwd: string, ...settings: string[]): Promise<Ended> {
  return await command("run", [
    `${ROOT}/pipelines/text_hmm.ts`,
    "--store",
    store,
    "--jobs",
    "0",
    ...[...SMALL, ...settings].flatMap((one) => ["--set", one]),
  ], { cwd });
}

const sentences = (from: number, count: number) =>
  Array.from({ length: count }, (_, i) => `Cats it unseen dogs ${(from + i) % 7} cats.`);

Deno.test("one's own files, by split, in a folder, as a table, by any teacher: all of it runs, and fills in blanks", async () => {
  using folder = new Folder();
  const at = (name: string) => `${folder.path}/${name}`;
  for (const [name, from] of [["a.txt", 0], ["b.txt", 60], ["c.txt", 70]] as const) {
    Deno.writeTextFileSync(at(name), sentences(from, from === 0 ? 40 : 6).join(" "));
  }
  Deno.mkdirSync(at("corpus"));
  for (const [name, as] of [["a.txt", "train.txt"], ["b.txt", "dev.txt"], ["c.txt", "test.txt"]]) {
    Deno.copyFileSync(at(name!), at(`corpus/${as}`));
  }
  Deno.writeTextFileSync(
    at("all.jsonl"),
    sentences(0, 60).map((review) => JSON.stringify({ review })).join("\n"),
  );
  Deno.mkdirSync(at("model"));
  Deno.writeFileSync(at("model/model.onnx"), tinyModel("encoder"));
  Deno.writeTextFileSync(at("model/tokenizer.json"), tinyTokenizer);
  const table = async (ran: Ended) => {
    assert.equal(ran.code, 0, ran.stderr);
    return await outputValue(folder.store, "table") as {
      rows: {
        arm: string;
        states: number;
        valid: number;
        test: number | null;
        converged: boolean;
        epochs: number;
      }[];
      floors: { test: number }[];
    };
  };
  const three = await table(
    await textHmm(
      folder.store,
      folder.path,
      "text.train=a.txt",
      "text.valid=b.txt",
      "text.test=c.txt",
      'teachers=["static","./model"]',
      'blanks=["Cats it _ dogs 3 cats.","_ it"]',
    ),
  );
  const filled = (await outputValue(folder.store, "completions")).completions as {
    drawn: string[];
    blanks: { word: string }[][];
  }[];
  assert.deepEqual(filled.map(({ blanks }) => blanks.length), [1, 1]);
  assert.ok(filled[0]!.drawn.every((text) => /^Cats it \S+ dogs 3 cats\.$/.test(text)));
  assert.ok(
    filled.every(({ blanks }) => blanks[0]!.length > 0 && blanks[0]!.every(({ word }) => word !== "<eos>")),
  );
  assert.deepEqual(three.rows.map(({ arm }) => arm), ["random", "static", "./model"]);
  assert.ok(three.rows.every(({ test }) => test !== null && test > 1 && test < 20), JSON.stringify(three));
  // Two epochs are none too many: no arm is compared without saying so.
  assert.deepEqual(
    three.rows.map(({ converged, epochs }) => [converged, epochs]),
    three.rows.map(() => [false, 2]),
  );
  // The same text in a folder: the same floors; in the pieces of the teacher: others.
  const inFolder = await table(
    await textHmm(folder.store, folder.path, "text=corpus", 'teachers=["static"]'),
  );
  assert.deepEqual(inFolder.floors, three.floors);
  assert.equal(inFolder.rows[0]!.test, three.rows[0]!.test);
  // Of two sizes the model that is asked is the one of lower perplexity on validation text, not the first.
  const sizes = await table(
    await textHmm(folder.store, folder.path, "text=corpus", 'teachers=["static"]', "states=[2,3]"),
  );
  const distilled = sizes.rows.filter(({ arm }) => arm === "static");
  assert.deepEqual(distilled.map(({ states }) => states), [2, 3]);
  assert.ok(distilled[1]!.valid < distilled[0]!.valid, JSON.stringify(distilled));
  const digest = async (name: string) => {
    const shown = await command("show", [name, "--store", folder.store, "--json"]);
    assert.equal(shown.code, 0, shown.stderr);
    return JSON.parse(shown.stdout).digest as string;
  };
  assert.equal(await digest("model"), await digest("smooth static@3, seed 0:circuit"));
  const rows = await table(
    await textHmm(
      folder.store,
      folder.path,
      "text=all.jsonl",
      "column=review",
      'teachers=["./model"]',
      "by=pieces",
    ),
  );
  assert.ok(rows.rows.every(({ test }) => test !== null && test > 1));
});

Deno.test("text that cannot be learned from is refused with what to set", async () => {
  using folder = new Folder();
  const at = (name: string) => `${folder.path}/${name}`;
  Deno.writeTextFileSync(at("all.csv"), "id,review\n1,x\n");
  Deno.writeTextFileSync(at("short.txt"), "Cats it.");
  const refused: [settings: string[], message: RegExp][] = [
    [[], /parameter `text`: expected a file or a folder/],
    [
      ["text=all.csv", "states=8"],
      /parameter `states`: .*expected array[\s\S]*a list is JSON: --set 'name=\[1,2\]'/,
    ],
    [
      ["text=all.csv"],
      /all\.csv: it is a table \(CSV\): which column is the text\? There are "id", "review"/,
    ],
    [["text=short.txt", 'blanks=["a _", "b"]'], /parameter `blanks\.1`: there is no blank, `_`, in it/],
    [["text=short.txt", "by=pieces"], /by=pieces needs a teacher in ONNX/],
    [["text=short.txt", "units=words"], /parameter `units`: it is called `by` since 0\.2\.0/],
    [
      [
        "text.train=short.txt",
        "text.valid=short.txt",
        "text.test=short.txt",
        "partial=drop",
        'teachers=["noise"]',
      ],
      /4 tokens give no window of 8[\s\S]*`partial` to "pad"/,
    ],
  ];
  for (const [settings, message] of refused) {
    const ran = await textHmm(folder.store, folder.path, ...settings);
    assert.notEqual(ran.code, 0, settings.join(" "));
    assert.match(ran.stderr, message);
  }
  // What is shorter than a window is one, filled up.
  const short = await textHmm(
    folder.store,
    folder.path,
    "text.train=short.txt",
    "text.valid=short.txt",
    "text.test=short.txt",
    'teachers=["noise"]',
    "states=[2]",
  );
  assert.equal(short.code, 0, short.stderr);
});
