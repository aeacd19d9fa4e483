import assert from "node:assert/strict";
import { PipelineSession } from "../../runner/session.ts";
import { fixture, Folder } from "../command.ts";

/** Runs the walks in this process; stops it as soon as a stage has told a value of step `until`. */
async function walk(store: string, until = Infinity, set = ["steps=300", "pause=1"]) {
  await using session = await PipelineSession.open({
    file: fixture("walks"),
    store,
    set: ["walks=1", ...set],
  });
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
  for (
    const [name, hasty, begun] of [["hasty", ["hasty=3"], "resumed at step 4"], [
      "calm",
      [],
      "begins",
    ]] as const
  ) {
    const set = ["steps=9", "pause=0", "fails=6", ...hasty];
    const first = await walk(`${folder.path}/${name}`, Infinity, set);
    assert.deepEqual([first.status, first.logs[0]], ["failed", "begins"]);
    // What was saved before it failed is where it goes on: only the state that was asked for was due.
    assert.equal((await walk(`${folder.path}/${name}`, Infinity, set)).logs[0], begun);
  }
});

Deno.test("a stage goes on from its checkpoint; a damaged one is noticed, and the stage begins anew", async () => {
  using folder = new Folder();
  const plain = await walk(`${folder.path}/plain`);
  assert.equal(plain.status, "done");
  assert.deepEqual(
    plain.metrics.map((metric) => metric.step),
    Array.from({ length: 300 }, (_, step) => step),
  );

  assert.equal((await walk(folder.store, 10)).status, "interrupted");
  const resumed = await walk(folder.store);
  // Stages run in a thread: a busy machine lets it go some steps further before it hears that it is enough.
  const [, from] = /^resumed at step (\d+)$/.exec(resumed.logs[0]!)!;
  assert.ok(Number(from) >= 11 && Number(from) < 300, from);
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
