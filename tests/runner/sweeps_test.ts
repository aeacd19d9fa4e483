import assert from "node:assert/strict";
import { hostJob } from "../../runner/execute/host.ts";
import { Reads } from "../../runner/execute/reads.ts";
import type { Executor } from "../../runner/execute/executor.ts";
import { ancestors, type GraphNode } from "../../runner/graph.ts";
import { EARLIER_QUERIES } from "../../runner/records/earlier.ts";
import type { RunRecord } from "../../runner/records/rows.ts";
import { openDatabase } from "../../runner/records/schema.ts";
import { Policies } from "../../runner/profile.ts";
import { runGraph } from "../../runner/run.ts";
import { type RunSummary } from "../../runner/run_summary.ts";
import { PipelineSession } from "../../runner/session.ts";
import { command, fixture, Folder, ROOT } from "../command.ts";

const SWEEP = fixture("sweep");

function open(folder: Folder, shape: string, nodes: number, ...more: string[]): Promise<PipelineSession> {
  const set = [`shape=${shape}`, `nodes=${nodes}`, ...more];
  return PipelineSession.open({ file: SWEEP, store: folder.store, set });
}

async function run(session: PipelineSession): Promise<RunSummary> {
  return await session.run({ jobs: 0, command: "test", stop: new AbortController().signal });
}

/** Counts the calls of a method of an object from now on. */
function counted<T extends object>(object: T, name: keyof T & string): { calls: number } {
  const counter = { calls: 0 };
  const method = object[name] as (...args: unknown[]) => unknown;
  Object.defineProperty(object, name, {
    value: (...args: unknown[]) => {
      counter.calls++;
      return method.apply(object, args);
    },
  });
  return counter;
}

Deno.test("earlier results are read from an index each: no query sorts or looks through all", () => {
  using folder = new Folder();
  const database = openDatabase(`${folder.path}/records.sqlite`);
  try {
    for (const query of Object.values(EARLIER_QUERIES)) {
      const steps = database.prepare(`EXPLAIN QUERY PLAN ${query}`).all(
        ...Array<string>(query.split("?").length - 1).fill("x"),
      );
      const text = steps.map((step) => String(step.detail)).join("\n");
      assert.match(text, /^SEARCH results USING INDEX/, text);
      assert.doesNotMatch(text, /SCAN|TEMP B-TREE/, text);
    }
  } finally {
    database.close();
  }
});

Deno.test("planning a sweep asks the records a fixed number of times a node, and once a stage", async () => {
  using folder = new Folder();
  const questions = async (nodes: number, ...set: string[]) => {
    await using session = await open(folder, "deep", nodes, ...set);
    const { records, store } = session;
    const each = [counted(records, "resultsOfNode"), counted(records, "hasResult"), counted(store, "lookup")];
    const stage = counted(records, "resultsOfStage");
    const plan = [...(await session.plan()).values()];
    return { plan, each: each.map(({ calls }) => calls), stage: stage.calls };
  };
  const fresh = await questions(40);
  assert.ok(fresh.each.every((calls) => calls <= 81), `a question a node at most: ${fresh.each}`);
  assert.equal(fresh.stage, 3);
  assert.ok(fresh.plan.every(({ status }) => status !== "cached"));
  {
    await using session = await open(folder, "deep", 40);
    assert.equal((await run(session)).status, "done");
  }
  const changed = await questions(40, "bias=1");
  assert.ok(changed.each.every((calls) => calls <= 81), `a question a node at most: ${changed.each}`);
  assert.ok(changed.stage <= 3);
  // The reason is the nearest earlier result all the same.
  const more = await questions(41);
  assert.deepEqual(more.plan.find(({ node }) => node.name === "one@n=40")!.reasons.map((r) => r.kind), [
    "first",
  ]);
  const reason = more.plan.find(({ node }) => node.name === "one@n=40")!.reasons[0]!;
  assert.ok(reason.kind === "first" && reason.nearest!.differs.length === 1, JSON.stringify(reason));
});

Deno.test("planning gives other tasks their turn and stops when it is told to", async () => {
  using folder = new Folder();
  await using session = await open(folder, "flat", 4000);
  const stop = new AbortController();
  let asked = 0;
  const { store } = session;
  const lookup = store.lookup.bind(store);
  store.lookup = (key) => {
    // The timer's turn comes within the next 20 ms of planning, not after all of it.
    if (asked++ === 0) setTimeout(() => stop.abort(new Error("told to stop")), 0);
    return lookup(key);
  };
  await assert.rejects(session.plan(stop.signal), /told to stop/);
  assert.ok(asked < 4000, `${asked} nodes were planned`);
});

Deno.test("Ctrl-C while a sweep is planned ends the run before anything ran", async () => {
  using folder = new Folder();
  const count = `${folder.path}/planned.txt`;
  Deno.writeTextFileSync(count, "");
  const set = ["shape=planned", "nodes=5000", `count=${count}`].flatMap((one) => ["--set", one]);
  const ended = await command("run", [SWEEP, "--store", folder.store, "--jobs", "0", ...set], {
    signals: [{ when: /planning begins/, after: 0, signal: "SIGINT" }],
  });
  assert.equal(ended.code, 130, ended.stderr);
  assert.match(ended.stderr, /interrupted before anything ran/);
  const planned = Deno.readTextFileSync(count).split("\n").length - 1;
  assert.ok(planned < 4000, `${planned} of 5000 nodes were planned`);
});

Deno.test("Ctrl-C while a graph is built ends the process at once", async () => {
  using folder = new Folder();
  const began = performance.now();
  const args = [SWEEP, "--store", folder.store, "--set", "shape=built", "--set", "nodes=1"];
  const signals = [{ when: /building begins/, after: 0, signal: "SIGINT" as const }];
  const ended = await Promise.all([
    command("run", args, { signals }),
    command("verify", ["--execute", ...args], { signals }),
  ]);
  assert.deepEqual(ended.map(({ code }) => code), [130, 130], ended[0].stderr);
  assert.ok(performance.now() - began < 55_000, "its build takes a minute");
});

/** An executor of several lanes in this process; tells what it executed. */
function lanes(executed: string[]): Executor {
  const reads = new Reads();
  return {
    lanes: 4,
    engineLane: true,
    execute: (job, _usesEngine, tell) => {
      executed.push(job.node);
      return hostJob(job, tell, new AbortController().signal, reads);
    },
    stop() {},
    kill() {},
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
}

Deno.test("equal nodes wait for the first without being looked at again and again, also when it fails", async () => {
  const NODES = 100;
  for (const [shape, runs] of [["equal", 2], ["failing", NODES]] as const) {
    using folder = new Folder();
    await using session = await open(folder, shape, NODES);
    const executed: string[] = [];
    const looks = counted(session.planner, "inspect");
    const { store, records, planner, targets, pipeline: { graph } } = session;
    const record: RunRecord = {
      ...{
        id: "20260101t000000-abcdef",
        pipeline: "sweep",
        file: SWEEP,
        command: "test",
        params: {},
        seed: 0,
      },
      ...{ status: "running", started: 0, ended: null, environment: {} as never, pid: Deno.pid },
    };
    const summary = await runGraph({
      ...{ store, records, graph, targets, planner, record, executor: lanes(executed), engine: "cpu" },
      policies: new Policies(),
      capacity: new Policies().capacity(1),
      ...{ wanted: () => new Map(), keepTemporary: false },
      onEvent: () => {},
      stop: new AbortController().signal,
    });
    assert.equal(executed.length, runs);
    assert.ok(looks.calls <= 4 * NODES, `${looks.calls} looks at ${NODES} nodes`);
    const states = Map.groupBy(summary.nodes, (outcome) => outcome.state);
    const expected = shape === "equal" ? { ran: 2, cached: NODES - 1 } : { failed: NODES, skipped: 1 };
    assert.deepEqual(Object.fromEntries([...states].map(([state, all]) => [state, all.length])), expected);
  }
});

Deno.test("what follows from a failure is skipped, whatever the length of the chain", async () => {
  using folder = new Folder();
  await using session = await open(folder, "chain", 12_000);
  // The first node cannot give what its stage gives: its result is refused.
  const summary = await session.run({
    ...{ jobs: 0, command: "test", stop: new AbortController().signal },
    accept: () => "refused",
  });
  assert.equal(summary.status, "failed");
  assert.equal(summary.nodes.filter(({ state }) => state === "skipped").length, 12_000);
});

Deno.test("a run that is stopped records in one step what it has not begun", async () => {
  using folder = new Folder();
  await using session = await open(folder, "deep", 300);
  const stop = new AbortController();
  const puts = counted(session.records, "putNode");
  let before = 0;
  const summary = await session.run({
    ...{ jobs: 0, command: "test", stop: stop.signal },
    onEvent: (event) => {
      if (event.type !== "node-done" || stop.signal.aborted) return;
      before = puts.calls;
      stop.abort(new Error("told to stop"));
    },
  });
  assert.equal(summary.status, "interrupted");
  const unused = summary.nodes.filter(({ state }) => state === "unused").length;
  assert.ok(unused >= 590, `${unused} of 601 were not begun`);
  assert.equal(session.records.nodeStates(summary.run).unused, unused);
  assert.ok(puts.calls - before < 20, `${puts.calls - before} nodes were written one by one`);
});

Deno.test("a run has few files open, however many nodes it has", async () => {
  using folder = new Folder();
  const args = `--store '${folder.store}' --jobs 0 --set shape=flat --set nodes=150`;
  const { code, stderr } = await new Deno.Command("sh", {
    args: [
      "-c",
      `ulimit -n 120; exec '${Deno.execPath()}' run --allow-all --no-check cli/main.ts run '${SWEEP}' ${args}`,
    ],
    cwd: ROOT,
    env: { NO_COLOR: "1" },
  }).output();
  assert.equal(code, 0, new TextDecoder().decode(stderr).slice(-2000));
});

Deno.test("outcomes are found by node", async () => {
  using folder = new Folder();
  await using session = await open(folder, "deep", 5);
  const summary = await run(session);
  const nodes: GraphNode[] = ancestors(session.targets);
  assert.deepEqual(nodes.map((node) => summary.outcomes.get(node)), summary.nodes);
});
