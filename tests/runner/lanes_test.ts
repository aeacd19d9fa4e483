import assert from "node:assert/strict";
import type { Executor } from "../../runner/execute/executor.ts";
import { PipelineSession } from "../../runner/session.ts";
import { fixture, Folder } from "../command.ts";

Deno.test("independent nodes run side by side; those that use the engine one at a time, in one process", async () => {
  using folder = new Folder();
  const meeting = `${folder.path}/meeting`;
  Deno.mkdirSync(meeting);
  const set = [`folder=${meeting}`];
  await using session = await PipelineSession.open({ file: fixture("lanes"), store: folder.store, set });
  // Each of two nodes waits for the other: with one lane, or one after the other, neither ends.
  const ended = await session.run({ jobs: 2, command: "test", stop: new AbortController().signal });
  assert.equal(ended.status, "done", JSON.stringify(ended.nodes.map((outcome) => outcome.error)));
  const users = ended.nodes.filter((outcome) => outcome.node.stage.name === "use");
  const processes = users.map((outcome) => outcome.outputs!.seen!.facts.value);
  assert.equal(processes.length, 3);
  assert.equal(new Set(processes).size, 1, "one process owns the engine");
  const recorded = session.records.nodes(ended.run).filter((node) => node.stage === "use");
  assert.deepEqual(recorded[0]!.engine, { engine: "cpu", adapter: "two cores" });
});

Deno.test("a node that gets twice the memory counts with it for what runs beside it", async () => {
  using folder = new Folder();
  const profile = `${folder.path}/site.json`;
  const stages = { walk: { memory: "500 MB", retries: { times: 1 } } };
  Deno.writeTextFileSync(profile, JSON.stringify({ pool: { memory: "1 GB" }, stages }));
  const asked: number[] = [];
  let beside = 0, most = 0;
  /** Every job ends for want of memory. */
  const executor: Executor = {
    lanes: 4,
    engineLane: false,
    async execute({ memory }) {
      asked.push(memory!);
      beside += memory!;
      most = Math.max(most, beside);
      await new Promise((resolve) => setTimeout(resolve, 20));
      beside -= memory!;
      return { kind: "failed", code: "run/memory", error: "more than it may" };
    },
    stop() {},
    kill() {},
    async [Symbol.asyncDispose]() {},
  };
  await using session = await PipelineSession.open({
    ...{ file: fixture("walks"), store: folder.store, profile },
    executor: { name: "elsewhere", elsewhere: true, open: () => executor },
  });
  await session.run({ jobs: 4, command: "test", stop: new AbortController().signal });
  const half = 500_000_000, all = 2 * half;
  assert.deepEqual(asked.sort(), [...Array(4).fill(all), ...Array(4).fill(half)]);
  assert.equal(most, all);
});
