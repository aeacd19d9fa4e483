import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import type { Executor, ExecutorKind } from "../../runner/execute/executor.ts";
import { EXECUTORS } from "../../runner/execute/executors.ts";
import { JobQueue } from "../../runner/execute/queue.ts";
import { QueueExecutor } from "../../runner/execute/queue_executor.ts";
import { Store } from "../../runner/store/store.ts";
import { ROOT, taskArguments } from "../command.ts";
import { onSlurm, SlurmCluster } from "../slurm.ts";
import { LettersFolder, nodesIn } from "./letters.ts";
import { endWorker, startWorker } from "./trial.ts";

const digests = (summary: Awaited<ReturnType<LettersFolder["run"]>>) =>
  summary.nodes.map(({ node, outputs }) => [
    node.name,
    Object.values(outputs ?? {}).map((artifact) => artifact.digest),
  ]);

const never = new AbortController().signal;

using reference = new LettersFolder();
const expected = await reference.run();

for (const kind of EXECUTORS) {
  const fn = async () => {
    using folder = new LettersFolder();
    Store.open(folder.store, { create: true });
    const worker = kind.name === "workers" ? startWorker(folder.store) : undefined;
    await using _cluster = kind.name === "slurm" ? await SlurmCluster.start() : undefined;
    try {
      await using session = await folder.open({ executor: kind });
      const logs: string[] = [];
      const summary = await session.run({
        jobs: 2,
        command: "test",
        stop: never,
        onEvent: (event) => void (event.type === "node-log" && logs.push(event.text)),
      });
      assert.equal(summary.status, "done");
      assert.deepEqual(digests(summary), digests(expected));
      const metrics = session.records.metrics(summary.run).map(({ name, value }) => `${name} ${value}`);
      assert.deepEqual(metrics.sort(), ["letters 1", "letters 5"]);
      const places = session.records.places(summary.run);
      // Nodes that ask for nothing and run here have none to tell.
      assert.equal(places.length, kind.elsewhere ? nodesIn(summary, "ran").length : 0);
      if (kind.elsewhere) {
        assert.ok(
          places.every(({ host, worker, waited }) => host !== null && worker !== null && waited! >= 0),
        );
        assert.ok(logs.some((text) => /^worker .*: Deno [\d.]+, Retort [\d.]+/.test(text)));
      }
      // A stage that fails is told as such, and what does not need it is made all the same.
      await using failing = await folder.open({ executor: kind, set: ['alphabets=["q"]'] });
      Deno.removeSync(folder.data);
      await assert.rejects(failing.run({ jobs: 2, command: "test", stop: never }), /data\.txt/);
    } finally {
      if (worker !== undefined) await endWorker(worker);
    }
  };
  const name = `${kind.name}: a run gives the bytes that threads give, and its logs and metrics`;
  Deno.test({ ...(kind.name === "slurm" ? onSlurm() : {}), name, fn });
}

Deno.test("workers: one that is killed loses its job to another one, and the bytes are the same", async () => {
  using folder = new LettersFolder();
  const store = Store.open(folder.store, { create: true });
  const queue = new JobQueue(store);
  // A worker that takes a job and beats no more.
  const dead = "dead-worker";
  queue.beat({ worker: dead, host: "nowhere", pid: 1, deno: "", retort: "", beat: 0 });
  const executor: ExecutorKind = { name: "workers", open: (): Executor => new QueueExecutor(64, 1500) };
  await using session = await folder.open({ executor });
  const logs: string[] = [];
  let worker: Deno.ChildProcess | undefined;
  const taking = setInterval(() => {
    if (worker !== undefined || queue.take(dead) === undefined) return;
    worker = startWorker(folder.store);
  }, 5);
  try {
    const summary = await session.run({
      jobs: 2,
      command: "test",
      stop: never,
      onEvent: (event) => void (event.type === "node-log" && logs.push(event.text)),
    });
    assert.equal(summary.status, "done");
    assert.deepEqual(digests(summary), digests(expected));
    assert.ok(logs.some((text) => /worker dead-worker on nowhere is gone/.test(text)), logs.join("\n"));
  } finally {
    clearInterval(taking);
    if (worker !== undefined) await endWorker(worker);
  }
});

Deno.test("workers: a driver that dies leaves jobs that a new run takes over, and nothing runs twice", async () => {
  using folder = new LettersFolder();
  Store.open(folder.store, { create: true });
  const args = taskArguments("run", [
    fileURLToPath(new URL("../fixtures/pipelines/letters.ts", import.meta.url)),
    ...["--set", `path=${folder.data}`, "--executor", "workers", "--store", folder.store],
  ]);
  const driver = new Deno.Command(Deno.execPath(), {
    args,
    cwd: ROOT,
    stdin: "null",
    stdout: "null",
    stderr: "null",
  })
    .spawn();
  const queue = new JobQueue(Store.open(folder.store));
  let ended = false;
  driver.status.then(() => ended = true);
  while (queue.look().waiting.size === 0) {
    assert.ok(!ended, "it leaves jobs in the queue");
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  driver.kill("SIGKILL");
  await driver.status;
  const worker = startWorker(folder.store);
  try {
    const kind = EXECUTORS.find(({ name }) => name === "workers")!;
    await using session = await folder.open({ executor: kind });
    const summary = await session.run({ jobs: 2, command: "test", stop: never });
    assert.equal(summary.status, "done");
    assert.deepEqual(digests(summary), digests(expected));
    assert.equal(nodesIn(summary, "failed").length, 0);
    assert.deepEqual([...queue.look().waiting, ...queue.look().taken.keys(), ...queue.look().ended], []);
  } finally {
    await endWorker(worker);
  }
});

Deno.test("workers: where there are none, that is said, once", async () => {
  using folder = new LettersFolder();
  const kind = EXECUTORS.find(({ name }) => name === "workers")!;
  await using session = await folder.open({ executor: kind });
  const stop = new AbortController();
  const waits: string[] = [];
  const summary = await session.run({
    jobs: 2,
    command: "test",
    stop: stop.signal,
    onEvent(event) {
      if (event.type !== "node-waiting") return;
      waits.push(event.for ?? "");
      setTimeout(() => stop.abort(), 1200);
    },
  });
  assert.equal(summary.status, "interrupted");
  assert.deepEqual(waits, [`workers: start some with \`retort work --store ${folder.store}\``]);
  assert.equal(new JobQueue(Store.open(folder.store)).look().waiting.size, 0, "what waited is taken back");
});
