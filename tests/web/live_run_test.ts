import assert from "node:assert/strict";
import { Changes } from "../../web/dashboard/page/live_run.ts";
import type { LiveEvent } from "../../web/dashboard/live.ts";
import type { RunView } from "../../web/view/run.ts";

/** A run with one curve of node `a`, of these steps; none when there are no steps. */
function view(...steps: number[]): RunView {
  const series = [{ node: "a", label: "loss", points: steps.map((step) => [step, step] as const) }];
  const charts = steps.length === 0 ? [] : [{ stage: "s", metric: "loss", unit: "step", series }];
  return { status: "running", nodes: [], charts } as unknown as RunView;
}

const metric = (step: number | null): LiveEvent => ({ type: "metrics", metrics: [["a", "loss", step, 1]] });
const states = (state: "running" | "ran"): LiveEvent => ({
  type: "state",
  status: "running",
  nodes: [["a", state]],
});

Deno.test("a live run is loaded again for a new curve or a new state, not for every point", () => {
  const changes = new Changes();
  changes.restart(view());
  assert.deepEqual([1, 2].map((step) => changes.take(metric(step))), [true, true], "a curve without a chart");
  changes.restart(view(1, 2));
  assert.deepEqual([3, 4, 5].map((step) => changes.take(metric(step))), [false, false, false]);
  const points = () => changes.applied(view(1, 2, 3)).charts[0]!.series[0]!.points.map(([step]) => step);
  assert.deepEqual(points(), [1, 2, 3, 4, 5], "no point twice");
  changes.restart(view(1, 2, 3));
  assert.equal(changes.take(metric(6)), false, "also after it was loaded again");
  assert.deepEqual(points(), [1, 2, 3, 6]);
  assert.equal(changes.take(metric(null)), false, "numbers without steps are no curve");

  assert.equal(changes.take(states("running")), false, "the first states are those that were loaded");
  assert.equal(changes.take(states("running")), false);
  assert.equal(changes.take(states("ran")), true);

  const lone = new Changes();
  lone.restart(view());
  const told = Array.from({ length: 50 }, (_, step) => lone.take(metric(step)));
  assert.ok(told.filter((again) => again).length <= 3, "a curve that is never charted does not ask for ever");
});
