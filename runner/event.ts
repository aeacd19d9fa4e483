import type { ErrorCode } from "../foundation/errors.ts";
import type { Artifact } from "./codec.ts";
import type { GraphNode } from "./graph.ts";
import type { Reason } from "./key.ts";
import type { PlannedNode } from "./plan.ts";
import type { RunStatus } from "./records/rows.ts";

/** What happens in a run. The runner emits these; whoever shows a run only renders them. */
export type RunEvent =
  | {
    readonly type: "run-start";
    readonly run: string;
    readonly plan: readonly PlannedNode[];
    readonly folder: string;
  }
  /** The artifacts that the build waited for are there: more nodes are known. */
  | { readonly type: "run-grown"; readonly plan: readonly PlannedNode[] }
  | {
    readonly type: "node-start";
    readonly node: GraphNode;
    readonly reasons: readonly Reason[];
    readonly log: string;
  }
  | { readonly type: "node-waiting"; readonly node: GraphNode; readonly for?: string }
  | { readonly type: "node-log"; readonly node: GraphNode; readonly text: string }
  | {
    readonly type: "node-progress";
    readonly node: GraphNode;
    readonly done: number;
    readonly total?: number;
    readonly unit?: string;
  }
  | {
    readonly type: "node-metric";
    readonly node: GraphNode;
    readonly name: string;
    readonly value: number | null;
    readonly step?: number;
  }
  | {
    readonly type: "node-done";
    readonly node: GraphNode;
    /** `cached`: a result was there; `ran`: computed now; `elsewhere`: another run computed it meanwhile. */
    readonly how: "cached" | "ran" | "elsewhere";
    readonly seconds: number;
    readonly outputs: Readonly<Record<string, Artifact>>;
  }
  | {
    readonly type: "node-failed";
    readonly node: GraphNode;
    readonly code: ErrorCode;
    readonly error: string;
    readonly log: string;
  }
  | {
    readonly type: "node-retry";
    readonly node: GraphNode;
    readonly code: ErrorCode;
    readonly error: string;
    /** Which attempt failed, the first being 1, and how many there may be. */
    readonly attempt: number;
    readonly attempts: number;
    /** Seconds until the next. */
    readonly wait: number;
  }
  | { readonly type: "node-skipped"; readonly node: GraphNode; readonly because: GraphNode }
  | { readonly type: "node-interrupted"; readonly node: GraphNode }
  | { readonly type: "node-again"; readonly node: GraphNode; readonly why: string }
  /** All that read temporary outputs is recorded: they were deleted. */
  | {
    readonly type: "node-dropped";
    readonly node: GraphNode;
    readonly outputs: readonly string[];
    readonly bytes: number;
  }
  | { readonly type: "drop-failed"; readonly node: GraphNode; readonly error: string }
  /** Something about the second level of the store. */
  | { readonly type: "remote"; readonly text: string }
  | { readonly type: "stopping" }
  | { readonly type: "run-end"; readonly run: string; readonly status: RunStatus; readonly seconds: number };
