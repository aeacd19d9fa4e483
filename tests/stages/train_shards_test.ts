import assert from "node:assert/strict";
import type { Artifact } from "../../runner/codec.ts";
import type { RunSummary } from "../../runner/run_summary.ts";
import { PipelineSession } from "../../runner/session.ts";
import { artifactReader } from "../../runner/store/artifacts.ts";
import type { Store } from "../../runner/store/store.ts";
import { fixture, Folder } from "../command.ts";

interface Ran {
  readonly summary: RunSummary;
  /** JSON of returned outputs, by name. */
  readonly values: Readonly<Record<string, unknown>>;
  readonly digests: Readonly<Record<string, string>>;
}

async function run(folder: Folder, jobs: number, set: readonly string[] = []): Promise<Ran> {
  await using session = await PipelineSession.open({
    file: fixture("sharded"),
    store: folder.store,
    set,
    engine: "cpu",
  });
  const summary = await session.run({ jobs, command: "test", stop: new AbortController().signal });
  assert.equal(summary.status, "done", JSON.stringify(summary.nodes.map(({ error }) => error)));
  const values: Record<string, unknown> = {}, digests: Record<string, string> = {};
  for (const [name, { node, output }] of session.outputs) {
    const artifact = summary.nodes.find((one) => one.node === node)!.outputs![output]!;
    digests[name] = artifact.digest;
    if (artifact.codec !== "circuit") values[name] = await jsonOf(session.store, artifact);
  }
  return { summary, values, digests };
}

async function jsonOf(store: Store, artifact: Artifact): Promise<unknown> {
  const reader = artifactReader(store.blobs, artifact);
  return await reader.json(artifact.files[0]!.name);
}

Deno.test("EM in shards is EM, whoever executes it, in however many parts; counts do not stay; a further epoch goes on from the last", async () => {
  using one = new Folder();
  using three = new Folder();
  const alone = await run(one, 1);
  const many = await run(three, 3);
  assert.deepEqual(many.digests, alone.digests);
  const { shardedScore, wholeScore, log } = alone.values as {
    shardedScore: { logLikelihood: number };
    wholeScore: { logLikelihood: number };
    log: { epochs: { epoch: number; train: { logLikelihood: number; samples: number } }[] };
  };
  assert.ok(
    Math.abs(shardedScore.logLikelihood - wholeScore.logLikelihood) < 1e-6,
    `${shardedScore.logLikelihood} and ${wholeScore.logLikelihood}`,
  );
  assert.deepEqual(log.epochs.map(({ epoch, train }) => [epoch, train.samples]), [
    [1, 203],
    [2, 203],
  ]);
  const course = log.epochs.map(({ train }) => train.logLikelihood);
  assert.deepEqual(course, course.toSorted((a, b) => a - b), "a pass of EM never lowers the likelihood");
  assert.equal(alone.summary.dropped.length, 6, "the counts of three shards in two epochs");

  const part = await run(three, 2, ["parts=1"]);
  assert.equal(part.digests.sharded, many.digests.sharded);
  const more = await run(three, 2, ["epochs=3"]);
  const ran = more.summary.nodes.filter(({ state }) => state === "ran").map(({ node }) => node.name);
  assert.ok(ran.every((name) => !/epoch [12],/.test(name)), `nothing of earlier epochs runs again: ${ran}`);
});

Deno.test("updates after some of the shards learn as well", async () => {
  using folder = new Folder();
  const { values } = await run(folder, 2, ["perUpdate=2"]);
  const { log } = values as { log: { epochs: { train: { logLikelihood: number } }[] } };
  assert.ok(log.epochs.at(-1)!.train.logLikelihood > log.epochs[0]!.train.logLikelihood + 0.05);
});

/** The course of a training, as its log has it. */
interface Course {
  readonly bestEpoch: number;
  readonly converged: boolean | null;
  readonly epochs: { epoch: number; best: boolean; valid: { logLikelihood: number } }[];
}

Deno.test("other samples end a training in shards as they end one in one place, and choose the same epoch", async () => {
  using one = new Folder();
  using three = new Folder();
  const set = ["fit=true", "epochs=40"];
  const alone = await run(one, 1, set), many = await run(three, 3, set);
  assert.deepEqual(many.digests, alone.digests);
  const { log, wholeLog } = alone.values as { log: Course; wholeLog: Course };
  assert.equal(log.converged, true);
  assert.ok(log.epochs.length < 40);
  assert.equal(log.bestEpoch, wholeLog.bestEpoch);
  assert.deepEqual(
    log.epochs.map(({ epoch, best }) => [epoch, best]),
    wholeLog.epochs.map(({ epoch, best }) => [epoch, best]),
  );
  for (const [i, { valid }] of log.epochs.entries()) {
    const whole = wholeLog.epochs[i]!.valid;
    assert.ok(Math.abs(valid.logLikelihood - whole.logLikelihood) < 1e-6, `epoch ${i}`);
  }
  assert.equal(alone.summary.dropped.length, 3 * (log.epochs.length - 1), "no counts stay");
  // What was read decides nothing else: more epochs than it takes are the same training.
  const again = await run(one, 1, ["fit=true", "epochs=50"]);
  assert.equal(again.digests.sharded, alone.digests.sharded);
  const ran = again.summary.nodes.filter(({ state }) => state === "ran").map(({ node }) => node.name);
  assert.ok(ran.every((name) => !name.startsWith("train, ")), `nothing of an epoch runs again: ${ran}`);
  const { log: short } = (await run(one, 1, ["fit=true", "epochs=1"])).values as { log: Course };
  assert.deepEqual([short.converged, short.bestEpoch, short.epochs.length], [false, 1, 2]);
});

Deno.test("the step of mini-batches falls with the scores", async () => {
  using folder = new Folder();
  const { summary, values } = await run(folder, 1, ["fit=true", "epochs=40", "perUpdate=1", "anemone=true"]);
  const steps = summary.nodes.filter(({ node }) => node.stage.name === "train.step-part")
    .map(({ node }) => (node.params as { step: { step: number } }).step.step);
  assert.deepEqual([...new Set(steps)], [0.8, 0.4]);
  const { converged, epochs, bestEpoch } = values.log as Course;
  assert.equal(converged, true);
  const [first] = epochs, best = epochs[bestEpoch]!;
  assert.ok(best.valid.logLikelihood > first!.valid.logLikelihood + 0.1);
});
