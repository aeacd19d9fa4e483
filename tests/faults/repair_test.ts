/** However many inputs are damaged, one run makes them again; and what was computed from damaged ones never counts. */
import assert from "node:assert/strict";
import { PipelineSession } from "../../runner/session.ts";
import { Store } from "../../runner/store/store.ts";
import type { RunSummary } from "../../runner/run_summary.ts";
import { fixture, Folder } from "../command.ts";
import { nodesIn } from "../runner/letters.ts";

async function run(folder: Folder, ...set: string[]): Promise<RunSummary> {
  await using session = await PipelineSession.open({ file: fixture("damages"), store: folder.store, set });
  return await session.run({ jobs: 0, command: "test", stop: new AbortController().signal });
}

/** Changes bytes of all objects but not their sizes: nothing shows before they are read. */
function damageAll(folder: string): number {
  let count = 0;
  for (const digits of Deno.readDirSync(folder)) {
    for (const { name } of Deno.readDirSync(`${folder}/${digits.name}`)) {
      const path = `${folder}/${digits.name}/${name}`;
      const bytes = Deno.readFileSync(path);
      bytes[0]! ^= 1;
      Deno.chmodSync(path, 0o644);
      Deno.writeFileSync(path, bytes);
      count++;
    }
  }
  return count;
}

const valuesOf = (summary: RunSummary) =>
  ["sum", "characters", "resumed"].flatMap((stage) =>
    summary.nodes.filter((outcome) => outcome.node.stage.name === stage).map((outcome) =>
      outcome.outputs?.size?.facts.value
    )
  );

Deno.test("any number of damaged inputs of a node heals in one run, however the stage reads them", async () => {
  using folder = new Folder();
  const first = await run(folder);
  assert.equal(first.status, "done");
  const expected = [{ size: 5010 }, { size: 36 }, { size: 36 }, { size: 5 }];
  assert.deepEqual(valuesOf(first), expected);
  assert.ok(damageAll(`${folder.store}/objects`) >= 11);
  // Another round: every node at the end is new and reads what is damaged.
  const again = await run(folder, "round=1");
  assert.equal(again.status, "done", again.nodes.map((outcome) => outcome.error).join());
  assert.deepEqual(valuesOf(again), expected, "a stage that catches the damage makes no result of it");
  assert.equal(nodesIn(again, "ran").length, 5 + 1 + 4, "every maker ran once more, with those that read");
  const log = Deno.readTextFileSync(again.nodes.find((outcome) => outcome.node.name === "sum")!.log!);
  assert.match(
    log,
    /object [0-9a-f]{12} of the store is damaged: its bytes have changed.*; so are 4 more inputs/,
  );
});

Deno.test("a checkpoint that is damaged where the stage reads it late: the stage begins anew", async () => {
  using folder = new Folder();
  const fail = `${folder.path}/fail`;
  Deno.writeTextFileSync(fail, "");
  const failed = await run(folder, `fail=${fail}`);
  assert.equal(failed.status, "failed");
  Deno.removeSync(fail);
  const [checkpoint] = [...Deno.readDirSync(`${folder.store}/checkpoints`)];
  assert.equal(damageAll(`${folder.store}/checkpoints/${checkpoint!.name}/objects`), 1);
  const again = await run(folder, `fail=${fail}`);
  assert.equal(again.status, "done", again.nodes.map((outcome) => outcome.error).join());
  const { log } = again.nodes.find((outcome) => outcome.node.name === "resumed")!;
  assert.match(Deno.readTextFileSync(log!), /the checkpoint was not usable, starting anew/);
});

Deno.test("a result of a format of the future is made again, and told as that", async () => {
  using folder = new Folder();
  await run(folder);
  const store = Store.open(folder.store);
  const keys = [...store.keys()];
  for (const key of keys) {
    const path = `${folder.store}/results/${key.slice(0, 2)}/${key}.json`;
    Deno.writeTextFileSync(path, Deno.readTextFileSync(path).replace(`{"format":1,`, `{"format":9,`));
  }
  const again = await run(folder);
  assert.equal(again.status, "done");
  assert.equal(nodesIn(again, "ran").length, keys.length);
  assert.match(
    JSON.stringify(again.nodes[0]!.reasons),
    /the record of its result cannot be used: it has format 9; this version of Retort knows format 1/,
  );
  assert.deepEqual(nodesIn(await run(folder), "ran"), []);
});
