import type { GraphNode } from "./graph.ts";
import type { PlannedNode } from "./plan.ts";
import type { Records } from "./records/records.ts";
import { artifactSize } from "./store/artifacts.ts";

/** Bytes a second that one of several machines gets of a file system which they share, about. */
const PACE = 200e6;
/** A shard should compute so many times as long as it moves. */
const WORTH = 5;

/** What work in shards moves. */
export interface MovedWork {
  /** What its pipeline calls it. */
  readonly work: string;
  /** Nodes that a plan runs, or may run. */
  readonly nodes: number;
  /** Bytes that these move, about; undefined while an artifact that tells is not made. */
  readonly bytes: number | undefined;
  /** How often it goes through its shards. */
  readonly passes: number;
  /** The node whose artifact tells how much. */
  readonly told: string;
  /** Where a shard computes too little for what it moves. */
  readonly advice?: {
    /** Into how many the work is cut. */
    readonly shards: number;
    /** Seconds for which a shard computes, about, and for which it moves at the pace of a shared file system. */
    readonly computes: number;
    readonly moves: number;
    /** So many are worth it. */
    readonly better: number;
  };
}

/** Bytes that a planned node moves as a part of work in shards, as far as its plan tells. */
export function movedBytes(
  { moves }: GraphNode,
  plan: ReadonlyMap<GraphNode, PlannedNode>,
): number | undefined {
  const artifact = moves && plan.get(moves.like.node)?.outputs?.[moves.like.output];
  return artifact && moves.times * artifactSize(artifact);
}

/**
 * What the work in shards of a plan moves: estimates from sizes of artifacts that are made, and of how long shards compute from earlier
 * results of the same pipeline.
 */
export function movedWork(
  plan: ReadonlyMap<GraphNode, PlannedNode>,
  records: Records,
  pipeline: string,
): MovedWork[] {
  const planned = [...plan.values()].filter(({ node, status }) =>
    node.moves !== undefined && status !== "cached"
  );
  const works = Map.groupBy(planned, ({ node }) => `${node.moves!.like.node.name} ${node.moves!.work}`);
  return [...works.values()].map((some) => {
    const { work, like } = some[0]!.node.moves!;
    const sizes = some.map(({ node }) => movedBytes(node, plan));
    const bytes = sizes.reduce<number | undefined>(
      (sum, size) => sum === undefined || size === undefined ? undefined : sum + size,
      0,
    );
    const shards = some.filter(({ node }) => node.moves!.shards !== undefined);
    const shard = shards.at(-1)?.node;
    const advice = shard && adviceFor(shard, plan, records, pipeline);
    const passes = shard === undefined ? 1 : shards.length / shard.moves!.shards!;
    return { work, nodes: some.length, bytes, passes, told: like.node.name, ...(advice && { advice }) };
  });
}

/** What the newest earlier result of the same work says, whatever the number of its shards. */
function adviceFor(
  shard: GraphNode,
  plan: ReadonlyMap<GraphNode, PlannedNode>,
  records: Records,
  pipeline: string,
): MovedWork["advice"] {
  const { like, shards = 1 } = shard.moves!;
  const bytes = movedBytes(shard, plan);
  if (bytes === undefined) return undefined;
  const { digest } = plan.get(like.node)!.outputs![like.output]!;
  const moves = bytes / PACE;
  for (const { key, components } of records.resultsOfStage(shard.stage.name, pipeline)) {
    const before = components.params.shards, seconds = records.secondsOfKey(key);
    const same = Object.values(components.inputs).includes(digest);
    if (!same || typeof before !== "number" || seconds === undefined) continue;
    const all = before * Math.max(0, seconds - moves), computes = all / shards;
    const better = Math.max(1, Math.floor(all / (WORTH * moves)));
    return computes < WORTH * moves && better < shards ? { shards, computes, moves, better } : undefined;
  }
  return undefined;
}
