import type { JsonObject } from "../foundation/canonical.ts";
import { RetortError } from "../foundation/errors.ts";
import { didYouMean } from "../foundation/nearest.ts";
import type { Job } from "./execute/job.ts";
import { digestBytes } from "../foundation/canonical.ts";
import { fileNameOf } from "./logs.ts";
import { removeQuietly } from "../foundation/atomic.ts";
import { readSealed, writeSealed } from "./store/sealed.ts";
import { ownEntries } from "./store/own.ts";
import { guardedSync } from "../foundation/faults.ts";
import type { Store } from "./store/store.ts";

/** Format of a workspace's record. */
const FORMAT = 1;

/** Everything needed to run a failed node again. */
export interface NodeWorkspace {
  readonly job: Job;
  /** Code of the error; older versions of Retort kept none. */
  readonly code?: string;
  readonly error: string;
  /** Absolute path of the failed execution's log. */
  readonly log: string;
  /** Path of the workspace. */
  readonly folder: string;
}

function folderOf(store: Store, node: string): string {
  // The digest tells apart node names that map to the same file name.
  return `${store.root}/workspaces/${fileNameOf(node)}-${digestBytes(node).slice(0, 8)}`;
}

/** Writes a workspace for a failed node, replacing the previous one of that name. */
export function writeWorkspace(
  store: Store,
  job: Job,
  failure: { code: string; error: string; log: string },
): void {
  const folder = folderOf(store, job.node);
  try {
    guardedSync("making", folder, () => Deno.mkdirSync(folder, { recursive: true }));
    writeSealed(store.tmp, `${folder}/workspace.json`, FORMAT, { job, ...failure } as unknown as JsonObject);
  } catch {
    // On a full disk the failure is still reported; only `repro` will not find it.
  }
}

/** Removes a node's workspace, because the node has succeeded since. */
export function dropWorkspace(store: Store, node: string): void {
  removeQuietly(folderOf(store, node));
}

/**
 * The workspace of a node's last failure.
 *
 * @throws RetortError when there is none, with the nearest name that has one.
 */
export function readWorkspace(store: Store, node: string): NodeWorkspace {
  const folder = folderOf(store, node);
  const sealed = readSealed(`${folder}/workspace.json`, FORMAT);
  if (sealed.state === "ok") return { ...sealed.body as unknown as NodeWorkspace, folder };
  const names = listWorkspaces(store).map((workspace) => workspace.job.node);
  throw new RetortError(
    "workspace/unusable",
    sealed.state !== "missing"
      ? `the workspace of node \`${node}\` cannot be used: ${sealed.why}`
      : `node \`${node}\` has not failed in this store${didYouMean(node, names)}`,
    { exitCode: 2, hint: names.length === 0 ? "No node has." : `Failed nodes: ${names.join(", ")}` },
  );
}

/** All workspaces of a store. */
export function listWorkspaces(store: Store): NodeWorkspace[] {
  return ownEntries(store.root, "workspaces").flatMap((name) => {
    const folder = `${store.root}/workspaces/${name}`;
    const sealed = readSealed(`${folder}/workspace.json`, FORMAT);
    return sealed.state === "ok" ? [{ ...sealed.body as unknown as NodeWorkspace, folder }] : [];
  });
}
