import assert from "node:assert/strict";
import { PipelineSession } from "../../runner/session.ts";
import { artifactReader } from "../../runner/store/artifacts.ts";
import { clusterReport } from "../../stages/clusters/codecs.ts";
import { fixture, Folder } from "../command.ts";

async function run(folder: Folder, jobs: number, set: readonly string[] = []) {
  await using session = await PipelineSession.open({
    file: fixture("sharded_clusters"),
    store: folder.store,
    set,
    engine: "cpu",
  });
  const summary = await session.run({ jobs, command: "test", stop: new AbortController().signal });
  assert.equal(summary.status, "done", JSON.stringify(summary.nodes.map(({ error }) => error)));
  const artifacts = Object.fromEntries(
    [...session.outputs].map((
      [name, { node, output }],
    ) => [name, summary.nodes.find((one) => one.node === node)!.outputs![output]!]),
  );
  const report = await clusterReport.read(artifactReader(session.store.blobs, artifacts["sharded.report"]!));
  const digests = Object.fromEntries(Object.entries(artifacts).map(([name, { digest }]) => [name, digest]));
  return { summary, report, digests };
}

Deno.test("k-means in shards is k-means, whoever executes it; after it has converged nothing is computed", async () => {
  using one = new Folder();
  using three = new Folder();
  const { summary, report, digests } = await run(one, 1);
  assert.equal(digests["sharded.labels"], digests["whole.labels"]);
  assert.equal(digests["sharded.centroids"], digests["whole.centroids"]);
  assert.deepEqual((await run(three, 3)).digests, digests);
  const { iterations, converged } = report.positions[0]!.runs[0]!;
  assert.ok(converged && iterations > 2 && iterations < 11, `${iterations} iterations`);
  const ran = summary.nodes.filter(({ node, state }) =>
    node.stage.name === "clusters.sum-shard" && state === "ran"
  );
  assert.equal(ran.length, 3 * (iterations + 1), "one more finds that there is nothing to do");
  assert.equal(
    summary.dropped.length,
    3 * (iterations + 1) + 3,
    "the sums of all iterations, and labels and sums of the shards at the end",
  );
});

Deno.test("further iterations go on from the last", async () => {
  using folder = new Folder();
  await run(folder, 2, ["iterations=1"]);
  const { summary } = await run(folder, 2, ["iterations=2"]);
  const ran = summary.nodes.filter(({ state }) => state === "ran").map(({ node }) => node.name);
  assert.ok(ran.every((name) => !/iteration-1($|\.)/.test(name)), `nothing earlier runs again: ${ran}`);
});
