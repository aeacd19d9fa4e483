/** Whatever a stage throws, calls or tells is told as what it is: in workers and in this process. */
import assert from "node:assert/strict";
import { PipelineSession } from "../../runner/session.ts";
import { command, fixture, Folder } from "../command.ts";

interface NodeJson {
  readonly node: string;
  readonly state: string;
  readonly error: string | null;
  readonly hint: string | null;
  readonly log: string;
}

/** Troubles with what the failure must say, the same wherever the stage runs. */
const FAILS: Record<string, RegExp> = {
  "exit": /^Deno\.exit\(0\) was called$/,
  "exit-caught": /^Deno\.exit\(0\) was called$/,
  "exit-node": /^Deno\.exit\(0\) was called$/,
  "exit-timer": /^Deno\.exit\(0\) was called$/,
  "close": /^close\(\) was called$/,
  "rejection": /^a promise that nobody waits for was rejected: nobody waits for me$/,
  "timer": /^an error was thrown where nobody catches it: nobody catches me$/,
  "object": /^\{"code":7,"path":"\/a\/b"\} was thrown$/,
  "message-object": /^no error, but with a message$/,
  "text": /^just a text$/,
  "empty-text": /^an empty text was thrown$/,
  "undefined": /^undefined was thrown$/,
  "null": /^null was thrown$/,
  "number": /^404 was thrown$/,
  "trap": /cannot be shown/,
  "many": /^AggregateError: first of two; second of two$/,
  "circle": /^its own cause$/,
  "odd": /^Error$/,
  "long-message": /^long long [\s\S]*… \(99,980,000 more characters\)$/,
};

/** Troubles that are none. */
const PASSES = ["tells", "none"];

/** Each failure costs a worker: there, one of every kind. */
const IN_WORKERS = [
  "exit-caught",
  "exit-node",
  "exit-timer",
  "close",
  "rejection",
  "timer",
  "trap",
  "circle",
  "long-message",
];

for (const jobs of ["2", "0"]) {
  Deno.test(`what a stage throws, calls or tells is told as what it is, --jobs ${jobs}`, async () => {
    using folder = new Folder();
    const names = [...jobs === "0" ? [...Object.keys(FAILS), "late"] : IN_WORKERS, ...PASSES];
    const args = [fixture("strays"), "--store", folder.store, "--jobs", jobs, "--json"];
    const ended = await command("run", [...args, "--set", `troubles=${JSON.stringify(names)}`]);
    assert.equal(ended.code, 1, ended.stderr.slice(0, 5000));
    const nodes = (JSON.parse(ended.stdout) as { nodes: NodeJson[] }).nodes;
    assert.equal(nodes.length, names.length);
    for (const { node, state, error } of nodes) {
      assert.equal(state, node in FAILS ? "failed" : "ran", `${node}: ${error}`);
      if (node in FAILS) assert.match(error!, FAILS[node]!, node);
    }

    const told = Deno.readTextFileSync(nodes.find((one) => one.node === "tells")!.log);
    assert.match(told, /warning: metric loss is NaN; values that are not finite are recorded as missing/);
    assert.match(told, /warning: context\.progress got NaN as the amount done; it is left out/);
    assert.match(told, /warning: context\.metric got NaN as the name of a metric; it is left out/);
    const run = await command("report", [
      ...["latest", "--store", folder.store, "--out", `${folder.path}/report.html`],
    ]);
    assert.equal(run.code, 0, run.stderr);
    const shown = await command("runs", ["latest", "--store", folder.store]);
    assert.equal(shown.code, 0, shown.stderr);
    assert.match(shown.stdout, /NODE +STATE +TOOK .*loss/, "metrics are recorded all the same");
  });
}

Deno.test("a heap that is full is told as that, with what to do; the others go on", async () => {
  using folder = new Folder();
  const args = [fixture("strays"), "--store", folder.store, "--set", `troubles=["heap","none"]`, "--json"];
  const env = { DENO_V8_FLAGS: "--max-old-space-size=150" };
  const ended = await command("run", [...args, "--jobs", "2"], { env });
  assert.equal(ended.code, 1, ended.stderr);
  const { nodes } = JSON.parse(ended.stdout) as { nodes: NodeJson[] };
  assert.deepEqual(nodes.map(({ node, state }) => [node, state]), [["heap", "failed"], ["none", "ran"]]);
  assert.equal(nodes[0]!.error, "the worker process ran out of memory: the stage's JavaScript heap is full");
  assert.match(nodes[0]!.hint!, /typed arrays.*DENO_V8_FLAGS=--max-old-space-size=/);
});

Deno.test("a worker that is killed while it waits for work costs no node", async () => {
  using folder = new Folder();
  await using session = await PipelineSession.open({
    file: fixture("strays"),
    store: folder.store,
    set: [`troubles=["pid","none"]`],
  });
  let killed: unknown;
  const summary = await session.run({
    jobs: 1,
    command: "test",
    stop: new AbortController().signal,
    onEvent(event) {
      if (event.type !== "node-done" || event.node.name !== "pid") return;
      killed = (event.outputs.score!.facts.value as { score: number }).score;
      Deno.kill(killed as number, "SIGKILL"); // The next node is about to be given to it.
    },
  });
  assert.equal(typeof killed, "number");
  assert.deepEqual(summary.nodes.map(({ state, error }) => [state, error]), [["ran", undefined], [
    "ran",
    undefined,
  ]]);
});
