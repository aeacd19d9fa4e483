import type { ErrorCode } from "../foundation/errors.ts";
import type { Artifact } from "./codec.ts";
import type { GraphNode, OutputRef } from "./graph.ts";
import type { Reason } from "./key.ts";
import type { RunStatus } from "./records/rows.ts";

/** Temporary outputs of a node that were dropped. */
export interface DroppedOutputs {
  readonly node: string;
  readonly outputs: readonly string[];
  /** What was freed. */
  readonly bytes: number;
}

/** The outcome of a node. */
export interface NodeOutcome {
  readonly node: GraphNode;
  readonly state: "cached" | "ran" | "failed" | "skipped" | "interrupted" | "unused";
  readonly outputs?: Readonly<Record<string, Artifact>>;
  /** Temporary outputs whose bytes are gone, with when they were dropped. */
  readonly dropped?: Readonly<Record<string, string>>;
  readonly key?: string;
  readonly reasons: readonly Reason[];
  readonly seconds?: number;
  /** Code of the error of a failed node. */
  readonly code?: ErrorCode;
  readonly error?: string;
  readonly hint?: string;
  /** Absolute path of the log, for nodes that ran. */
  readonly log?: string;
  /** For skipped nodes: the failed one. */
  readonly because?: GraphNode;
}

/** The outcome of a run. */
export interface RunSummary {
  readonly run: string;
  /** False on a read-only store: no command will know of this run. */
  readonly recorded: boolean;
  readonly status: RunStatus;
  readonly seconds: number;
  readonly nodes: readonly NodeOutcome[];
  /** The same by node. */
  readonly outcomes: ReadonlyMap<GraphNode, NodeOutcome>;
  /** Temporary outputs that it dropped. */
  readonly dropped: readonly DroppedOutputs[];
}

/** The artifact of a returned output, if its node completed: a run that was stopped while its pipeline grew lacks nodes. */
export function outputArtifact(summary: RunSummary, source: OutputRef): Artifact | undefined {
  return summary.outcomes.get(source.node)?.outputs?.[source.output];
}
