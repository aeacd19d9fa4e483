import { fileURLToPath } from "node:url";
import {
  byCodeUnit,
  canonicalText,
  type Digest,
  type JsonObject,
  type JsonValue,
} from "../foundation/canonical.ts";
import type { Artifact } from "./codec.ts";
import { CallError, messageOf, RetortError } from "../foundation/errors.ts";
import { ancestors, type GraphNode } from "./graph.ts";
import { keyOf } from "./key.ts";
import { locateArtifact } from "./locate.ts";
import type { RunSummary } from "./run_summary.ts";
import type { PipelineSession } from "./session.ts";

/** Format of lock files. */
const FORMAT = 1;

/** A locked node. */
interface LockedNode {
  readonly stage: string;
  readonly key: Digest;
  /** The code's fingerprint. */
  readonly code: Digest;
  readonly params: JsonObject;
  readonly outputs: Readonly<Record<string, Digest>>;
}

/** The content of a lock file: sorted and independent of the machine, so that it can be reviewed. */
export interface LockFile {
  readonly format: number;
  readonly pipeline: string;
  readonly params: JsonObject;
  readonly seed: number;
  /** Digests of data outside the store, by node and file. */
  readonly data: Readonly<Record<string, Readonly<Record<string, Digest>>>>;
  /** npm packages that the stages import. */
  readonly packages: Readonly<Record<string, string>>;
  readonly nodes: Readonly<Record<string, LockedNode>>;
}

/** Path of a pipeline's lock file: `NAME.lock.json` beside the pipeline file. */
export function lockFilePath(pipelineFile: URL): string {
  return fileURLToPath(pipelineFile).replace(/\.[cm]?[jt]sx?$/, "") + ".lock.json";
}

/**
 * Writes the lock file of a run that is done.
 *
 * @throws RetortError when the run is not done in all its nodes.
 */
export async function writeLockFile(session: PipelineSession, summary: RunSummary): Promise<string> {
  if (summary.status !== "done") {
    throw new RetortError("lock-file/not-written", "no lock file was written: the run is not done");
  }
  const nodes: Record<string, LockedNode> = {};
  const data: Record<string, Record<string, Digest>> = {};
  const packages: Record<string, string> = {};
  const digests = new Map(summary.nodes.map((outcome) => [outcome.node, outcome.outputs!]));
  for (const { node, outputs } of summary.nodes) {
    if (node.stage.locate !== undefined) {
      data[node.name] = Object.fromEntries(outputs!.files!.files.map((file) => [file.name, file.digest]));
      continue;
    }
    const components = await session.planner.components(
      node,
      (source) => digests.get(source.node)![source.output]!.digest,
    );
    Object.assign(packages, components.code.packages);
    nodes[node.name] = {
      stage: node.stage.name,
      key: keyOf(components),
      code: components.code.digest,
      params: node.params,
      outputs: Object.fromEntries(
        Object.entries(outputs!).map(([name, artifact]) => [name, artifact.digest]),
      ),
    };
  }
  const lock: LockFile = {
    format: FORMAT,
    pipeline: session.pipeline.name,
    params: session.pipeline.params,
    seed: session.seed,
    data,
    packages,
    nodes,
  };
  const path = lockFilePath(session.url);
  const text = `${JSON.stringify(sorted(lock as unknown as JsonValue), null, 2)}\n`;
  const temp = `${path}.${Deno.pid}.tmp`;
  try {
    await Deno.writeTextFile(temp, text);
    await Deno.rename(temp, path);
  } catch (error) {
    await Deno.remove(temp).catch(() => {});
    throw new RetortError(
      "lock-file/not-written",
      `cannot write the lock file ${path}: ${messageOf(error)}`,
      { cause: error },
    );
  }
  return path;
}

function sorted(value: JsonValue): JsonValue {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.keys(value).sort(byCodeUnit).map((key) => [key, sorted(value[key]!)]));
}

/**
 * Reads a pipeline's lock file.
 *
 * @throws CallError when it is missing or cannot be read.
 */
export function readLockFile(pipelineFile: URL): LockFile {
  const path = lockFilePath(pipelineFile);
  let lock: LockFile;
  try {
    lock = JSON.parse(Deno.readTextFileSync(path));
  } catch (error) {
    const missing = error instanceof Deno.errors.NotFound;
    throw new CallError(
      "lock-file/unusable",
      missing ? `--frozen: there is no lock file ${path}` : `${path}: ${messageOf(error)}`,
      { hint: "Write one with --lock, once, from a run that you trust.", cause: error },
    );
  }
  if (lock.format !== FORMAT) {
    throw new CallError(
      "lock-file/unusable",
      `${path} has format ${lock.format}; this version of Retort reads ${FORMAT}`,
    );
  }
  return lock;
}

/**
 * Lists the differences between a lock file and what a run would do. Every key is checked before anything runs;
 * outputs that do not exist yet are assumed to be those in the lock file.
 */
export async function lockFaults(session: PipelineSession, lock: LockFile): Promise<string[]> {
  const faults: string[] = [];
  const differs = (what: string, locked: unknown, now: unknown) => {
    const text = (value: unknown) => value === undefined ? "none" : canonicalText(value as JsonValue);
    if (text(locked) !== text(now)) faults.push(`${what}: locked ${text(locked)}, now ${text(now)}`);
  };
  differs("pipeline", lock.pipeline, session.pipeline.name);
  differs("parameters", lock.params, session.pipeline.params);
  differs("seed", lock.seed, session.seed);
  const nodes = ancestors(session.targets);
  const packages: Record<string, string> = {};
  const located = new Map<GraphNode, Digest>();
  for (const node of nodes) {
    if (node.stage.locate !== undefined) {
      const artifact = await locateArtifact(node, session.records.fileDigests);
      located.set(node, artifact.digest);
      const now = Object.fromEntries(artifact.files.map((file) => [file.name, file.digest]));
      const locked = lock.data[node.name] ?? {};
      for (const name of new Set([...Object.keys(locked), ...Object.keys(now)])) {
        differs(`data of \`${node.name}\`, file ${name}`, locked[name], now[name]);
      }
      continue;
    }
    const locked = lock.nodes[node.name];
    const components = await session.planner.components(
      node,
      (source) => located.get(source.node) ?? lock.nodes[source.node.name]?.outputs[source.output] ?? "",
    );
    Object.assign(packages, components.code.packages);
    if (locked === undefined) {
      faults.push(`node \`${node.name}\` is not in the lock file`);
      continue;
    }
    if (keyOf(components) === locked.key) continue;
    const before = faults.length;
    differs(`node \`${node.name}\`, stage`, locked.stage, node.stage.name);
    differs(`node \`${node.name}\`, code`, locked.code.slice(0, 12), components.code.digest.slice(0, 12));
    for (const name of new Set([...Object.keys(locked.params), ...Object.keys(node.params)])) {
      differs(`node \`${node.name}\`, parameter ${name}`, locked.params[name], node.params[name]);
    }
    if (faults.length === before) {
      faults.push(
        `node \`${node.name}\`: its inputs, seed, engine, environment variables or packages differ`,
      );
    }
  }
  for (const name of new Set([...Object.keys(lock.packages), ...Object.keys(packages)])) {
    // A run of a part of the pipeline imports a part of the packages.
    if (packages[name] !== undefined) differs(`package ${name}`, lock.packages[name], packages[name]);
  }
  return faults;
}

/** Why outputs differ from the lock file, or undefined if they do not. */
export function outputFault(
  lock: LockFile,
  node: GraphNode,
  outputs: Readonly<Record<string, Artifact>>,
): string | undefined {
  for (const [name, artifact] of Object.entries(outputs)) {
    const promised = lock.nodes[node.name]?.outputs[name];
    if (artifact.digest !== promised) {
      return `output \`${name}\` is ${artifact.digest.slice(0, 12)}, but the lock file promises ` +
        `${promised?.slice(0, 12)}: the stage does not give the same bytes here`;
    }
  }
  return undefined;
}
