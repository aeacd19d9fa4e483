import assert from "node:assert/strict";
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
