import type { Artifact } from "./codec.ts";
import { placed } from "./declaration.ts";
import type { Job } from "./execute/job.ts";
import type { GraphNode, OutputRef } from "./graph.ts";
import type { PlannedNode } from "./plan.ts";
import type { NodeRecord } from "./records/rows.ts";

/** The part of a job that the node itself and its inputs determine. */
export function jobOf(
  node: GraphNode,
  planned: PlannedNode,
  artifactOf: (source: OutputRef) => Artifact,
): Omit<Job, "run" | "pipeline" | "engine" | "store" | "mode"> {
  const isList = (input: OutputRef | readonly OutputRef[]): input is readonly OutputRef[] =>
    Array.isArray(input);
  return {
    node: node.name,
    ...placed(node.stage),
    params: node.params,
    inputs: Object.fromEntries(
      Object.entries(node.inputs).map(([name, input]) => [
        name,
        isList(input) ? input.map(artifactOf) : artifactOf(input),
      ]),
    ),
    key: planned.key!,
    components: planned.components!,
    seed: planned.components!.seed ?? null,
    timeout: node.timeout ?? null,
  };
}

/** What a run records of a node before anything has come of it. */
export function nodeRecord(run: string, node: GraphNode, planned: PlannedNode): NodeRecord {
  return {
    run,
    position: node.index,
    name: node.name,
    stage: node.stage.name,
    params: node.params,
    state: "pending",
    key: planned.key ?? null,
    reasons: planned.reasons,
    started: null,
    seconds: null,
    log: null,
    error: null,
    engine: null,
  };
}
