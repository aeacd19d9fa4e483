import type { GraphNode, OutputRef } from "./graph.ts";
import { eachInput } from "./inputs.ts";
import type { Dropped } from "./key.ts";
import type { PlannedNode } from "./plan.ts";

/** Outputs by node: those that somebody asks for, not only nodes of the run. */
export type AskedOutputs = ReadonlyMap<GraphNode, ReadonlySet<string>>;

/** Outputs by node. */
export function askedOutputs(sources: Iterable<OutputRef>): AskedOutputs {
  const asked = new Map<GraphNode, Set<string>>();
  for (const { node, output } of sources) {
    if (!asked.has(node)) asked.set(node, new Set());
    asked.get(node)!.add(output);
  }
  return asked;
}

interface Need {
  readonly outputs: Set<string>;
  readonly nodes: Set<string>;
  /** False where it is needed only if a node runs that may turn out to be cached. */
  certain: boolean;
}

/**
 * The plan with what has to be made again: from the nodes that run back to dropped outputs that they need, and to what these need in
 * their turn.
 *
 * @param plan parents first.
 */
export function withRemakes(
  plan: ReadonlyMap<GraphNode, PlannedNode>,
  asked: AskedOutputs,
): Map<GraphNode, PlannedNode> {
  const needs = new Map<GraphNode, Need>();
  const need = (node: GraphNode, output: string, by: string | undefined, certain: boolean) => {
    if (plan.get(node)?.result?.dropped?.[output] === undefined) return;
    const found = needs.get(node) ?? { outputs: new Set(), nodes: new Set(), certain: false };
    needs.set(node, found);
    found.outputs.add(output);
    if (by !== undefined) found.nodes.add(by);
    found.certain ||= certain;
  };
  for (const [node, planned] of [...plan].reverse()) {
    for (const output of asked.get(node) ?? []) need(node, output, undefined, true);
    const own = needs.get(node);
    const runs = planned.status === "run" || own?.certain === true;
    if (!runs && planned.status === "cached" && own === undefined) continue;
    for (const [, source] of eachInput(node.inputs)) need(source.node, source.output, node.name, runs);
  }
  if (needs.size === 0) return new Map(plan);
  return new Map(
    [...plan].map(([node, planned]): [GraphNode, PlannedNode] => {
      const found = needs.get(node);
      if (found === undefined) return [node, planned];
      const reason: Dropped = {
        kind: "dropped",
        outputs: [...found.outputs],
        nodes: [...found.nodes].reverse(),
        seconds: planned.result!.seconds,
      };
      return [
        node,
        found.certain
          ? { ...planned, status: "run", reasons: [reason], remake: reason }
          : { ...planned, remakeIf: reason },
      ];
    }),
  );
}
