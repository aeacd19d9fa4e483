import assert from "node:assert/strict";
import { EXECUTORS } from "../../runner/execute/executors.ts";
import { JobQueue } from "../../runner/execute/queue.ts";
import { work } from "../../runner/execute/work.ts";
import { Store } from "../../runner/store/store.ts";
import { Folder } from "../command.ts";
import { nodesIn } from "./letters.ts";
import { Trial } from "./trial.ts";

const workers = EXECUTORS.find(({ name }) => name === "workers")!;

Deno.test("a run on workers that is cancelled takes back what waits, and what is at work saves its checkpoint", async () => {
  using folder = new Folder();
  const store = Store.open(folder.store, { create: true });
  const stop = new AbortController();
  const working = work(store, { stop: stop.signal });
  try {
    const set = ["walks=3", "steps=100", "pause=20", "hasty=5"];
    const trial = new Trial(folder.store, "walks", set);
    const running = trial.run(workers);
    await trial.told(/^begins/);
    trial.cancel();
    const summary = await running;
    assert.equal(summary.status, "interrupted");
    assert.deepEqual([nodesIn(summary, "failed"), nodesIn(summary, "ran")], [[], []]);
    const { waiting, taken, ended } = new JobQueue(store).look();
    assert.deepEqual([...waiting, ...taken.keys(), ...ended], []);
    // The same worker goes on where it was.
    const again = new Trial(folder.store, "walks", set);
    assert.equal((await again.run(workers)).status, "done");
    assert.deepEqual(again.logs.filter((text) => /^resumed at step [1-9]/.test(text)).length, 1);
    assert.deepEqual(again.logs.filter((text) => /^begins/.test(text)).length, 2);
  } finally {
    stop.abort();
    await working;
  }
});
