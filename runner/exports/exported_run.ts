import { createHash } from "node:crypto";
import { type JsonValue } from "../../foundation/canonical.ts";
import { flat, measuredNodes } from "../compare.ts";
import type { Records } from "../records/records.ts";
import type { MetricRecord, NodeRecord, RunRecord } from "../records/rows.ts";

/** A file of an export, by its path inside. */
export interface ExportedFile {
  readonly path: string;
  readonly content: string | Uint8Array;
}

/** A node of a run with all that it measured. */
export interface NodeFacts {
  readonly node: NodeRecord;
  /** Curves and last values as they were recorded, by whichever run computed the result. */
  readonly metrics: readonly MetricRecord[];
  /** What metrics and numbers of small outputs came to. */
  readonly values: Readonly<Record<string, number | null>>;
}

/** What a run has to tell other programs. */
export interface ExportedRun {
  readonly run: RunRecord;
  readonly params: readonly (readonly [name: string, value: JsonValue])[];
  readonly nodes: readonly NodeFacts[];
}

/** Gathers what other programs are told of a run. */
export function exportedRun(records: Records, run: RunRecord): ExportedRun {
  const own = Map.groupBy(records.metrics(run.id), (one) => one.node);
  const nodes = measuredNodes(records, run).map(({ node, values }): NodeFacts => ({
    node,
    values,
    metrics: node.key === null ? own.get(node.name) ?? [] : records.metricsOfKey(node.key),
  }));
  return { run, params: flat(run.params), nodes };
}

/** 32 hexadecimal digits that stand for a run, or a node of it, wherever it is exported. */
export function exportedId(...names: readonly string[]): string {
  return createHash("sha256").update(JSON.stringify(names)).digest("hex").slice(0, 32);
}
