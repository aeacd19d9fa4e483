import assert from "node:assert/strict";
import { EXECUTORS } from "../../runner/execute/executors.ts";
import { work } from "../../runner/execute/work.ts";
import { PipelineSession } from "../../runner/session.ts";
import { artifactReader } from "../../runner/store/artifacts.ts";
import { Store } from "../../runner/store/store.ts";
import { Folder, ROOT } from "../command.ts";

const CODE = `
import { definePipeline, defineStage, json } from "${ROOT}/mod.ts";
import { z } from "zod";

const pid = json("pid", z.int());

export const lastPid = defineStage({
  name: "one.plain",
  inputs: { before: pid },
  outputs: { pid },
  run: () => ({ pid: Deno.pid }),
});

export const firstPid = defineStage({ name: "one.begin", outputs: { pid }, run: () => ({ pid: Deno.pid }) });

export const enginePid = defineStage({
  name: "one.fast",
  inputs: { before: pid },
  outputs: { pid },
  engine: "use",
  run: ({ context }) => {
    context.engine.used("cpu");
    return { pid: Deno.pid };
  },
});

export default definePipeline({
  name: "one",
  build() {
    const begun = firstPid({}).pid, computed = enginePid({ before: begun }).pid;
    return { begun, computed, last: lastPid({ before: computed }).pid };
  },
});
`;

Deno.test("a worker executes all nodes of a module in one process, whether they use the engine or not", async () => {
  using folder = new Folder();
  Deno.writeTextFileSync(`${folder.path}/one.ts`, CODE);
  const store = Store.open(folder.store, { create: true });
  const executor = EXECUTORS.find(({ name }) => name === "workers")!;
  await using session = await PipelineSession.open({
    file: `${folder.path}/one.ts`,
    store: folder.store,
    engine: "cpu",
    executor,
  });
  const stop = new AbortController(), working = work(store, { stop: stop.signal });
  try {
    const { status, nodes } = await session.run({
      jobs: 1,
      command: "test",
      stop: new AbortController().signal,
    });
    assert.equal(status, "done", JSON.stringify(nodes.map(({ error }) => error)));
    const processes = await Promise.all(
      nodes.map(({ outputs }) => artifactReader(store.blobs, outputs!.pid!).json("value.json")),
    );
    assert.equal(processes.length, 3);
    assert.equal(new Set(processes).size, 1, `${processes}`);
  } finally {
    stop.abort();
    await working;
  }
});
