import assert from "node:assert/strict";
import { RandomStream } from "../../circuits/mod.ts";
import { command, Folder, ROOT } from "../command.ts";

/** Nouns and verbs by turns, of two kinds that do not mix: two classes, and what a state remembers is the kind. */
function sentences(seed: number, count: number): string {
  const random = new RandomStream(seed, 0);
  return Array.from({ length: count }, () => {
    const kind = random.integer(2);
    return Array.from({ length: 6 }, (_, i) => `${i % 2 === 0 ? "noun" : "verb"}${kind}${random.integer(3)}`)
      .join(" ");
  }).join("\n") + "\n";
}

Deno.test("blocked models of a text from random and distilled starts, and dense ones, in one table", async () => {
  using folder = new Folder();
  for (const [name, seed, count] of [["train", 1, 160], ["valid", 2, 30], ["test", 3, 30]] as const) {
    Deno.writeTextFileSync(`${folder.path}/${name}.txt`, sentences(seed, count));
  }
  const ran = await command("run", [
    `${ROOT}/pipelines/plateau_text.ts`,
    "--store",
    folder.store,
    "--jobs",
    "0",
    ...[
      "text.train=train.txt",
      "text.valid=valid.txt",
      "text.test=test.txt",
      'blocked=[{"blocks":3,"states":2}]',
      "dense=[2]",
      "denseTeachers=[]",
      'starts=["random","contexts","backward"]',
      'languageModel={"epochs":2,"width":8,"layers":1}',
      "epochs=4",
      "window=7",
      "width=4",
      "components=2",
      'levels={"transition":1,"within":1,"between":1,"emission":1}',
    ].flatMap((one) => ["--set", one]),
  ], { cwd: folder.path });
  assert.equal(ran.code, 0, ran.stderr);
  // Larger than what lists show, so the artifact itself is read.
  const { files } = JSON.parse((await command("show", ["table", "--store", folder.store, "--json"])).stdout);
  const { digest } = files.find(({ name }: { name: string }) => name === "value.json");
  const hex = digest.replace("sha256:", "");
  const text = Deno.readTextFileSync(`${folder.store}/objects/${hex.slice(0, 2)}/${hex.slice(2)}`);
  const { rows, floors } = JSON.parse(text) as {
    rows: { arm: string; states: number; start: number; test: number }[];
    floors: { model: string; test: number }[];
  };
  assert.deepEqual(rows.map(({ arm, states }) => `${arm} ${states}`), [
    "random 6",
    "random with n-grams 6",
    "contexts 6",
    "contexts with n-grams 6",
    "backward 6",
    "backward with n-grams 6",
    "random 2",
  ]);
  // A word is one of three once its kind is known, and the end comes after six: perplexity near 3, unigram 13.
  const [, , blocked, switching] = rows as [unknown, unknown, typeof rows[0], typeof rows[0]];
  const unigram = floors.find(({ model }) => model === "unigram")!;
  assert.ok(blocked.start < 5, `${blocked.start} before EM`);
  assert.ok(
    blocked.test < 4 && blocked.test < 0.5 * unigram.test,
    `${blocked.test}, unigram ${unigram.test}`,
  );
  // 960 words are few: pairs of words say hardly more than kinds, and nothing that the kinds do not.
  assert.ok(switching.test < 1.1 * blocked.test, `${switching.test} with n-grams, ${blocked.test} alone`);
});
