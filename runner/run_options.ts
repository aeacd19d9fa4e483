import type { Digest } from "../foundation/canonical.ts";
import type { Artifact } from "./codec.ts";
import type { RunEvent } from "./event.ts";
import type { Executor } from "./execute/executor.ts";
import type { Graph, GraphNode, OutputRef } from "./graph.ts";
import type { PipelineQuestion } from "./headline.ts";
import type { PlannedNode, Planner } from "./plan.ts";
import type { Capacity } from "./pool.ts";
import type { Policies } from "./profile.ts";
import type { AskedOutputs } from "./remakes.ts";
import type { Records } from "./records/records.ts";
import type { RunRecord } from "./records/rows.ts";
import type { EngineChoice } from "./stage.ts";
import type { Store } from "./store/store.ts";
import type { CodeStore } from "./stored_code.ts";

/** What a pipeline has become, once the artifacts that its build waited for were there. */
export interface Grown {
  readonly graph: Graph;
  /** All nodes that the run makes now, parents first. */
  readonly nodes: readonly GraphNode[];
  readonly asked: PipelineQuestion | undefined;
}

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
  /** Whether nodes run on other machines. */
  readonly elsewhere?: boolean;
  /** Keeps the code of stages for workers that have none: see `CodeStore`. */
  readonly code?: CodeStore;
  readonly engine: EngineChoice;
  readonly adapter?: string;
  /** Path of the project's `deno.json`. */
  readonly config?: string;
  readonly record: RunRecord;
  /** Outputs that are asked for, besides what nodes of the run read: temporary ones of them are kept. */
  readonly wanted: () => AskedOutputs;
  /** Whether temporary outputs are kept. */
  readonly keepTemporary: boolean;
  /** The question that the run answers, if its pipeline asks one. */
  readonly asked?: PipelineQuestion | undefined;
  readonly onEvent: (event: RunEvent) => void;
  /** Aborted to stop the run: stages save their checkpoints and end. */
  readonly stop: AbortSignal;
  /** Called with the plan before anything runs; may refuse by throwing. */
  readonly approve?: (plan: ReadonlyMap<GraphNode, PlannedNode>) => void;
  /** Lets a pipeline that depends on data grow, unless it is stopped meanwhile; see {@link Grown}. */
  readonly grow?: (
    artifactOf: (source: OutputRef) => Artifact | undefined,
    stop: AbortSignal,
  ) => Promise<Grown | undefined>;
  /** Called with the key of every result that was made. */
  readonly made?: (key: Digest) => void;
  /** Validates a node's outputs. Returns an error message to fail the node. */
  readonly accept?: (node: GraphNode, outputs: Readonly<Record<string, Artifact>>) => string | undefined;
}
