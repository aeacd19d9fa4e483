import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { JobQueue, queuedJobs } from "../../runner/execute/queue.ts";
import { work } from "../../runner/execute/work.ts";
import { collectGarbage } from "../../runner/gc.ts";
import { Records } from "../../runner/records/records.ts";
import { Store } from "../../runner/store/store.ts";
import { command, Folder, ROOT } from "../command.ts";

const FILES: Record<string, string> = {
  "deno.json": JSON.stringify({
    imports: { retort: `${ROOT}/mod.ts`, zod: "npm:zod@4.6.7", "#words/": "./words/" },
  }),
  "deno.lock": Deno.readTextFileSync(`${ROOT}/deno.lock`),
  "pipelines/said.ts": `
import { definePipeline } from "retort";
import { again, utter } from "../stages/say.ts";

export default definePipeline({ name: "said", build: () => ({ said: again({ said: utter({}).text }).text }) });
`,
  "stages/say.ts": `
import { defineStage, text } from "retort";
import { z } from "zod";
import { word } from "#words/word.ts";
import { Kind } from "./types.ts";
import table from "./table.json" with { type: "json" };

const beside = new URL("./beside.txt", import.meta.url);

export const utter = defineStage({
  name: "said.say",
  outputs: { text },
  sources: [new URL("../data/said.txt", import.meta.url)],
  async run() {
    const kind: Kind = z.string().parse(table.kind);
    const texts = [beside, new URL("../data/said.txt", import.meta.url)].map((url) => Deno.readTextFileSync(url));
    const { late } = await import("./late.ts");
    return { text: [word, kind, ...texts, late].join(" ") };
  },
});

export const again = defineStage({
  name: "said.again",
  inputs: { said: text },
  outputs: { text },
  run: ({ inputs }) => ({ text: inputs.said + "; " + inputs.said }),
});
`,
  "stages/types.ts": "export type Kind = string;\n",
  "stages/table.json": JSON.stringify({ kind: "kind" }),
  "stages/beside.txt": "beside",
  "stages/late.ts": "export const late = 'late';\n",
  "words/word.ts": "export const word: string = 'one';\n",
  "data/said.txt": "said",
};
const SAID = "one kind beside said late; one kind beside said late";

/** A project in a folder of its own, with a store elsewhere. */
class Project extends Folder {
  readonly project = `${this.path}/project`;

  constructor(files: Record<string, string> = {}) {
    super();
    for (const [name, text] of Object.entries({ ...FILES, ...files })) this.write(name, text);
  }

  write(name: string, text: string): void {
    const path = `${this.project}/${name}`;
    Deno.mkdirSync(path.slice(0, path.lastIndexOf("/")), { recursive: true });
    Deno.writeTextFileSync(path, text);
  }

  /** Starts a run as people do. @returns, once its first job waits, what it comes to. */
  async start() {
    Store.open(this.store, { create: true });
    const args = [`${this.project}/pipelines/said.ts`, "--store", this.store, "--executor", "workers"];
    const ended = command("run", args, { cwd: this.path });
    let hasEnded = false;
    ended.finally(() => hasEnded = true);
    const queue = new JobQueue(Store.open(this.store));
    while (!hasEnded && queue.look().waiting.size === 0) {
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    return { ended };
  }

  /**
   * Starts a run, does something, and lets a worker come.
   *
   * @returns how the run ended, what it said, and what its nodes told.
   */
  async run(meanwhile: (store: Store) => void) {
    const { ended } = await this.start();
    const store = Store.open(this.store);
    meanwhile(store);
    const stop = new AbortController();
    const working = work(store, { stop: stop.signal });
    const { code, stderr } = await ended;
    stop.abort();
    await working;
    const [run] = Deno.readDirSync(`${this.store}/runs`);
    const folder = `${this.store}/runs/${run!.name}`;
    const logs = [...Deno.readDirSync(folder)].filter(({ name }) => name.endsWith(".log"))
      .map(({ name }) => Deno.readTextFileSync(`${folder}/${name}`)).join("\n");
    const exported = `${this.path}/said`;
    await command("export", ["said", exported, "--store", this.store]);
    const said = existsSync(exported) ? Deno.readTextFileSync(`${exported}/text.txt`) : undefined;
    return { code, stderr, said, logs };
  }
}

const FROM_STORE = /the code is that of the store/g;

Deno.test("workers execute the code of the store: the project may be edited meanwhile, or be gone", async () => {
  using edited = new Project();
  const first = await edited.run(() => {
    edited.write("words/word.ts", "export const word = 'two';\n");
    edited.write("data/said.txt", "told");
    edited.write("deno.json", "{}");
    Deno.removeSync(`${edited.project}/stages/say.ts`);
  });
  assert.equal(first.code, 0, first.stderr);
  assert.equal(first.said, SAID);
  assert.equal(first.logs.match(FROM_STORE)?.length, 2, first.logs);
  using gone = new Project();
  const second = await gone.run(() => Deno.removeSync(gone.project, { recursive: true }));
  assert.equal(second.said, SAID, second.stderr);
});

Deno.test("code that cannot be taken from its place is that of the project's folder, and must be what the key says", async () => {
  const around = {
    "words/word.ts": "export const word: string = import.meta.dirname!.includes('words') ? 'one' : '';\n",
  };
  using same = new Project(around);
  const first = await same.run(() => {});
  assert.equal(first.said, SAID, first.stderr);
  assert.match(first.logs, /the code is that of the project's folder$/m);
  using edited = new Project(around);
  const second = await edited.run(() => edited.write("stages/late.ts", "export const late = 'too late';\n"));
  assert.equal(second.code, 1);
  assert.match(second.stderr, /run\/other-code/);
  // As where an object of it is damaged.
  using damaged = new Project();
  const third = await damaged.run((store) => {
    const [job] = queuedJobs(store);
    const path = store.blobs.path(job!.code!.stored.digest);
    Deno.chmodSync(path, 0o644);
    Deno.writeTextFileSync(path, "{}");
  });
  assert.equal(third.said, SAID, third.stderr);
  assert.match(
    third.logs,
    /that of the project's folder; that of the store cannot be used: object .* is damaged/,
  );
});

Deno.test("gc keeps the code of jobs that wait, after the death of their run, and of no others", async () => {
  using folder = new Project();
  const { ended } = await folder.start();
  const store = Store.open(folder.store);
  {
    // The process that was started has left it to one of the project.
    using records = new Records(store);
    Deno.kill(records.runs()[0]!.pid!, "SIGKILL");
  }
  await ended;
  Deno.removeSync(folder.project, { recursive: true });
  const sweep = () => {
    using records = new Records(store);
    return collectGarbage(store, records, { days: 0, dryRun: false, now: Date.now() + 1000 });
  };
  assert.equal(sweep().objects, 0);
  assert.equal(await work(store, { idle: 0, stop: new AbortController().signal }), 1);
  assert.equal([...store.keys()].length, 1, "it was executed");
  assert.ok(sweep().objects > 5);
  assert.equal([...store.blobs.list()].length, 0);
});
