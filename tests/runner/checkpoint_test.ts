import assert from "node:assert/strict";
import { Session } from "../../runner/session.ts";
import { fixture, Folder } from "../command.ts";

/** Runs the walks in this process; stops it as soon as a stage has told a value of step `until`. */
async function walk(store: string, until = Infinity) {
  const set = ["walks=1", "steps=30", "pause=1"];
  await using session = await Session.open({ file: fixture("walks"), store, set });
  const stop = new AbortController();
  const logs: string[] = [];
  const summary = await session.run({
    jobs: 0,
    command: "test",
    stop: stop.signal,
    onEvent(event) {
      if (event.type === "node-metric" && event.step! >= until) stop.abort(new Error("enough"));
      if (event.type === "node-log") logs.push(event.text);
    },
  });
  const outputs = summary.nodes.map((outcome) => outcome.outputs?.total?.digest);
  const metrics = session.records.metrics(summary.run);
  return { status: summary.status, outputs, metrics, logs };
}

Deno.test("a state is saved before its time when the stage asks for it", async () => {
  using folder = new Folder();
  const { store } = folder, saved: boolean[] = [];
  const set = ["walks=1", "steps=6", "pause=1", "hasty=3"];
  await using session = await Session.open({ file: fixture("walks"), store, set });
  await session.run({
    jobs: 0,
    command: "test",
    stop: new AbortController().signal,
    onEvent(event) {
      if (event.type !== "node-metric") return;
      saved.push(filesUnder(`${store}/checkpoints`).some((path) => path.endsWith("/current.json")));
    },
  });
  assert.deepEqual(saved, [false, false, false, false, true, true]);
});

Deno.test("a stage goes on from its checkpoint; a damaged one is noticed, and the stage begins anew", async () => {
  using folder = new Folder();
  const plain = await walk(`${folder.path}/plain`);
  assert.equal(plain.status, "done");
  assert.deepEqual(plain.metrics.map((metric) => metric.step), Array.from({ length: 30 }, (_, step) => step));

  assert.equal((await walk(folder.store, 10)).status, "interrupted");
  const resumed = await walk(folder.store);
  assert.match(resumed.logs[0]!, /resumed at step 1[1-9]/);
  assert.deepEqual(resumed.outputs, plain.outputs);

  for (const part of ["current.json", "objects"]) {
    const store = `${folder.path}/${part}`;
    assert.equal((await walk(store, 10)).status, "interrupted");
    for (const path of filesUnder(`${store}/checkpoints`).filter((path) => path.includes(`/${part}`))) {
      Deno.chmodSync(path, 0o644);
      Deno.writeTextFileSync(path, Deno.readTextFileSync(path).slice(0, -1));
    }
    const anew = await walk(store);
    assert.match(anew.logs[0] ?? "", /the checkpoint was not usable, starting anew/);
    assert.equal(anew.metrics[0]!.step, 0);
    assert.deepEqual(anew.outputs, plain.outputs);
  }
});

function filesUnder(folder: string): string[] {
  return [...Deno.readDirSync(folder)].flatMap(({ name, isDirectory }) =>
    isDirectory ? filesUnder(`${folder}/${name}`) : [`${folder}/${name}`]
  );
}
