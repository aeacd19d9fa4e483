import assert from "node:assert/strict";
import { fixture, Folder } from "../command.ts";
import { nodesIn } from "./letters.ts";
import type { Digest } from "../../foundation/canonical.ts";
import { collectGarbage } from "../../runner/gc.ts";
import type { GraphNode } from "../../runner/graph.ts";
import type { PlannedNode } from "../../runner/plan.ts";
import type { RunSummary } from "../../runner/run_summary.ts";
import { type ExecuteOptions, PipelineSession, type SessionOptions } from "../../runner/session.ts";
import { DropBatch } from "../../runner/store/drop_batch.ts";
import { ObjectUses } from "../../runner/store/object_uses.ts";
import { Store } from "../../runner/store/store.ts";
import { verifyByExecution, verifyStore } from "../../runner/verify.ts";

const FILE = fixture("temporary");

/** What differs from a plain run of the fixture. */
interface Call extends Partial<SessionOptions>, Partial<Omit<ExecuteOptions, "onEvent">> {
  readonly letters?: readonly string[];
}

async function open(folder: Folder, { letters, ...more }: Call = {}): Promise<PipelineSession> {
  const set = [...letters === undefined ? [] : [`letters=${JSON.stringify(letters)}`], ...more.set ?? []];
  return await PipelineSession.open({ file: FILE, store: folder.store, ...more, set });
}

async function run(folder: Folder, call: Call = {}): Promise<RunSummary> {
  await using session = await open(folder, call);
  return await session.run({ jobs: 0, command: "test", stop: new AbortController().signal, ...call });
}

function outcome(summary: RunSummary, name: string): RunSummary["nodes"][number] {
  return summary.nodes.find(({ node }) => node.name === name)!;
}

/** The files of an output that are in the store. */
function there(folder: Folder, summary: RunSummary, name: string, output: string): boolean[] {
  const { blobs } = Store.open(folder.store);
  return outcome(summary, name).outputs![output]!.files.map((file) => blobs.has(file.digest, file.size));
}

const planned = (plan: ReadonlyMap<GraphNode, PlannedNode>, name: string) =>
  plan.values().find(({ node }) => node.name === name)!;

/** Notes in a result that an output is dropped, and leaves its bytes. */
function mark(store: Store, key: Digest, output: string): void {
  const { result } = store.marked(key, [], "")!;
  store.commit({ ...result, dropped: { [output]: new Date().toISOString() } });
}

Deno.test("what is temporary goes when all that read it is recorded, and is made again for a new reader", async () => {
  using folder = new Folder();
  const first = await run(folder);
  assert.equal(first.status, "done");
  assert.deepEqual(first.dropped.map(({ node, outputs, bytes }) => [node, outputs, bytes]).sort(), [
    ["flow.shout", ["loud"], 10_000],
    ["flow.words", ["flows"], 10_000],
  ]);
  assert.deepEqual(there(folder, first, "flow.words", "flows"), [false]);
  assert.deepEqual(there(folder, first, "flow.words", "size"), [true]);
  const second = await run(folder);
  assert.equal(nodesIn(second, "cached").length, 5);
  assert.deepEqual(second.dropped, []);

  await using session = await open(folder, { letters: ["Q", "U"] });
  const plan = await session.plan();
  const { remake, key } = planned(plan, "flow.words");
  assert.deepEqual(remake?.nodes, ["flow.shout"]);
  assert.ok(remake!.seconds > 0);
  assert.equal(key, outcome(first, "flow.words").key);
  const third = await run(folder, { letters: ["Q", "U"] });
  assert.deepEqual(nodesIn(third, "ran"), ["flow.words", "flow.shout", "flow.count@letter=U", "flow.add"]);
  for (const name of ["flow.words", "flow.shout"]) {
    assert.deepEqual(outcome(third, name).outputs, outcome(first, name).outputs);
    assert.deepEqual(outcome(third, name).reasons.map(({ kind }) => kind), ["dropped"]);
  }
  assert.deepEqual(there(folder, third, "flow.shout", "loud"), [false]);
  assert.deepEqual((await verifyStore(Store.open(folder.store))).faults, []);
});

Deno.test("bytes that another result holds too stay, whoever dropped them", async () => {
  using folder = new Folder();
  const first = await run(folder, { set: ["copied=true"] });
  assert.deepEqual(first.dropped.find(({ node }) => node === "flow.words")?.bytes, 0);
  assert.deepEqual(there(folder, first, "flow.copy", "text"), [true]);
  // They are there, so a new reader has nothing made again but what it reads itself.
  const more = await run(folder, { set: ["copied=true"], letters: ["U"] });
  assert.deepEqual(nodesIn(more, "ran"), ["flow.shout", "flow.count", "flow.add"]);
  assert.deepEqual(there(folder, more, "flow.copy", "text"), [true]);
});

Deno.test("it stays while a reader has failed, is asked for, or is left out", async () => {
  using folder = new Folder();
  const failed = await run(folder, { letters: ["Q", "Z"] });
  assert.deepEqual(nodesIn(failed, "failed"), ["flow.count@letter=Z"]);
  assert.deepEqual(failed.dropped.map(({ node }) => node), ["flow.words"]);
  const mended = await run(folder, { letters: ["Q"] });
  assert.deepEqual(nodesIn(mended, "ran"), ["flow.add"]);
  assert.deepEqual(mended.dropped.map(({ node }) => node), ["flow.shout"]);
  // Asked for: made again, with what it needs, and kept.
  const asked = await run(folder, { only: ["flow.shout"] });
  assert.deepEqual(nodesIn(asked, "ran"), ["flow.words", "flow.shout"]);
  assert.deepEqual(there(folder, asked, "flow.shout", "loud"), [true]);
  assert.deepEqual(nodesIn(await run(folder, { only: ["flow.shout"] }), "ran"), []);
  // A part of the pipeline that stops before all readers.
  const until = await run(folder, { until: ["flow.words"] });
  assert.deepEqual(until.dropped, []);
  const kept = await run(folder, { letters: ["O"], keepTemporary: true });
  assert.deepEqual(there(folder, kept, "flow.shout", "loud"), [true]);
  assert.deepEqual((await run(folder)).dropped.map(({ node }) => node), ["flow.shout"]);
});

Deno.test("forced nodes and damaged ones get what they read, though it was dropped", async () => {
  using folder = new Folder();
  const first = await run(folder);
  const forced = await run(folder, { force: ["flow.count@letter=Q"] });
  assert.deepEqual(nodesIn(forced, "ran"), ["flow.words", "flow.shout", "flow.count@letter=Q"]);
  const anew = await run(folder, { force: ["flow.words"] });
  assert.deepEqual(nodesIn(anew, "ran"), ["flow.words"]);
  assert.deepEqual(anew.dropped.map(({ node }) => node), ["flow.words"]);
  // Found out in the middle of a run: the count is damaged, and its input is gone.
  const { digest } = outcome(first, "flow.count@letter=Q").outputs!.number!.files[0]!;
  const path = `${folder.store}/objects/${digest.slice(0, 2)}/${digest.slice(2)}`;
  Deno.chmodSync(path, 0o600);
  Deno.writeTextFileSync(path, Deno.readTextFileSync(path).replaceAll(/\d/g, "7"));
  const mended = await run(folder, { force: ["flow.add"] });
  assert.equal(mended.status, "done", JSON.stringify(mended.nodes.map(({ error }) => error)));
  assert.ok(nodesIn(mended, "ran").includes("flow.words"));
  assert.deepEqual(outcome(mended, "flow.add").outputs, outcome(first, "flow.add").outputs);
  assert.deepEqual((await verifyStore(Store.open(folder.store))).faults, []);
});

Deno.test("a stage that gives other bytes is found out, and --force makes all anew", async () => {
  using folder = new Folder();
  const set = ["steady=false"];
  await run(folder, { set });
  const failed = await run(folder, { set, letters: ["Q", "U"] });
  assert.equal(failed.status, "failed");
  assert.equal(outcome(failed, "flow.words").code, "run/not-reproducible");
  assert.match(outcome(failed, "flow.words").hint!, /--force 'flow\.words\+'/);
  assert.equal(outcome(failed, "flow.count@letter=Q").state, "cached");
  const anew = await run(folder, { set, letters: ["Q", "U"], force: ["flow.words+"] });
  assert.equal(anew.status, "done");
  assert.equal(nodesIn(anew, "ran").length, 5);
});

Deno.test("temporary outputs that the pipeline returns are refused, all at once", async () => {
  using folder = new Folder();
  await assert.rejects(open(folder, { set: ["returned=true"] }), (error: Error) => {
    assert.match(error.message, /returns `loud` of stage `flow\.shout` as `loud`, which is temporary/);
    assert.match(error.message, /returns `flows` of stage `flow\.words` as `parts\.flows`/);
    return true;
  });
  assert.throws(() => Deno.statSync(folder.store), Deno.errors.NotFound);
});

Deno.test("what a build reads is kept, and made again where another run dropped it", async () => {
  using folder = new Folder();
  const set = ["reads=true"];
  const plain = await run(folder);
  assert.deepEqual(there(folder, plain, "flow.shout", "loud"), [false]);
  const reading = await run(folder, { set });
  assert.equal(reading.status, "done");
  assert.ok(nodesIn(reading, "ran").includes("flow.count@letter=X"));
  assert.deepEqual(there(folder, reading, "flow.shout", "loud"), [true]);
  const again = await run(folder, { set });
  assert.deepEqual(nodesIn(again, "ran"), []);
  assert.deepEqual(again.nodes.length, reading.nodes.length);
});

Deno.test("a run does not drop what another one still reads; the last of them does", async () => {
  using folder = new Folder();
  await run(folder, { letters: ["Q"], keepTemporary: true, set: ["delay=30"] });
  const slow = run(folder, { letters: ["U", "O", "T"], set: ["delay=30"] });
  const fast = await run(folder, { letters: ["Q"], set: ["delay=30"] });
  const ended = await slow;
  assert.equal(ended.status, "done", JSON.stringify(ended.nodes.map(({ error }) => error)));
  assert.ok(!nodesIn(ended, "ran").includes("flow.shout"), "nothing was dropped under its hands");
  assert.equal([...fast.dropped, ...ended.dropped].filter(({ node }) => node === "flow.shout").length, 1);
  assert.deepEqual(there(folder, ended, "flow.shout", "loud"), [false]);
});

Deno.test("a run that was killed between the mark and the deletion leaves nothing wrong", async () => {
  using folder = new Folder();
  const first = await run(folder, { keepTemporary: true });
  const store = Store.open(folder.store);
  const { key, outputs } = outcome(first, "flow.shout");
  mark(store, key!, "loud");
  // All of its bytes are there: it is used as it is, and then dropped.
  const more = await run(folder, { letters: ["Q", "U"] });
  assert.deepEqual(nodesIn(more, "ran"), ["flow.count@letter=U", "flow.add"]);
  assert.deepEqual(there(folder, more, "flow.shout", "loud"), [false]);
  // The same with gc, which removes what the mark says is of no use.
  await run(folder, { only: ["flow.shout"] });
  mark(store, key!, "loud");
  await using session = await open(folder);
  const swept = collectGarbage(store, session.records, { days: 30, dryRun: false });
  const { digest, size } = outputs!.loud!.files[0]!;
  assert.equal(store.blobs.has(digest, size), false);
  assert.deepEqual([swept.results, swept.objects, swept.bytes], [0, 1, 10_000]);
  assert.ok(swept.keptDropped >= 1);
  assert.deepEqual(nodesIn(await run(folder), "ran"), []);
});

Deno.test("verify --execute judges dropped outputs by their digests and leaves none behind", async () => {
  using folder = new Folder();
  const first = await run(folder);
  await using session = await open(folder);
  const checks = await verifyByExecution(session, { jobs: 0, signal: new AbortController().signal });
  assert.deepEqual(checks.map(({ state }) => state), Array(5).fill("same"));
  assert.deepEqual(there(folder, first, "flow.shout", "loud"), [false]);
  const checked = await verifyStore(session.store);
  assert.deepEqual([checked.faults, checked.dropped], [[], 2]);
});

Deno.test("the result of the code before an accepted change goes with the accepted one", async () => {
  using folder = new Folder();
  const first = await run(folder, { keepTemporary: true });
  const store = Store.open(folder.store);
  const found = store.lookup(outcome(first, "flow.words").key!);
  assert.equal(found.state, "found");
  const key = "0".repeat(64);
  const accepted = { by: "Ada", why: "renamed", when: "", from: found.result.key, changes: [] };
  store.commit({ ...found.result, key, accepted });
  const uses = new ObjectUses(store);
  await uses.refresh();
  using batch = new DropBatch(store, uses);
  batch.add(key, ["flows"]);
  await batch.sync();
  assert.equal(batch.drop(key), 10_000);
  assert.deepEqual(Object.keys(store.droppedOutputs(found.result.key)!), ["flows"]);
  // Results that were made or changed since are seen.
  assert.deepEqual(there(folder, first, "flow.shout", "loud"), [true]);
  assert.ok(uses.has(outcome(first, "flow.shout").outputs!.loud!.files[0]!.digest));
  store.forget(outcome(first, "flow.shout").key!);
  await uses.refresh();
  assert.ok(!uses.has(outcome(first, "flow.shout").outputs!.loud!.files[0]!.digest));
});
