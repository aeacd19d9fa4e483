import assert from "node:assert/strict";
import { PipelineSession } from "../../../runner/session.ts";
import { fixture, Folder } from "../../command.ts";

async function run(folder: Folder, jobs: number, shards: number) {
  await using session = await PipelineSession.open({
    file: fixture("sharded_embedding"),
    store: folder.store,
    set: [`shards=${shards}`],
    engine: "cpu",
  });
  const summary = await session.run({ jobs, command: "test", stop: new AbortController().signal });
  const digestOf = (name: string) => {
    const { node, output } = session.outputs.get(name)!;
    return summary.nodes.find((one) => one.node === node)!.outputs?.[output]?.digest;
  };
  return { summary, sharded: digestOf("sharded"), whole: digestOf("whole") };
}

Deno.test("an embedding in shards has the bytes of one in one place, whoever executes it; the shards' own do not stay", async () => {
  using one = new Folder();
  using three = new Folder();
  const alone = await run(one, 1, 3);
  assert.equal(alone.summary.status, "done", JSON.stringify(alone.summary.nodes.map(({ error }) => error)));
  assert.ok(alone.whole !== undefined);
  assert.equal(alone.sharded, alone.whole);
  assert.equal((await run(three, 3, 3)).sharded, alone.whole);
  assert.equal(alone.summary.dropped.length, 3);
  // 23 windows in blocks of 5.
  assert.equal((await run(one, 1, 5)).sharded, alone.whole);
  const { summary } = await run(one, 1, 6);
  assert.equal(summary.status, "failed");
  assert.match(
    summary.nodes.map(({ error }) => error ?? "").join("\n"),
    /23 items in blocks of 5 make no 6 shards/,
  );
});
