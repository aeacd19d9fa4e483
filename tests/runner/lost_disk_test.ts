import assert from "node:assert/strict";
import { QueueExecutor } from "../../runner/execute/queue_executor.ts";
import { Store } from "../../runner/store/store.ts";
import { Folder } from "../command.ts";
import { endWorker, outputsByNode, startWorker, Trial } from "./trial.ts";

Deno.test("a machine that loses its disk with the store loses its job to another one, which goes on where it was", async () => {
  using folder = new Folder();
  Store.open(folder.store, { create: true });
  // Its own way to the store.
  const disk = `${folder.path}/disk`;
  Deno.symlinkSync(folder.store, disk);
  const set = ["walks=1", "steps=200", "pause=20", "hasty=5"];
  const trial = new Trial(folder.store, "walks", set);
  const running = trial.run({ name: "workers", elsewhere: true, open: () => new QueueExecutor(64, 3000) });
  const first = startWorker(disk);
  await trial.saving();
  Deno.removeSync(disk);
  const second = startWorker(folder.store);
  try {
    const summary = await running;
    assert.equal(summary.status, "done", JSON.stringify(summary.nodes.map(({ error }) => error)));
    assert.ok(
      trial.logs.some((text) => /is gone; another one gets the job/.test(text)),
      trial.logs.join("\n"),
    );
    assert.ok(trial.logs.some((text) => /^resumed at step [1-9]/.test(text)), trial.logs.join("\n"));
    using here = new Folder();
    assert.deepEqual(outputsByNode(summary), outputsByNode(await new Trial(here.store, "walks", set).run()));
  } finally {
    await Promise.all([endWorker(first), endWorker(second)]);
  }
});
