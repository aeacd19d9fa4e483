import type { LiveNodeState } from "../../runner/liveness.ts";
import type { NodeRecord, ProgressRecord } from "../../runner/records/rows.ts";

/** Estimated remaining time of a run. */
export interface TimeLeft {
  readonly seconds: number;
  /** True if nothing is known about some nodes, so that this is a lower bound. */
  readonly atLeast: boolean;
}

/**
 * Estimates the remaining time of a running run: for running nodes by their progress, for others by the time that nodes
 * of their stage took in this run, divided by the number of busy lanes. Undefined if nothing is known.
 *
 * @param now seconds since 1970
 */
export function timeLeft(
  nodes: readonly (Pick<NodeRecord, "name" | "stage" | "started" | "seconds"> & {
    readonly state: LiveNodeState;
  })[],
  progress: readonly ProgressRecord[],
  now: number,
): TimeLeft | undefined {
  const reported = new Map(progress.map((one) => [one.node, one]));
  const known = new Map<string, number[]>();
  const learn = (stage: string, seconds: number) => known.set(stage, [...known.get(stage) ?? [], seconds]);
  const left: number[] = [];
  const open: { stage: string; elapsed: number }[] = [];
  for (const node of nodes) {
    if (node.state === "ran" && node.seconds !== null) learn(node.stage, node.seconds);
    if (node.state === "pending") open.push({ stage: node.stage, elapsed: 0 });
    if (node.state !== "running") continue;
    const elapsed = Math.max(0, now - (node.started ?? now));
    const { done = 0, total = null } = reported.get(node.name) ?? {};
    if (total === null || !(done > 0)) open.push({ stage: node.stage, elapsed });
    else {
      const seconds = elapsed * Math.max(1, total / done);
      learn(node.stage, seconds);
      left.push(seconds - elapsed);
    }
  }
  const lanes = Math.max(1, nodes.filter((node) => node.state === "running").length);
  let atLeast = false;
  for (const { stage, elapsed } of open) {
    const seconds = known.get(stage);
    if (seconds === undefined) atLeast = true;
    else left.push(Math.max(0, seconds.reduce((a, b) => a + b) / seconds.length - elapsed));
  }
  if (left.length === 0) return undefined;
  // A node cannot be split across lanes, so the longest one is a lower bound.
  return { seconds: Math.max(left.reduce((a, b) => a + b) / lanes, ...left), atLeast };
}
