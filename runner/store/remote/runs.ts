import type { Digest } from "../../../foundation/canonical.ts";
import { RetortError } from "../../../foundation/errors.ts";
import { lock } from "../../../foundation/locks.ts";
import { addCarriedRun, type CarriedRun, carriedRun } from "../../records/carried_run.ts";
import type { Records } from "../../records/records.ts";
import type { RunRecord } from "../../records/rows.ts";
import { parseSealed, sealedBytes } from "../sealed.ts";
import type { Store } from "../store.ts";
import { recordPath, runPath } from "./layout.ts";
import type { Remote } from "./remote.ts";
import { fetchResult, pushResult, wholeFile } from "./transfer.ts";

/** Format of the record of a run on a remote. */
export const RUN_FORMAT = 1;

/** A run as it lies on a remote. */
export type RunBody = CarriedRun & {
  /** Its results by their keys, with a node of each. */
  readonly results: Readonly<Record<Digest, string>>;
};

/** How a run was carried. */
export interface Carried {
  readonly run: string;
  /** Results that went over. */
  readonly results: number;
  /** Results that were there. */
  readonly there: number;
  readonly bytes: number;
  /** Nodes whose results are not to be had any more. */
  readonly lost: readonly string[];
}

/** How a run is carried. */
export interface CarryOptions {
  readonly signal?: AbortSignal;
  /** Called after each result. */
  readonly onResult?: (done: number, of: number) => void;
}

/** Puts the results of a run and its record there, what the remote lacks of them. */
export async function pushRun(
  store: Store,
  records: Records,
  remote: Remote,
  run: RunRecord,
  { signal, onResult }: CarryOptions = {},
): Promise<Carried> {
  using _shared = await lock(`${store.root}/store.lock`, { mode: "shared", ...(signal && { signal }) });
  const nodes = resultsOf(records, run.id);
  const known = await remote.has([...nodes.keys()].map(recordPath));
  let results = 0, there = 0, bytes = 0, done = 0;
  const lost: string[] = [];
  for (const [key, name] of nodes) {
    signal?.throwIfAborted();
    const pushed = await pushResult(store, remote, key, known);
    if (pushed === undefined) lost.push(name);
    else if (pushed.fresh) results++;
    else there++;
    bytes += pushed?.bytes ?? 0;
    onResult?.(++done, nodes.size);
  }
  const body = { ...carriedRun(records, run), results: Object.fromEntries(nodes) };
  await remote.put(runPath(run.id), sealedBytes(RUN_FORMAT, body));
  return { run: run.id, results, there, bytes, lost };
}

/**
 * Gets a run with all its results.
 *
 * @param name its id, the beginning of one, or `latest`.
 * @throws RetortError where the remote has no such run, or several.
 */
export async function pullRun(
  store: Store,
  records: Records,
  remote: Remote,
  name: string,
  { signal, onResult }: CarryOptions = {},
): Promise<Carried> {
  using _shared = await lock(`${store.root}/store.lock`, { mode: "shared", ...(signal && { signal }) });
  const carried = await runOn(remote, name);
  const nodes = new Map(Object.entries(carried.results));
  let results = 0, there = 0, bytes = 0, done = 0;
  const lost: string[] = [];
  for (const [key, node] of nodes) {
    signal?.throwIfAborted();
    const known = store.lookup(key).state === "found";
    const fetched = await fetchResult(store, remote, key);
    if (fetched.state !== "fetched") lost.push(node);
    else {
      if (known) there++;
      else results++;
      bytes += fetched.bytes;
      const found = store.lookup(key);
      if (found.state === "found" && !records.hasResult(key)) {
        records.transaction(() => records.addResult(found.result, carried.run.pipeline));
      }
    }
    onResult?.(++done, nodes.size);
  }
  addCarriedRun(records, carried);
  return { run: carried.run.id, results, there, bytes, lost };
}

/** Results that a run used or made, with a node of each. Data outside the store are no results. */
function resultsOf(records: Records, run: string): Map<Digest, string> {
  const found = new Map<Digest, string>();
  for (const { key, name, state } of records.nodes(run)) {
    if (key === null || state !== "ran" && state !== "cached") continue;
    const located = records.artifactsOfKey(key).some(({ artifact }) =>
      artifact.files.some(({ location }) => location !== undefined)
    );
    if (!located) found.set(key, name);
  }
  return found;
}

async function runOn(remote: Remote, name: string): Promise<RunBody> {
  const whole = /^\d{8}t\d{6}-[0-9a-f]{6}$/.test(name);
  const ids = whole ? [name] : await runIds(remote, name === "latest" ? "" : name);
  if (ids.length > 1 && name !== "latest") {
    throw new RetortError(
      "reference/ambiguous",
      `run ${name} is ambiguous: ${ids.length} runs begin with it`,
    );
  }
  // Ids tell the second in which runs began; of several in the newest, their records tell more.
  const second = ids.toSorted().at(-1)?.slice(0, "20260101t000000".length);
  const found: RunBody[] = [];
  for (const id of ids.filter((one) => name !== "latest" || one.startsWith(second!))) {
    const body = await runAt(remote, id);
    if (body !== undefined) found.push(body);
  }
  const newest = found.sort((a, b) => a.run.started - b.run.started).at(-1);
  if (newest !== undefined) return newest;
  throw new RetortError("remote/no-run", `${remote.url} has no run ${name}`, {
    hint: `\`retort push ${name} --remote URL\` puts it there, on the machine that has it.`,
  });
}

/** The record of a run; undefined where there is none. @throws RetortError for one that is damaged */
async function runAt(remote: Remote, id: string): Promise<RunBody | undefined> {
  const bytes = await wholeFile(remote, runPath(id));
  if (bytes === undefined) return undefined;
  const sealed = parseSealed(new TextDecoder().decode(bytes), RUN_FORMAT);
  if (sealed.state === "ok") return sealed.body as unknown as RunBody;
  if (remote.writable) await remote.setAside(runPath(id), `damaged/${id}.json`);
  throw new RetortError(
    "store/damaged",
    `the record of run ${id} on ${remote.url} is damaged: ${sealed.why}`,
    {
      hint: "Put the run there again, from the machine that has it.",
    },
  );
}

/** The ids of the runs on a remote that begin with a text. */
export async function runIds(remote: Remote, prefix = ""): Promise<string[]> {
  const ids: string[] = [];
  for await (const { path } of remote.list(`runs/${prefix}`)) {
    const id = /^runs\/(.+)\.json$/.exec(path)?.[1];
    if (id !== undefined) ids.push(id);
  }
  return ids;
}
