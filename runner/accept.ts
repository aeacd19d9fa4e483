import { CallError, RetortError } from "../foundation/errors.ts";
import { ancestors, type GraphNode } from "./graph.ts";
import { compareComponents, type KeyComponents, type Reason, reasonText } from "./key.ts";
import type { PlannedNode } from "./plan.ts";
import { selectNodes } from "./selection.ts";
import type { PipelineSession } from "./session.ts";
import type { Acceptance } from "./store/acceptance.ts";
import type { NodeResult } from "./store/store.ts";

/** Differences that somebody may know to be harmless: the stage computes the same from the same. */
const ACCEPTABLE: readonly Reason["kind"][] = ["code", "package", "source"];

/**
 * Records results of the code before a change as results of the code as it is now. Nodes that follow one of them find their results
 * again, since its bytes are the same; where their own code changed too, they have to be named as well.
 *
 * @returns the nodes that got a result, parents first.
 * @throws CallError with all faults at once: nodes that differ in more than code, or have nothing to accept.
 */
export async function acceptNodes(
  session: PipelineSession,
  patterns: readonly string[],
  { by, why }: Pick<Acceptance, "by" | "why">,
): Promise<{ readonly node: GraphNode; readonly accepted: Acceptance }[]> {
  const { planner, store, records, pipeline } = session;
  const chosen = new Set(selectNodes(pipeline.graph, patterns, "accept"));
  const when = new Date().toISOString();
  const faults: string[] = [];
  const made: { node: GraphNode; result: NodeResult & { readonly accepted: Acceptance } }[] = [];
  let plan = new Map<GraphNode, PlannedNode>();
  for (const node of ancestors([...session.targets, ...chosen])) {
    plan = await planner.plan([node], undefined, plan.values());
    if (!chosen.has(node)) continue;
    const { outputs, key, components } = plan.get(node)!;
    if (outputs !== undefined) {
      faults.push(`node \`${node.name}\` has a result already: there is nothing to accept`);
      continue;
    }
    if (key === undefined || components === undefined) {
      faults.push(`node \`${node.name}\`: what it needs has no result; accept or run that first`);
      continue;
    }
    const found = earlierResult(session, node, components);
    if (typeof found === "string") {
      faults.push(`node \`${node.name}\`: ${found}`);
      continue;
    }
    const changes = found.differs.map(reasonText);
    const accepted = { by, why, when, from: found.result.key, changes };
    const result = { ...found.result, key, components, node: node.name, finished: when, accepted };
    made.push({ node, result });
    plan.set(node, { node, status: "cached", reasons: [], key, components, outputs: result.outputs, result });
  }
  if (faults.length > 0) throw new CallError("run/not-acceptable", faults.join("\n"));
  for (const { result } of made) {
    if (!await store.commitWhole(result)) {
      throw new RetortError(
        "run/not-acceptable",
        `node \`${result.node}\`: its earlier result has just been dropped`,
        {
          hint: "Accept it once more.",
        },
      );
    }
    records.transaction(() => records.addResult(result, pipeline.name));
  }
  return made.map(({ node, result }) => ({ node, accepted: result.accepted }));
}

/** The newest result of a node that differs in nothing but code, or why there is none. */
function earlierResult(
  { records, store, pipeline }: PipelineSession,
  node: GraphNode,
  components: KeyComponents,
): { readonly result: NodeResult; readonly differs: readonly Reason[] } | string {
  let nearest: readonly Reason[] | undefined;
  for (const earlier of records.resultsOfNode(node.stage.name, pipeline.name, node.name)) {
    const differs = compareComponents(earlier.components, components);
    if (nearest === undefined || differs.length < nearest.length) nearest = differs;
    if (differs.some((reason) => !ACCEPTABLE.includes(reason.kind))) continue;
    const found = store.lookup(earlier.key);
    if (found.state === "found") return { result: found.result, differs };
  }
  if (nearest === undefined) return "it has no earlier result";
  const other = nearest.filter((reason) => !ACCEPTABLE.includes(reason.kind)).map(reasonText).join("; ");
  return other === ""
    ? "its earlier result is no longer in the store"
    : `not only its code differs: ${other}`;
}

/**
 * Takes back what was accepted: the nodes run again.
 *
 * @throws CallError for nodes whose results were made by their own code.
 */
export async function takeBack(session: PipelineSession, patterns: readonly string[]): Promise<GraphNode[]> {
  const nodes = selectNodes(session.pipeline.graph, patterns, "accept --no-accept");
  const plan = await session.planner.plan(ancestors([...session.targets, ...nodes]));
  const odd = nodes.filter((node) => plan.get(node)?.result?.accepted === undefined);
  if (odd.length > 0) {
    const faults = odd.map((node) =>
      `node \`${node.name}\` has no accepted result: there is nothing to take back`
    );
    throw new CallError("run/not-acceptable", faults.join("\n"));
  }
  for (const node of nodes) {
    const key = plan.get(node)!.key!;
    session.store.forget(key);
    session.records.transaction(() => session.records.dropResults([key]));
  }
  return nodes;
}
