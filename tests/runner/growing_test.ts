import assert from "node:assert/strict";
import fc from "fast-check";
import { command, fixture, Folder } from "../command.ts";
import { workersOf } from "../faults/workers.ts";
import { holds } from "../property.ts";
import type { RunEvent } from "../../runner/event.ts";
import { GrowingBuild } from "../../runner/growing.ts";
import type { RunSummary } from "../../runner/run_summary.ts";
import { collectGarbage } from "../../runner/gc.ts";
import { PipelineSession } from "../../runner/session.ts";
import { verifyStore } from "../../runner/verify.ts";
import { buildGraph } from "../../runner/graph.ts";
import { collectNodes } from "../../runner/stage.ts";
import { defineStage, many, text } from "../../mod.ts";

const FILE = fixture("growing");

async function open(
  store: string,
  set: readonly string[] = [],
  force: readonly string[] = [],
): Promise<PipelineSession> {
  return await PipelineSession.open({ file: FILE, store, set, force });
}

async function run(
  store: string,
  set: readonly string[] = [],
  stop = new AbortController(),
  force: readonly string[] = [],
): Promise<RunSummary> {
  await using session = await open(store, set, force);
  return await session.run({ jobs: 0, command: "test", stop: stop.signal });
}

/** Names, keys and digests of what a run made. */
function made(summary: RunSummary) {
  return summary.nodes.map(({ node, key, outputs }) => [
    node.name,
    key,
    Object.values(outputs ?? {}).map((artifact) => artifact.digest),
  ]);
}

Deno.test("a graph grows with what its build reads; a second run plans all of it from the store", async () => {
  using folder = new Folder();
  await using before = await open(folder.store);
  assert.deepEqual(before.pipeline.graph.nodes.map((node) => node.name), ["growing.plan"]);
  assert.deepEqual(before.pipeline.graph.awaited.map(({ node, output }) => `${node.name}:${output}`), [
    "growing.plan:list",
  ]);
  const first = await run(folder.store);
  assert.equal(first.status, "done", JSON.stringify(first.nodes.map((one) => one.error)));
  assert.ok(first.nodes.every((outcome) => outcome.state === "ran"));
  await using session = await open(folder.store);
  assert.deepEqual(session.pipeline.graph.awaited, []);
  const plan = await session.plan();
  assert.deepEqual(new Set([...plan.values()].map((planned) => planned.status)), new Set(["cached"]));
  assert.deepEqual(
    session.pipeline.graph.nodes.map((node) => node.name),
    first.nodes.map(({ node }) => node.name),
  );
  const second = await run(folder.store);
  assert.ok(second.nodes.every((outcome) => outcome.state === "cached"));
  assert.deepEqual(made(second), made(first));
  assert.deepEqual(
    session.records.nodes(second.run).map((node) => node.name).sort(),
    first.nodes.map(({ node }) => node.name).sort(),
    "what the build read is a part of every run",
  );
  assert.deepEqual(session.records.runOutputs(first.run).map((output) => output.name), ["last", "text"]);
});

Deno.test("--dry-run and graph say what is not known yet", async () => {
  using folder = new Folder();
  const args = [FILE, "--store", folder.store];
  const dry = await command("run", [...args, "--dry-run"]);
  assert.match(dry.stdout, /more is not known yet: the build waits for `list` of `growing\.plan`/);
  assert.match(
    (await command("graph", args)).stdout,
    /n1\["#8230;.*not known yet.*:::open\n {2}n0 -- "list" --> n1/,
  );
  const ran = await command("run", args);
  assert.equal(ran.code, 0, ran.stderr);
  const after = await command("run", [...args, "--dry-run"]);
  assert.doesNotMatch(after.stdout, /not known/);
  assert.match(after.stdout, /0 to run, \d+ cached/);
});

Deno.test("what a build must not read, and one that never ends, are refused", async () => {
  using folder = new Folder();
  await assert.rejects(
    run(folder.store, ["large=true"]),
    /the build reads `text` of `growing\.large`, which has .* 1 MB at most/,
  );
  await assert.rejects(
    run(folder.store, ["endless=true"]),
    /^CallError: pipeline `growing`: its build has waited for artifacts 20 times and waits again: its limit is `rounds`/,
  );
  await assert.rejects(run(folder.store, ["countless=true"]), /its build makes more than 200,000 nodes/);
});

Deno.test("a build may wait as often as it says", async () => {
  const stage = defineStage({ name: "one", outputs: { text }, run: () => ({ text: "" }) });
  const waiting = (rounds: number) =>
    new GrowingBuild(async (read) => {
      await read(stage({}).text);
      await read(stage({}).text);
    }, rounds);
  for (const rounds of [2, 1]) {
    const build = waiting(rounds);
    await build.begin();
    if (rounds === 1) await assert.rejects(build.answer([""]), { code: "pipeline/endless" });
    else {
      await build.answer([""]);
      await build.answer([""]);
      assert.deepEqual(build.awaited, []);
    }
  }
});

Deno.test("a build that is stuck is found out, and does not keep a run from being stopped", async () => {
  const build = new GrowingBuild(() => new Promise(() => {}), 1, 20);
  const busy = setInterval(() => {}, 5); // As in a run, something else is left to do.
  await assert.rejects(build.begin(), /neither returned nor read an artifact for 0\.02 s/)
    .finally(() => clearInterval(busy));
  using folder = new Folder();
  const stop = new AbortController();
  await using session = await open(folder.store, ["stuck=true"]);
  const onEvent = ({ type }: RunEvent) => {
    if (type === "node-done") setTimeout(() => stop.abort(new Error("stopped")), 20);
  };
  const ended = await session.run({ jobs: 0, command: "test", stop: stop.signal, onEvent });
  assert.equal(ended.status, "interrupted");
  assert.deepEqual(ended.nodes.map(({ state }) => state), ["ran"]);
});

Deno.test("what is read and damaged is made again", async () => {
  using folder = new Folder();
  const first = await run(folder.store);
  const [{ outputs }] = first.nodes as [RunSummary["nodes"][number]];
  const { digest } = outputs!.list!.files[0]!;
  const path = `${folder.store}/objects/${digest.slice(0, 2)}/${digest.slice(2)}`;
  Deno.chmodSync(path, 0o600);
  Deno.writeTextFileSync(path, Deno.readTextFileSync(path).replace("0", "7"));
  const again = await run(folder.store);
  assert.equal(again.nodes[0]!.state, "ran");
  assert.deepEqual(made(again), made(first));
});

Deno.test("a run goes on though what its build reads is found in the store only when its turn comes", async () => {
  using folder = new Folder();
  const first = await run(folder.store);
  for (const force of [["growing.part"], ["growing.plan"], ["growing.draft"]]) {
    const again = await run(folder.store, [], undefined, force);
    assert.equal(again.status, "done");
    assert.deepEqual(made(again), made(first), `--force ${force}`);
  }
});

Deno.test("a cycle is refused with the nodes on it", async () => {
  const join = defineStage({
    name: "join",
    inputs: { all: many(text) },
    outputs: { text },
    run: () => ({ text: "" }),
  });
  const { value, drafts } = await collectNodes(() => {
    const a = join({ all: [] }, {}, { name: "a" }), b = join({ all: [a.text] }, {}, { name: "b" });
    a.text.node.inputs.all = [b.text];
    return { b: b.text };
  });
  assert.throws(() => buildGraph(value, drafts), /`a` needs the output `text` of `b`, which needs `a`/);
});

/** How many objects of a store are notes, which are temporary. */
function notesIn(store: string): number {
  return [...Deno.readDirSync(`${store}/objects`)].flatMap(({ name }) =>
    [...Deno.readDirSync(`${store}/objects/${name}`)].map((file) => `${store}/objects/${name}/${file.name}`)
  ).filter((path) => /^(\d )\1{99}/.test(Deno.readTextFileSync(path))).length;
}

Deno.test("what the build has gone past is dropped while it still waits, and made again for a reader that comes late", async () => {
  using folder = new Folder();
  const set = ["shape=[2,0,0,0]"]; // Two parts in each level.
  const stop = new AbortController();
  let grown = 0;
  await using session = await open(folder.store, set);
  const half = await session.run({
    ...{ jobs: 0, command: "test", stop: stop.signal },
    onEvent: ({ type }) => void (type === "run-grown" && ++grown === 3 && stop.abort(new Error("stopped"))),
  });
  assert.equal(half.status, "interrupted");
  assert.equal(half.dropped.length, 2, "the notes of two levels; the build may yet read that of the third");
  assert.equal(notesIn(folder.store), 0);
  const whole = await run(folder.store, [...set, "late=true"]);
  assert.equal(whole.status, "done", JSON.stringify(whole.nodes.map((one) => one.error)));
  const again = whole.nodes.filter(({ reasons }) => reasons.some(({ kind }) => kind === "dropped"));
  assert.deepEqual(again.map(({ node, state }) => [node.stage.name, state]), [["growing.draft", "ran"]]);
  assert.deepEqual(made(whole), made(await run(`${folder.path}/calm`, [...set, "late=true"])));
});

const shapes = fc.record({
  shape: fc.array(fc.nat(3), { minLength: 1, maxLength: 4 }),
  wide: fc.boolean(),
});

Deno.test("a run that is stopped and goes on gives the bytes and keys of an undisturbed one", async (t) => {
  await holds(
    t,
    fc.asyncProperty(
      shapes,
      fc.array(fc.nat(60), { maxLength: 3 }),
      fc.array(fc.nat(99), { minLength: 1, maxLength: 3 }),
      async ({ shape, wide }, stops, force) => {
        using folder = new Folder();
        const set = [`shape=${JSON.stringify(shape)}`, `wide=${wide}`];
        const calm = await run(`${folder.path}/calm`, set);
        Deno.mkdirSync(`${folder.path}/trouble`);
        Deno.env.set("GROWING_TROUBLE", `${folder.path}/trouble`);
        for (const milliseconds of stops) {
          const stop = new AbortController();
          setTimeout(() => stop.abort(new Error("stopped")), milliseconds);
          await run(folder.store, set, stop).catch((error) => {
            if (!stop.signal.aborted) throw error;
          });
        }
        const disturbed = await run(folder.store, set).finally(() => Deno.env.delete("GROWING_TROUBLE"));
        assert.equal(calm.status, "done");
        assert.deepEqual(made(disturbed), made(calm));
        // What is computed again gives the same, and what follows is found when its turn comes.
        const parts = calm.nodes.map(({ node }) => node.name).filter((name) => /part/.test(name));
        const names = parts.length === 0 ? [] : force.map((index) => parts[index % parts.length]!);
        assert.deepEqual(made(await run(folder.store, set, undefined, names)), made(calm));
        assert.equal(notesIn(folder.store), 0, "what is temporary is gone");
      },
    ),
    { numRuns: 5 },
  );
});

/** A moment at which a run is killed, or one of its workers: so long after so many nodes have begun. */
const kill = fc.record({
  begun: fc.integer({ min: 1, max: 9 }),
  milliseconds: fc.nat(40),
  victim: fc.constantFrom("run", "worker", "worker"),
}, { noNullPrototype: true });

type Kill = typeof kill extends fc.Arbitrary<infer T> ? T : never;

/** Runs the pipeline in a process with workers, and kills it and them. @returns what was killed and how the run ended. */
async function killed(folder: Folder, set: readonly string[], kills: readonly Kill[]) {
  const count = { run: 0, workers: 0 };
  const waiting = new Set(kills);
  const timers: ReturnType<typeof setTimeout>[] = [];
  let child: Deno.ChildProcess;
  const strike = async ({ milliseconds, victim }: Kill) => {
    try {
      if (victim === "run") {
        child.kill("SIGKILL");
        count.run++;
      } else {
        const workers = await workersOf(child.pid);
        if (workers.length === 0) return;
        Deno.kill(workers[milliseconds % workers.length]!, "SIGKILL");
        count.workers++;
      }
    } catch {
      // It was done before.
    }
  };
  const ended = await command(
    "run",
    [FILE, "--store", folder.store, "--jobs", "2", ...set.flatMap((one) => ["--set", one])],
    {
      env: { GROWING_TROUBLE: `${folder.path}/trouble` },
      onStart: (started) => child = started,
      onErrors: (text) => {
        const begun = text.match(/ {2}start {2}/g)?.length ?? 0;
        for (const one of waiting) {
          if (begun < one.begun) continue;
          waiting.delete(one);
          timers.push(setTimeout(() => strike(one), one.milliseconds));
        }
      },
    },
  );
  timers.forEach(clearTimeout);
  return { ...count, ...ended };
}

Deno.test("runs that are killed, and their workers, go on to the same bytes and keys", async (t) => {
  const count = { run: 0, workers: 0 };
  await holds(
    t,
    fc.asyncProperty(
      shapes,
      fc.array(fc.array(kill, { minLength: 1, maxLength: 4 }), { minLength: 1, maxLength: 2 }),
      async ({ shape, wide }, runs) => {
        using folder = new Folder();
        const set = [`shape=${JSON.stringify(shape)}`, `wide=${wide}`];
        const calm = await run(`${folder.path}/calm`, set);
        assert.equal(calm.status, "done");
        Deno.mkdirSync(`${folder.path}/trouble`);
        for (const kills of runs) {
          const ended = await killed(folder, set, kills);
          count.run += ended.run;
          count.workers += ended.workers;
          // A worker that is killed is tried again: the run itself goes on.
          if (ended.run === 0) assert.equal(ended.code, 0, ended.stderr);
        }
        assert.deepEqual(made(await run(folder.store, set)), made(calm));
        // Killed between the mark and the deletion, a run leaves what gc takes.
        await using session = await open(folder.store, set);
        collectGarbage(session.store, session.records, { days: 30, dryRun: false });
        assert.equal(notesIn(folder.store), 0, "what is temporary is gone");
        assert.deepEqual((await verifyStore(session.store)).faults, []);
        assert.deepEqual(made(await run(folder.store, set)), made(calm));
      },
    ),
    { numRuns: 3 },
  );
  assert.ok(count.run > 0 && count.workers > 0, "runs were killed, and workers");
});
