import assert from "node:assert/strict";
import { compareRuns, runLabels } from "../../runner/compare.ts";
import { WrittenStore } from "../web/records.ts";

/** Runs whose nodes put their states into lists, and into the names of what they measure. */
function sizes(...states: number[]): WrittenStore {
  const written = new WrittenStore();
  for (const size of states) {
    const run = `run-${size}`;
    written.addRun(run, { params: { states: size, fixed: [1, 2] } });
    written.addNode(run, "table", {
      params: { rows: [{ arm: "random", states: size }, { arm: "distilled", states: size }] },
    }, [
      [`distilled, ${size} states`, null, 100 / size],
      [`random, ${size} states`, null, 200 / size],
      ["perplexity", null, size],
      ["score.perplexity", null, size],
      ["score.weight", null, 1 / size],
    ]);
  }
  return written;
}

Deno.test("compared runs: lists are read item by item, names that hold what differs line up, nothing is told twice", () => {
  using written = sizes(8, 16);
  const runs = ["run-8", "run-16"].map((id) => written.records.runs().find((run) => run.id === id)!);
  const comparison = compareRuns(written.records, runs);
  assert.deepEqual(
    comparison.params.filter(({ same }) => !same).map(({ node, name, values }) => [node, name, ...values]),
    [
      ["params", "states", 8, 16],
      ["table", "rows[0].states", 8, 16],
      ["table", "rows[1].states", 8, 16],
    ],
  );
  assert.deepEqual(
    new Map(comparison.metrics.map(({ name, values }) => [name, values])),
    new Map([
      ["distilled, … states", [12.5, 6.25]],
      ["random, … states", [25, 12.5]],
      ["perplexity", [8, 16]],
      ["score.weight", [1 / 8, 1 / 16]],
    ]),
  );
});

Deno.test("compared runs are called by the parameter in which they differ, where it tells them apart", () => {
  using written = sizes(8, 16);
  const of = (...ids: string[]) =>
    runLabels(
      compareRuns(written.records, ids.map((id) => written.records.runs().find((run) => run.id === id)!)),
    );
  assert.deepEqual(of("run-8", "run-16"), ["states 8", "states 16"]);
  assert.equal(of("run-8", "run-8"), undefined, "nothing differs");
  assert.equal(of("run-8", "run-16", "run-8"), undefined, "two are called the same");
});
