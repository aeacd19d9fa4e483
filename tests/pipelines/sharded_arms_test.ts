import assert from "node:assert/strict";
import { RandomStream } from "../../circuits/mod.ts";
import { command, type Ended, Folder, outputValue, ROOT } from "../command.ts";

interface Row {
  readonly arm: string;
  readonly valid: number;
  readonly test: number;
  readonly bestEpoch: number;
  readonly epochs: number;
  readonly converged: boolean;
}

/** Sentences of two kinds, by turns of two kinds of words. */
function sentences(seed: number, count: number): string {
  const random = new RandomStream(seed, 0);
  const one = () => {
    const kind = random.integer(2);
    return Array.from({ length: 6 }, (_, i) => `${"nv"[i % 2]}${kind}${random.integer(3)}`).join(" ");
  };
  return `${Array.from({ length: count }, one).join("\n")}\n`;
}

function textIn(folder: Folder): void {
  for (const [name, seed, count] of [["train", 1, 96], ["valid", 2, 30], ["test", 3, 30]] as const) {
    Deno.writeTextFileSync(`${folder.path}/${name}.txt`, sentences(seed, count));
  }
}

async function run(folder: Folder, pipeline: string, set: readonly string[]): Promise<Ended> {
  return await command("run", [
    ...[`${ROOT}/pipelines/${pipeline}.ts`, "--store", folder.store, "--jobs", "0"],
    ...[
      "text.train=train.txt",
      "text.valid=valid.txt",
      "text.test=test.txt",
      "window=7",
      "pseudocount=1",
      ...set,
    ]
      .flatMap((one) => ["--set", one]),
  ], { cwd: folder.path });
}

async function rowsOf(folder: Folder, pipeline: string, set: readonly string[]): Promise<Row[]> {
  const ended = await run(folder, pipeline, set);
  assert.equal(ended.code, 0, ended.stderr);
  return (await outputValue(folder.store, "table")).rows as Row[];
}

/** The same epochs, and perplexities within 1e-6 nats a token. */
function assertSame(sharded: readonly Row[], whole: readonly Row[]): void {
  assert.equal(sharded.length, whole.length);
  for (const [i, row] of sharded.entries()) {
    const { arm, epochs, bestEpoch, converged, valid, test } = whole[i]!;
    assert.deepEqual(
      [row.arm, row.epochs, row.bestEpoch, row.converged],
      [arm, epochs, bestEpoch, converged],
    );
    for (const [own, other] of [[row.valid, valid], [row.test, test]] as const) {
      assert.ok(Math.abs(Math.log(own / other)) < 1e-6, `${arm}: ${own} in shards, ${other} in one place`);
    }
  }
}

/** One dense model and a blocked one, from random starts. */
const ARMS = [
  'blocked=[{"blocks":3,"states":2}]',
  'starts=["random"]',
  "dense=[3]",
  "denseTeachers=[]",
  "ngrams=0",
];

Deno.test("arms of texts in shards are those of full batches, and the validation text ends them alike", async () => {
  using folder = new Folder();
  textIn(folder);
  const set = [...ARMS, "tolerance=0.1", 'levels={"emission":1,"transition":3}'];
  const whole = await rowsOf(folder, "plateau_text", [...set, "batchesPerUpdate=epoch"]);
  assert.ok(whole.every(({ converged }) => converged) && whole.some(({ epochs }) => epochs > 2));
  assertSame(await rowsOf(folder, "plateau_text", [...set, "shards=4", "parts=2"]), whole);
  const batches = await rowsOf(folder, "plateau_text", [...set, "shards=4", "shardsPerUpdate=1", "epochs=2"]);
  // Four updates an epoch get as far in two epochs as one an epoch in all of its own, or nearly.
  for (const [i, { test }] of batches.entries()) {
    assert.ok(Math.log(test / whole[i]!.test) < 0.1, `${test} after mini-batches, ${whole[i]!.test} before`);
  }
});

Deno.test("parameters that do not go with shards are refused before anything runs", async () => {
  using folder = new Folder();
  textIn(folder);
  const refused: [settings: string[], message: RegExp][] = [
    [
      ["shards=2", "batchesPerUpdate=4"],
      /`batchesPerUpdate` is 4, but with `shards` [^]*`shardsPerUpdate`/,
    ],
    [["shards=4", "batchesPerUpdate=epoch", "shardsPerUpdate=2"], /`batchesPerUpdate` is epoch, but/],
    [["shardsPerUpdate=2"], /`shardsPerUpdate` is 2 without `shards`/],
    [["parts=2"], /`parts` is 2 without `shards`/],
    [["shards=2", "shardsPerUpdate=3"], /sums up 3 of 2 shards/],
    [["shards=2", "stateDropout=0.1"], /`stateDropout` is 0.1, which training in `shards` has not/],
  ];
  for (const [settings, message] of refused) {
    const ended = await run(folder, "plateau_text", [...ARMS, ...settings]);
    assert.equal(ended.code, 2, settings.join(" "));
    assert.match(ended.stderr, message);
  }
  assert.ok(![...Deno.readDirSync(folder.path)].some(({ name }) => name === "store"));
});
