import { tryLock } from "../foundation/locks.ts";
import type { RunRecord, RunStatus } from "./records/records.ts";
import type { Store } from "./store/store.ts";

/** A run's status; `killed`: recorded as running, but its process is gone. */
export type LiveStatus = RunStatus | "killed" | "running or killed";

/** What has become of a run: one that is recorded as running but whose process holds no lock any more was killed. */
export function liveStatus(store: Store, record: RunRecord): LiveStatus {
  if (record.status !== "running") return record.status;
  try {
    // Shared, so that two that ask at the same time do not take each other for the run.
    using free = tryLock(`${store.runFolder(record.id)}/alive.lock`, "shared");
    return free === undefined ? "running" : "killed";
  } catch {
    return "running or killed"; // A read-only store cannot be asked.
  }
}
