import type { Digest } from "../foundation/canonical.ts";
import { RetortError } from "../foundation/errors.ts";
import type { Records } from "./records/records.ts";
import { removeQuietly } from "../foundation/atomic.ts";
import { type OnStranger, ownEntries, type Stranger } from "./store/own.ts";
import { queuedJobs } from "./execute/queue.ts";
import { guardedSync } from "../foundation/faults.ts";
import { tryLock } from "../foundation/locks.ts";
import type { Store } from "./store/store.ts";
import { codeObjects } from "./stored_code.ts";
import { listWorkspaces } from "./workspace.ts";

/** What a collection removed or would remove. Sizes in bytes. */
export interface Sweep {
  readonly results: number;
  readonly objects: number;
  readonly bytes: number;
  readonly checkpoints: number;
  readonly logs: number;
  /** Unfinished files of processes that died, and damaged objects that were set aside. */
  readonly rubbish: number;
  readonly keptResults: number;
  /** Temporary outputs of these that were dropped: they are made again when somebody asks. */
  readonly keptDropped: number;
  readonly keptBytes: number;
  /** Files in the store's folder that do not belong to the store; they were left alone. */
  readonly strangers: readonly Stranger[];
}

/**
 * Removes what no run of the last days and no job that waits for a worker reaches: results, their objects, the code of jobs, checkpoints, logs, and what
 * dead processes left. Results that the records do not know count by when they were made. The history of runs and the lineage stay in the records. Only real files and folders with
 * the names that the store gives are touched: a link is never followed.
 *
 * @param options.days runs that began in the last so many days keep what they reach
 * @throws RetortError while a run uses the store, and where a newer version has left results.
 */
export function collectGarbage(
  store: Store,
  records: Records,
  options: { days: number; dryRun: boolean; now?: number },
): Sweep {
  // A dry run changes nothing, but its answer would be wrong during a run as well.
  using held = tryLock(`${store.root}/store.lock`, "exclusive");
  if (held === undefined) {
    throw new RetortError("store/in-use", "a run is using this store", {
      hint: "Try again when it is done.",
    });
  }
  const since = (options.now ?? Date.now()) / 1000 - options.days * 86_400;
  const kept = new Set<Digest>();
  const recentRuns = new Set<string>();
  for (const run of records.runs()) {
    if (run.started < since) continue;
    recentRuns.add(run.id);
    for (const node of records.nodes(run.id)) if (node.key !== null) kept.add(node.key);
  }

  const remove = (path: string) => {
    if (!options.dryRun) guardedSync("removing", path, () => Deno.removeSync(path, { recursive: true }));
  };
  const strangers = store.strangers();
  const onStranger: OnStranger = (stranger) => void strangers.push(stranger);
  const keys = [...store.keys(onStranger)];
  refuseUnknown(store, keys);
  // Results are removed before their objects, so that no result ever lacks its bytes.
  const reached = new Set<Digest>();
  let results = 0;
  let keptResults = 0;
  let keptDropped = 0;
  for (const key of keys) {
    // A result without a record is judged by its own time stamp: losing records must not lose results.
    const told = kept.has(key) || !records.hasResult(key);
    const found = told ? store.lookup(key) : undefined;
    if (found?.state === "found" && (kept.has(key) || Date.parse(found.result.finished) / 1000 >= since)) {
      keptResults++;
      // Of what was dropped a run that was killed may have left some.
      const dropped = store.droppedOutputs(key) ?? {};
      for (const [name, artifact] of Object.entries(found.result.outputs)) {
        if (Object.hasOwn(dropped, name)) keptDropped++;
        else for (const file of artifact.files) reached.add(file.digest);
      }
      continue;
    }
    results++;
    if (!options.dryRun) store.forget(key);
  }
  // A run that died has left jobs that workers may still take.
  const codes = new Map(
    queuedJobs(store).flatMap(({ code }) => code === undefined ? [] : [[code.stored.digest, code.stored]]),
  );
  for (const stored of codes.values()) {
    for (const digest of codeObjects(store, stored)) reached.add(digest);
  }
  let objects = 0;
  let bytes = 0;
  let keptBytes = 0;
  for (const { digest, size } of [...store.blobs.list(onStranger)]) {
    if (reached.has(digest)) keptBytes += size;
    else {
      objects++;
      bytes += size;
      remove(store.blobs.path(digest));
    }
  }
  const own = (folder: Parameters<typeof ownEntries>[1]) =>
    ownEntries(store.root, folder, onStranger).map((name) => ({
      name,
      path: `${store.root}/${folder}/${name}`,
    }));
  const checkpoints = own("checkpoints").filter(({ name }) => !kept.has(name));
  const logs = own("runs").filter(({ name }) => !recentRuns.has(name));
  const rubbish = [...own("tmp"), ...own("damaged")];
  for (const { path } of [...checkpoints, ...logs, ...rubbish]) remove(path);
  own("locks");
  own("workspaces");
  if (!options.dryRun) {
    const stale = new Set(
      listWorkspaces(store).filter((w) => !recentRuns.has(w.job.run)).map((w) => w.folder),
    );
    for (const folder of stale) removeQuietly(folder);
  }
  return {
    results,
    objects,
    bytes,
    checkpoints: checkpoints.length,
    logs: logs.length,
    rubbish: rubbish.length,
    keptResults,
    keptDropped,
    keptBytes,
    strangers,
  };
}

/** Objects that results of an unknown format refer to cannot be told from garbage. */
function refuseUnknown(store: Store, keys: readonly Digest[]): void {
  const unknown = keys.map((key) => store.unknownFormat(key)).filter((why) => why !== undefined);
  if (unknown.length === 0) return;
  throw new RetortError(
    "store/version",
    `${unknown.length} results of this store were written by another version: ${unknown[0]}`,
    {
      hint:
        "Sweep with the version of Retort that wrote them, or first run their pipelines again with this one.",
    },
  );
}
