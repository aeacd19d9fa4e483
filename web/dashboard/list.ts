import { liveNodeCounts, type LiveNodeState, type LiveStatus, liveStatus } from "../../runner/liveness.ts";
import type { Records } from "../../runner/records/records.ts";
import type { RunRecord } from "../../runner/records/rows.ts";
import type { Store } from "../../runner/store/store.ts";

/** A line of the list of runs. */
export interface RunLine {
  readonly id: string;
  readonly pipeline: string;
  readonly status: LiveStatus;
  readonly started: number;
  readonly ended: number | null;
  readonly seed: number;
  readonly states: Partial<Record<LiveNodeState, number>>;
}

/** A page of the list of runs. */
export interface RunList {
  readonly total: number;
  readonly offset: number;
  readonly runs: readonly RunLine[];
  readonly pipelines: readonly string[];
}

/** Runs on a page. */
export const PAGE = 50;

/** What a list can be narrowed to. */
export const STATUSES = ["running", "done", "failed", "interrupted", "killed"] as const;

/** A page of the runs that fit, newest first. */
export function listRuns(store: Store, records: Records, query: URLSearchParams): RunList {
  const offset = Math.max(0, Math.min(2 ** 31, Math.trunc(Number(query.get("offset"))) || 0));
  const { total, runs } = chosenRuns(store, records, query, offset);
  return {
    total,
    offset,
    runs: runs.map((run) => {
      const status = liveStatus(store, run);
      return {
        id: run.id,
        pipeline: run.pipeline,
        status,
        started: run.started,
        ended: run.ended,
        seed: run.seed,
        states: liveNodeCounts(records.nodeStates(run.id), status),
      };
    }),
    pipelines: records.pipelines(),
  };
}

function chosenRuns(
  store: Store,
  records: Records,
  query: URLSearchParams,
  offset: number,
): { total: number; runs: readonly RunRecord[] } {
  const status = STATUSES.find((one) => one === query.get("status"));
  const filter = {
    ...(query.get("pipeline") ? { pipeline: query.get("pipeline")! } : {}),
    ...(query.get("text") ? { text: query.get("text")! } : {}),
  };
  if (status !== "running" && status !== "killed") {
    const recorded = { ...filter, ...(status === undefined ? {} : { status }) };
    return { total: records.countRuns(recorded), runs: records.runs({ ...recorded, limit: PAGE, offset }) };
  }
  // The records call both running; what is neither ended nor killed may be either on a read-only store.
  const other = status === "running" ? "killed" : "running";
  const runs = records.runs({ ...filter, status: "running" }).filter((run) =>
    liveStatus(store, run) !== other
  );
  return { total: runs.length, runs: runs.slice(offset, offset + PAGE) };
}
