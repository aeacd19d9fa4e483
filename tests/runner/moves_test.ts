import assert from "node:assert/strict";
import { movedBytes, movedWork } from "../../runner/moves.ts";
import type { Records } from "../../runner/records/records.ts";
import { PipelineSession } from "../../runner/session.ts";
import { artifactSize } from "../../runner/store/artifacts.ts";
import { movesTexts } from "../../cli/moves.ts";
import { bytesText } from "../../foundation/format.ts";
import { fixture, Folder } from "../command.ts";

const FILE = fixture("sharded");
const open = (folder: Folder, ...set: string[]) =>
  PipelineSession.open({ file: FILE, store: folder.store, set, engine: "cpu" });

Deno.test("a plan tells what work in shards moves, as soon as it is known how large it is", async () => {
  using folder = new Folder();
  {
    await using session = await open(folder);
    const [work, ...more] = movedWork(await session.plan(), session.records, "sharded");
    assert.deepEqual(more, []);
    // Two epochs of three shards and three parts.
    assert.deepEqual(work, {
      work: "the training in shards",
      nodes: 12,
      bytes: undefined,
      passes: 2,
      told: "sharded.begin",
    });
    await session.run(
      { jobs: 0, command: "test", stop: new AbortController().signal, only: undefined } as never,
    );
    assert.deepEqual(movedWork(await session.plan(), session.records, "sharded"), [], "all is cached");
  }
  await using session = await open(folder, "shards=6", "parts=1", "epochs=1");
  const plan = await session.plan();
  const [{ bytes, passes } = {}] = movedWork(plan, session.records, "sharded");
  const begin = [...plan.values()].find(({ node }) => node.name === "sharded.begin")!;
  const size = artifactSize(begin.outputs!.start!);
  // Each shard writes its counts and reads the start; the step reads all counts and the start, and writes parameters.
  assert.equal(bytes, 6 * 3 * size + (1 + 1 + 2 * 6) * size);
  assert.equal(passes, 1);
  assert.deepEqual(movesTexts(session, plan), [
    `the training in shards: 7 nodes move about ${bytesText(bytes!)} to and from the store`,
  ]);
  const count = [...plan.values()].find(({ node }) => node.stage.name === "train.count-shard")!;
  assert.equal(movedBytes(count.node, plan), 3 * size);
  assert.equal(movedBytes(begin.node, plan), undefined);
});

Deno.test("fewer shards are advised where a shard computes for less than five times as long as it moves", async () => {
  using folder = new Folder();
  {
    await using session = await open(folder, "shards=2", "epochs=1");
    await session.run({ jobs: 0, command: "test", stop: new AbortController().signal });
  }
  await using session = await open(folder, "shards=8", "epochs=1");
  const plan = await session.plan();
  const shard = [...plan.values()].find(({ node }) => node.stage.name === "train.count-shard")!.node;
  const moves = movedBytes(shard, plan)! / 200e6;
  /** Advice where each of the two earlier shards computed so many times as long as one moves. */
  const advice = (times: number) => {
    const records = Object.create(session.records, {
      secondsOfKey: { value: () => (times + 1) * moves },
    }) as Records;
    return movedWork(plan, records, "sharded")[0]!.advice;
  };
  const near = (a: number, b: number) => assert.ok(Math.abs(a - b) < 1e-9 * b, `${a} and ${b}`);
  // 2 x 10 times as long in all: 8 shards would compute 2.5 times as long as they move, 4 compute 5 times as long.
  const told = advice(10.001)!;
  assert.deepEqual([told.shards, told.better], [8, 4]);
  near(told.computes, 2 * 10.001 * moves / 8);
  near(told.moves, moves);
  assert.equal(advice(1)!.better, 1);
  assert.equal(advice(25), undefined, "50 times in all are enough for 8");
});
