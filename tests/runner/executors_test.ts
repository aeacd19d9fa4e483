import assert from "node:assert/strict";
import type { Executor, ExecutorKind } from "../../runner/execute/executor.ts";
import { EXECUTORS, usualExecutor } from "../../runner/execute/executors.ts";
import { hostJob } from "../../runner/execute/host.ts";
import type { Job, Outcome } from "../../runner/execute/job.ts";
import { Reads } from "../../runner/execute/reads.ts";
import { InterruptedError } from "../../runner/errors.ts";
import { verifyByExecution } from "../../runner/verify.ts";
import { LettersFolder, nodesIn } from "./letters.ts";

/** Executes jobs in this very thread, one at a time, and keeps a diary. */
class Diary implements Executor, ExecutorKind {
  readonly name = "diary";
  readonly lanes = 1;
  readonly engineLane = false;
  readonly lines: string[] = [];
  readonly #stop = new AbortController();
  readonly #reads = new Reads();
  #busy = false;

  open(jobs: number): Executor {
    this.lines.push(`open ${jobs}`);
    return this;
  }

  async execute(job: Job, _usesEngine: boolean, tell: Parameters<Executor["execute"]>[2]): Promise<Outcome> {
    assert.ok(!this.#busy, "no more jobs at once than it has lanes");
    assert.deepEqual(JSON.parse(JSON.stringify(job)), job, "a job is plain JSON");
    this.#busy = true;
    const outcome = await hostJob(job, tell, this.#stop.signal, this.#reads);
    this.#busy = false;
    this.lines.push(`${job.node} ${job.mode} ${outcome.kind}`);
    return outcome;
  }

  stop(): void {
    this.lines.push("stop");
    this.#stop.abort(new InterruptedError());
  }

  kill(): void {
    this.lines.push("kill");
  }

  // deno-lint-ignore require-await -- it holds nothing
  async [Symbol.asyncDispose](): Promise<void> {
    this.lines.push("end");
  }
}

const never = new AbortController().signal;

Deno.test("a session runs and verifies a pipeline with an executor of its own", async () => {
  using folder = new LettersFolder();
  using usual = new LettersFolder();
  const expected = await usual.run();
  const executor = new Diary();
  await using session = await folder.open({ executor });
  const summary = await session.run({ jobs: 3, command: "test", stop: never });
  assert.equal(summary.status, "done");
  const ran = nodesIn(expected, "ran");
  assert.deepEqual(executor.lines, ["open 3", ...ran.map((node) => `${node} make done`), "end"]);
  // The same bytes as by threads.
  const digests = ({ nodes }: typeof summary) => nodes.map(({ node, outputs }) => [node.name, outputs]);
  assert.deepEqual(digests(summary).map(([name]) => name), digests(expected).map(([name]) => name));
  for (const [i, { outputs }] of summary.nodes.entries()) {
    if (summary.nodes[i]!.state !== "ran") continue;
    for (const [name, artifact] of Object.entries(outputs!)) {
      assert.equal(artifact.digest, expected.nodes[i]!.outputs![name]!.digest);
    }
  }

  const again = new Diary();
  await using second = await folder.open({ executor: again });
  assert.deepEqual(nodesIn(await second.run({ jobs: 3, command: "test", stop: never }), "ran"), []);
  assert.deepEqual(again.lines, ["open 3", "end"], "what the store holds is not executed");
  const checks = await verifyByExecution(second, { jobs: 2, signal: never });
  assert.deepEqual(checks.map(({ state }) => state), ran.map(() => "same"));
  assert.deepEqual(again.lines.slice(2), ["open 1", ...ran.map((node) => `${node} check done`), "end"]);
});

Deno.test("an executor is asked to stop when its run is, and freed once", async () => {
  using folder = new LettersFolder();
  const executor = new Diary();
  await using session = await folder.open({ executor });
  const stop = new AbortController();
  const summary = await session.run({
    jobs: 1,
    command: "test",
    stop: stop.signal,
    onEvent: (event) => void (event.type === "node-start" && stop.abort()),
  });
  assert.equal(summary.status, "interrupted");
  assert.deepEqual(executor.lines.map((line) => line.split(" ").at(-1)), ["1", "stop", "interrupted", "end"]);
});

Deno.test("an executor is freed where the run does not even begin", async () => {
  using folder = new LettersFolder();
  const executor = new Diary();
  await using session = await folder.open({ executor });
  const approve = () => {
    throw new Error("not today");
  };
  await assert.rejects(session.run({ jobs: 1, command: "test", stop: never, approve }), /not today/);
  assert.deepEqual(executor.lines, ["open 1", "end"]);
});

Deno.test("executors are found by name; without one, no jobs means threads", () => {
  assert.deepEqual(EXECUTORS.map(({ name }) => name), ["processes", "threads", "workers", "slurm"]);
  assert.equal(usualExecutor(0).name, "threads");
  assert.equal(usualExecutor(4).name, "processes");
  assert.equal(EXECUTORS[0]!.open(4).lanes, 4);
});
