import assert from "node:assert/strict";
import { EXECUTORS } from "../../runner/execute/executors.ts";
import { PipelineSession } from "../../runner/session.ts";
import { Store } from "../../runner/store/store.ts";
import { fixture, Folder } from "../command.ts";
import { inMemoryGroup, MemoryGroup } from "../memory_group.ts";
import { endWorker, startWorker } from "./trial.ts";

Deno.test({
  ...inMemoryGroup(),
  name: "a stage that the kernel ends for want of memory is told as that, and the worker tries it again",
  async fn() {
    using folder = new Folder();
    Store.open(folder.store, { create: true });
    using group = new MemoryGroup(550_000_000);
    const worker = startWorker(folder.store, [], group);
    try {
      const set = [`folder=${folder.path}`, "trouble=eats", "times=1"];
      const executor = EXECUTORS.find(({ name }) => name === "workers")!;
      await using session = await PipelineSession.open({
        ...{ file: fixture("flaky"), store: folder.store, set, executor },
      });
      const summary = await session.run({ jobs: 1, command: "test", stop: new AbortController().signal });
      assert.equal(summary.status, "done", JSON.stringify(summary.nodes.map(({ error }) => error)));
      const attempts = session.records.attempts(summary.run);
      assert.deepEqual(attempts.map(({ cause, code }) => [cause, code]), [["memory", "run/memory"], [
        null,
        null,
      ]]);
      assert.match(
        attempts[0]!.error!,
        /the system ended the worker process .* the machine ran out of memory/,
      );
    } finally {
      await endWorker(worker);
    }
  },
});
