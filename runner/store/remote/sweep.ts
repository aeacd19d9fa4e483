import type { Digest } from "../../../foundation/canonical.ts";
import { parseSealed } from "../sealed.ts";
import { resultOf } from "../store.ts";
import { objectPath, objectsOf, parcelsOf, recordPath } from "./layout.ts";
import { AT_ONCE, eachAtOnce, type Remote, type RemoteEntry } from "./remote.ts";
import { RUN_FORMAT, type RunBody } from "./runs.ts";
import { wholeFile } from "./transfer.ts";

/** What a sweep of a remote removed or would remove. Sizes in bytes. */
export interface RemoteSweep {
  readonly runs: number;
  readonly results: number;
  /** Objects and packs. */
  readonly objects: number;
  readonly bytes: number;
  /** What was set aside as damaged. */
  readonly rubbish: number;
  /** Uploads that broke off; not counted by a dry run. */
  readonly uploads: number;
  readonly keptResults: number;
  readonly keptBytes: number;
}

/** What is younger may belong to somebody who is just putting it there, in milliseconds: objects come before results. */
const IN_PROGRESS = 86_400_000;

/**
 * Removes from a remote what none of its runs of the last days reaches: by the records of runs that lie there, whoever put them there, and
 * not by what this machine knows. Results that no run there names count by when they were put. What came within the last day stays.
 *
 * @throws RetortError where the remote is away, refuses, or is only read.
 */
export async function sweepRemote(
  remote: Remote,
  options: { readonly days: number; readonly dryRun: boolean; readonly now?: number },
): Promise<RemoteSweep> {
  const now = options.now ?? Date.now();
  const since = now - options.days * 86_400_000;
  const young = ({ modified }: RemoteEntry) => modified > now - IN_PROGRESS;
  const remove = async (entries: readonly RemoteEntry[]) => {
    if (!options.dryRun) await remote.remove(entries.map(({ path }) => path));
  };
  // Objects are listed before results: what is put meanwhile is not among them.
  const objects = [...await entriesOf(remote, "objects/"), ...await entriesOf(remote, "packs/")];
  const kept = new Set<string>();
  const oldRuns: RemoteEntry[] = [];
  await eachAtOnce(await entriesOf(remote, "runs/"), AT_ONCE, async (entry) => {
    const run = await runOf(remote, entry.path);
    const began = run === undefined ? entry.modified : run.run.started * 1000;
    if (began < since && !young(entry)) oldRuns.push(entry);
    else for (const key of Object.keys(run?.results ?? {})) kept.add(recordPath(key));
  });
  const stale: RemoteEntry[] = [];
  const reached = new Set<string>();
  let keptResults = 0;
  await eachAtOnce(await entriesOf(remote, "results/"), AT_ONCE, async (entry) => {
    const key: Digest | undefined = /([0-9a-f]{64})\.json$/.exec(entry.path)?.[1];
    if (key === undefined) return;
    if (!kept.has(entry.path) && entry.modified < since && !young(entry)) return void stale.push(entry);
    const record = await wholeFile(remote, entry.path);
    const result = record === undefined ? "it is gone" : resultOf(key, record);
    if (typeof result === "string") return;
    keptResults++;
    for (const { path } of parcelsOf(result)) reached.add(path);
    for (const { digest } of objectsOf(result)) reached.add(objectPath(digest));
  });
  const unreached = objects.filter((entry) => !reached.has(entry.path) && !young(entry));
  const rubbish = (await entriesOf(remote, "damaged/")).filter((entry) => entry.modified < since);
  // Results go before their objects, so that none ever lacks its bytes.
  await remove(oldRuns);
  await remove(stale);
  await remove(unreached);
  await remove(rubbish);
  const uploads = options.dryRun ? 0 : await remote.sweepUploads(now - IN_PROGRESS);
  const sizes = (entries: readonly RemoteEntry[]) => entries.reduce((sum, { size }) => sum + size, 0);
  return {
    runs: oldRuns.length,
    results: stale.length,
    objects: unreached.length,
    bytes: sizes(unreached),
    rubbish: rubbish.length,
    uploads,
    keptResults,
    keptBytes: sizes(objects) - sizes(unreached),
  };
}

async function entriesOf(remote: Remote, prefix: string): Promise<RemoteEntry[]> {
  const entries: RemoteEntry[] = [];
  for await (const entry of remote.list(prefix)) entries.push(entry);
  return entries;
}

async function runOf(remote: Remote, path: string): Promise<RunBody | undefined> {
  const bytes = await wholeFile(remote, path);
  if (bytes === undefined) return undefined;
  const sealed = parseSealed(new TextDecoder().decode(bytes), RUN_FORMAT);
  return sealed.state === "ok" ? sealed.body as unknown as RunBody : undefined;
}
