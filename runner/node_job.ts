import type { Artifact } from "./codec.ts";
import { placed } from "./declaration.ts";
import type { Job } from "./execute/job.ts";
import type { GraphNode, OutputRef } from "./graph.ts";
import { mapInputs } from "./inputs.ts";
import type { PlannedNode } from "./plan.ts";
import type { NodePolicy } from "./policy.ts";
import type { NodeRecord } from "./records/rows.ts";

/** The part of a job that the node itself and its inputs determine. */
export function jobOf(
  node: GraphNode,
  planned: PlannedNode,
  artifactOf: (source: OutputRef) => Artifact,
  policy: NodePolicy,
): Omit<Job, "run" | "pipeline" | "engine" | "store" | "mode"> {
  return {
    node: node.name,
    ...placed(node.stage),
    params: node.params,
    inputs: mapInputs(node.inputs, artifactOf),
    key: planned.key!,
    components: planned.components!,
    seed: planned.components!.seed ?? null,
    timeout: policy.time ?? null,
    memory: policy.memory ?? null,
    cores: policy.cores ?? 1,
    gpus: policy.gpus,
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
    code: null,
    engine: null,
  };
}
