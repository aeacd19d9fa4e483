import type { Artifact } from "./codec.ts";
import type { RunEvent } from "./event.ts";
import type { Executor } from "./execute/executor.ts";
import type { Graph, GraphNode } from "./graph.ts";
import type { PipelineQuestion } from "./headline.ts";
import type { PlannedNode, Planner } from "./plan.ts";
import type { Capacity } from "./pool.ts";
import type { Policies } from "./profile.ts";
import type { Records } from "./records/records.ts";
import type { RunRecord } from "./records/rows.ts";
import type { EngineChoice } from "./stage.ts";
import type { Store } from "./store/store.ts";

/** What a run needs, and its listeners. */
export interface GraphRunOptions {
  readonly store: Store;
  readonly records: Records;
  readonly graph: Graph;
  /** The nodes to make, with what they need; all returned outputs by default. */
  readonly targets: readonly GraphNode[];
  readonly planner: Planner;
  readonly executor: Executor;
  /** How nodes run. */
  readonly policies: Policies;
  /** What they share. */
  readonly capacity: Capacity;
  readonly engine: EngineChoice;
  readonly adapter?: string;
  /** Path of the project's `deno.json`. */
  readonly config?: string;
  readonly record: RunRecord;
  /** The question that the run answers, if its pipeline asks one. */
  readonly asked?: PipelineQuestion | undefined;
  readonly onEvent: (event: RunEvent) => void;
  /** Aborted to stop the run: stages save their checkpoints and end. */
  readonly stop: AbortSignal;
  /** Called with the plan before anything runs; may refuse by throwing. */
  readonly approve?: (plan: ReadonlyMap<GraphNode, PlannedNode>) => void;
  /** Validates a node's outputs. Returns an error message to fail the node. */
  readonly accept?: (node: GraphNode, outputs: Readonly<Record<string, Artifact>>) => string | undefined;
}
