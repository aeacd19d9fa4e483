import { outputName } from "./awaited.ts";
import type { Artifact } from "./codec.ts";
import { type ErrorCode, RetortError } from "../foundation/errors.ts";
import { ancestors, type GraphNode } from "./graph.ts";
import type { Outcome } from "./execute/job.ts";
import { jobOf } from "./node_job.ts";
import type { PipelineSession } from "./session.ts";
import { lock } from "../foundation/locks.ts";
import { turns } from "../foundation/turns.ts";
import type { Acceptance } from "./store/acceptance.ts";
import { type OnStranger, ownEntries, type Stranger } from "./store/own.ts";
import type { PlannedNode } from "./plan.ts";
import { DropBatch } from "./store/drop_batch.ts";
import { HeldResults } from "./store/held.ts";
import { ObjectUses } from "./store/object_uses.ts";
import type { Store } from "./store/store.ts";

/** The result of re-hashing a store. */
export interface StoreCheck {
  readonly objects: number;
  readonly bytes: number;
  readonly results: number;
  /** Temporary outputs that were dropped: no fault. */
  readonly dropped: number;
  /** One line per fault: which object or result, and what is wrong. Damaged ones have been set aside. */
  readonly faults: readonly string[];
  /** Files in the store's folder that do not belong to the store; they were left alone. */
  readonly strangers: readonly Stranger[];
}

/**
 * Re-hashes every object and reads every result of a store. Damaged ones are set aside, so that the next run
 * recomputes them.
 */
export async function verifyStore(
  store: Store,
  options: { signal?: AbortSignal; onProgress?: (bytes: number, total: number) => void } = {},
): Promise<StoreCheck> {
  using _shared = await lock(`${store.root}/store.lock`, { mode: "shared" });
  const faults: string[] = [];
  const strangers = store.strangers();
  const onStranger: OnStranger = (stranger) => void strangers.push(stranger);
  const all = [...store.blobs.list(onStranger)];
  const total = all.reduce((sum, object) => sum + object.size, 0);
  let bytes = 0;
  for (const { digest, size } of all) {
    options.signal?.throwIfAborted();
    const fault = await store.blobs.fault(digest);
    if (fault !== undefined && fault !== "it is missing") {
      const aside = store.blobs.setAside(digest);
      faults.push(`object ${digest}: ${fault}${aside ? " (set aside)" : ""}`);
    }
    bytes += size;
    options.onProgress?.(bytes, total);
  }
  let results = 0;
  let dropped = 0;
  const turn = turns();
  for (const key of [...store.keys(onStranger)]) {
    await turn();
    options.signal?.throwIfAborted();
    results++;
    const found = store.lookup(key);
    if (found.state === "found") dropped += Object.keys(found.result.dropped ?? {}).length;
    if (found.state === "damaged") faults.push(`result ${key}: ${found.why}`);
  }
  for (const folder of ["checkpoints", "runs", "workspaces", "locks", "damaged", "tmp"] as const) {
    ownEntries(store.root, folder, onStranger);
  }
  return { objects: all.length, bytes, results, dropped, faults, strangers };
}

/** The result of re-running a node. */
export interface NodeCheck {
  readonly node: string;
  /** `missing`: there is no result to compare with. */
  readonly state: "same" | "different" | "failed" | "missing";
  /** What differs or why it failed. */
  readonly detail: string;
  /** Code of the error of a failed node. */
  readonly code?: ErrorCode;
  /** What to do about it, where there is advice. */
  readonly hint?: string;
}

/**
 * Reruns every node of a pipeline and compares the output bytes with the store. Nothing is recorded.
 *
 * @throws RetortError on a read-only store: stages write into its folder for unfinished files.
 * @param options.jobs worker processes; 0 executes in this process.
 */
export async function verifyByExecution(
  session: PipelineSession,
  options: { jobs: number; signal: AbortSignal; onNode?: (check: NodeCheck) => void },
): Promise<NodeCheck[]> {
  if (session.store.readOnly) {
    throw new RetortError(
      "store/read-only",
      `the store ${session.store.root} cannot be written, and nodes that run again write into it`,
      {
        hint:
          "Make it writable, or verify a copy: --store DIR. Without --execute every object is hashed again.",
      },
    );
  }
  using _shared = await lock(`${session.store.root}/store.lock`, { mode: "shared" });
  const kind = session.executorFor(options.jobs);
  await using executor = kind.open(Math.min(1, options.jobs));
  const codes = kind.elsewhere ? session.codeStore() : undefined;
  options.signal.addEventListener("abort", () => executor.stop(), { once: true });
  const checks: NodeCheck[] = [];
  const plan = await session.plan(options.signal);
  const nodes = ancestors(session.targets).filter(({ stage }) => stage.locate === undefined);
  const made = nodes.filter((node) => plan.get(node)!.outputs !== undefined);
  await codes?.keep(made.map(({ stage }) => stage));
  for (const node of nodes) {
    options.signal.throwIfAborted();
    const planned = plan.get(node)!;
    let check: NodeCheck;
    if (planned.outputs === undefined) {
      check = {
        node: node.name,
        state: "missing",
        detail: "there is no result in the store: run the pipeline first",
      };
    } else {
      const artifactOf = (source: { node: GraphNode; output: string }) =>
        plan.get(source.node)!.outputs![source.output]!;
      const code = await codes?.of(node.stage);
      const outcome = await executor.execute(
        {
          ...jobOf(node, planned, artifactOf, session.policies.of(node)),
          run: "verify",
          pipeline: session.pipeline.name,
          engine: session.engine,
          ...(session.adapter === undefined ? {} : { adapter: session.adapter }),
          config: session.project.config,
          ...(code === undefined ? {} : { code }),
          store: session.store.root,
          mode: "check",
        },
        node.stage.engine !== undefined,
        () => {},
      );
      if (outcome.kind === "interrupted") throw new RetortError("run/interrupted", "interrupted");
      check = outcome.kind === "done"
        ? judged(compare(node.name, planned.outputs, outcome.result.outputs), planned.result?.accepted)
        : failed(node.name, outcome);
    }
    checks.push(check);
    options.onNode?.(check);
  }
  await dropAgain(session.store, plan.values());
  const { awaited } = session.pipeline.graph;
  if (awaited.length > 0) {
    const detail = `not known yet: the build waits for ${awaited.map(outputName).join(", ")}`;
    checks.push({ node: "…", state: "missing", detail });
    options.onNode?.(checks.at(-1)!);
  }
  return checks;
}

/** Drops what was made again so that its readers could be checked, unless a run needs it by now. */
async function dropAgain(store: Store, plan: Iterable<PlannedNode>): Promise<void> {
  const gone = [...plan].filter(({ result }) => result?.dropped !== undefined);
  if (gone.length === 0) return;
  using held = new HeldResults(store);
  using _dropping = await store.dropping();
  const uses = new ObjectUses(store);
  await uses.refresh();
  using batch = new DropBatch(store, uses);
  for (const { key, result } of gone) batch.add(key!, Object.keys(result!.dropped!));
  await batch.sync();
  for (const { key } of gone) await held.alone(key!, () => void batch.drop(key!));
}

function failed(node: string, outcome: Exclude<Outcome, { kind: "done" | "interrupted" }>): NodeCheck {
  if (outcome.kind === "elsewhere") return { node, state: "failed", detail: outcome.kind };
  const hint = outcome.kind === "failed" ? outcome.hint : undefined;
  const { code, error } = outcome;
  return { node, state: "failed", detail: error, code, ...(hint !== undefined && { hint }) };
}

/** What is known now of a change of code that somebody called harmless. */
function judged(check: NodeCheck, accepted: Acceptance | undefined): NodeCheck {
  if (accepted === undefined) return check;
  const said = `${accepted.by} accepted a change of code (${accepted.why})`;
  return check.state === "same"
    ? { ...check, detail: `${said}: it is harmless` }
    : { ...check, detail: `${check.detail}; ${said}: it is not harmless` };
}

function compare(
  node: string,
  kept: Readonly<Record<string, Artifact>>,
  again: Readonly<Record<string, Artifact>>,
): NodeCheck {
  const differences: string[] = [];
  for (const [name, artifact] of Object.entries(kept)) {
    const other = again[name]!;
    if (artifact.digest === other.digest) continue;
    const files = new Map(other.files.map((file) => [file.name, file.digest]));
    const changed = artifact.files.filter((file) => files.get(file.name) !== file.digest).map((file) =>
      file.name
    );
    differences.push(
      `output \`${name}\`${changed.length > 0 ? ` in ${changed.join(", ")}` : " in its facts or files"}`,
    );
  }
  return differences.length === 0
    ? { node, state: "same", detail: "" }
    : { node, state: "different", detail: `other bytes: ${differences.join("; ")}` };
}
