import { tryLock } from "../foundation/locks.ts";
import type { ListedStatus, NodeState, RunRecord, RunStatus } from "./records/rows.ts";
import type { Store } from "./store/store.ts";

/** A run's status; `killed`: recorded as running, but its process is gone. */
export type LiveStatus = RunStatus | "killed" | "running or killed";

/** The actual status of a run: one recorded as running whose process no longer holds its lock was killed. */
export function liveStatus(store: Store, record: Pick<RunRecord, "id" | "status">): LiveStatus {
  if (record.status !== "running") return record.status;
  try {
    // A shared lock, so that two processes asking at the same time do not mistake each other for the run.
    using free = tryLock(`${store.runFolder(record.id)}/alive.lock`, "shared");
    return free === undefined ? "running" : "killed";
  } catch {
    return "running or killed"; // On a read-only store this cannot be determined.
  }
}

/**
 * Runs of a status. On a read-only store a run that neither ended nor was seen to be killed may be running or killed: it is in
 * both lists.
 *
 * @param read the runs that are recorded with a status.
 */
export function runsOfStatus<R extends Pick<RunRecord, "id" | "status">>(
  store: Store,
  status: ListedStatus,
  read: (recorded: RunStatus) => R[],
): R[] {
  if (status !== "running" && status !== "killed") return read(status);
  const other = status === "running" ? "killed" : "running";
  return read("running").filter((run) => liveStatus(store, run) !== other);
}

/** A node's state; `killed`: it was at work when the run's process was killed. */
export type LiveNodeState = NodeState | "killed";

/** What has become of a node of a run: what a killed run had not finished does not go on. */
export function liveNodeState(state: NodeState, run: LiveStatus): LiveNodeState {
  if (run !== "killed") return state;
  return state === "running" ? "killed" : state === "pending" ? "unused" : state;
}

/** How many nodes of a run are in each state. */
export function liveNodeCounts(
  counts: Partial<Record<NodeState, number>>,
  run: LiveStatus,
): Partial<Record<LiveNodeState, number>> {
  const live: Partial<Record<LiveNodeState, number>> = {};
  for (const [state, count] of Object.entries(counts) as [NodeState, number][]) {
    const now = liveNodeState(state, run);
    live[now] = (live[now] ?? 0) + count;
  }
  return live;
}
