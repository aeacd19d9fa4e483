import assert from "node:assert/strict";
import { RandomStream } from "../../circuits/mod.ts";
import { command, Folder, outputValue, ROOT } from "../command.ts";
import { byteLevel } from "../control/vocabularies.ts";

/** Words of two kinds, each of which tends to stay. */
function text(seed: number, count: number): string {
  const random = new RandomStream(seed, 0);
  let kind = 0;
  return Array.from({ length: count }, () => {
    if (random.integer(8) === 0) kind = 1 - kind;
    return ["ab", "ba"][kind]!.repeat(1 + random.integer(2));
  }).join(" ");
}

async function run(folder: Folder, ...set: string[]) {
  const args = set.flatMap((one) => ["--set", one]);
  return await command("run", [
    ...[`${ROOT}/pipelines/wikitext103_arena.ts`, "--store", folder.store, "--jobs", "0", ...args],
  ], { cwd: folder.path, env: { RETORT_DATA: folder.path } });
}

Deno.test("wikitext103_arena: pieces, windows and both starts of another text, a teacher that reads a part", async () => {
  using folder = new Folder();
  Deno.writeTextFileSync(`${folder.path}/tokenizer.json`, byteLevel);
  // As the data set lies in RETORT_DATA, so that files go by their names.
  Deno.mkdirSync(`${folder.path}/wikitext-103-raw`);
  for (const [name, seed, count] of [["train", 1, 600], ["valid", 2, 120], ["test", 3, 120]] as const) {
    Deno.writeTextFileSync(`${folder.path}/wikitext-103-raw/wiki.${name}.raw`, text(seed, count));
  }
  const ran = await run(
    folder,
    ...["tokenizer=.", "states=[3]", "epochs=2", "window=16", "components=2", "teacherEvery=2"],
  );
  assert.equal(ran.code, 0, ran.stderr);
  assert.match(ran.stdout, /Does distillation make better hidden Markov models of WikiText-103/);
  const { rows, floors } = await outputValue(folder.store, "table");
  assert.deepEqual(
    rows.map(({ arm, states }: { arm: string; states: number }) => `${arm} ${states}`),
    ["random 3", "static 3"],
  );
  const unigram = floors.find(({ model }: { model: string }) => model === "unigram").test;
  for (const { arm, test } of rows) {
    assert.ok(test > 1 && test < unigram * 1.2, `${arm}: ${test}, unigram ${unigram}`);
  }
  assert.deepEqual(
    floors.map(({ model }: { model: string }) => model),
    ["unigram", "interpolated bigram", "Kneser-Ney 2"],
  );
});

Deno.test("wikitext103_arena: without the text it is told how to get it", async () => {
  using folder = new Folder();
  const none = await run(folder, "tokenizer=.");
  assert.equal(none.code, 1);
  assert.match(none.stderr, /data set `wikitext-103-raw` is not on this machine/);
  assert.match(none.stderr, /Get wikitext-103-raw-v1\.zip .*, and unpack it\. Put wiki\.train\.raw/);
});
