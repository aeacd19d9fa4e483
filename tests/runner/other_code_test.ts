import assert from "node:assert/strict";
import { EXECUTORS } from "../../runner/execute/executors.ts";
import { JobQueue } from "../../runner/execute/queue.ts";
import { work } from "../../runner/execute/work.ts";
import { PipelineSession } from "../../runner/session.ts";
import { Store } from "../../runner/store/store.ts";
import { Folder, ROOT } from "../command.ts";

const CODE = `
import { definePipeline, defineSource, defineStage, files, text } from "${ROOT}/mod.ts";
import { word } from "./word.ts";

export const say = defineStage({
  name: "other.say",
  outputs: { text },
  sources: [new URL("./said.txt", import.meta.url)],
  run: async () => ({ text: word + await Deno.readTextFile(new URL("./said.txt", import.meta.url)) }),
});

export default definePipeline({ name: "other", build: () => ({ said: say({}).text }) });
`;

/** A project whose run is planned, and changed before a worker takes its job. */
async function changed(change: (folder: string) => void) {
  using folder = new Folder();
  const write = (name: string, text: string) => Deno.writeTextFileSync(`${folder.path}/${name}`, text);
  write("word.ts", `export const word = "one"; // as it was`);
  write("said.txt", "said");
  write("other.ts", CODE);
  const store = Store.open(folder.store, { create: true });
  const executor = EXECUTORS.find(({ name }) => name === "workers")!;
  await using session = await PipelineSession.open({
    file: `${folder.path}/other.ts`,
    store: folder.store,
    executor,
  });
  const running = session.run({ jobs: 1, command: "test", stop: new AbortController().signal });
  const queue = new JobQueue(store);
  while (queue.look().waiting.size === 0) await new Promise((resolve) => setTimeout(resolve, 10));
  change(folder.path);
  await work(store, { idle: 1, stop: new AbortController().signal });
  const { status, nodes: [node] } = await running;
  return { status, code: node!.code, error: node!.error, results: [...store.keys()].length };
}

Deno.test("a worker whose code is another one makes nothing: neither modules nor sources may differ", async () => {
  const module = await changed((folder) =>
    Deno.writeTextFileSync(`${folder}/word.ts`, `export const word = "two";`)
  );
  assert.deepEqual([module.status, module.code, module.results], ["failed", "run/other-code", 0]);
  assert.match(module.error!, /the code of stage `other\.say` is not what the key of the node says/);
  const source = await changed((folder) => Deno.writeTextFileSync(`${folder}/said.txt`, "told"));
  assert.deepEqual([source.status, source.code, source.results], ["failed", "run/other-code", 0]);
  // What no fingerprint counts does not count here either.
  const comment = await changed((folder) =>
    Deno.writeTextFileSync(`${folder}/word.ts`, `export const word = "one"; // as it is`)
  );
  assert.deepEqual([comment.status, comment.code, comment.results], ["done", undefined, 1]);
});
