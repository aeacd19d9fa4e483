import { CallError, WrongCalls } from "../foundation/errors.ts";
import { didYouMean } from "../foundation/nearest.ts";
import { ancestors, type Graph, type GraphNode, type OutputRef, parentsOf } from "./graph.ts";

/** Which nodes of a pipeline to make, as patterns of {@link selectNodes}. Without any: all that it returns. */
export interface Selection {
  /** These nodes and what they need, instead of what the pipeline returns. */
  readonly only?: readonly string[];
  /** Of that, these nodes and what follows them. */
  readonly from?: readonly string[];
  /** Of that, these nodes and what they need. */
  readonly until?: readonly string[];
  /** Of that, all but these nodes and what follows them. */
  readonly except?: readonly string[];
}

/** The parts of a selection, as options of commands are called. */
const PARTS = ["only", "from", "until", "except"] as const;

/** What a selection chose. */
export interface Selected {
  /** With what they need, all that is made. */
  readonly targets: readonly GraphNode[];
  /** What the run shows at its end, by name: returned outputs, and outputs of targets that return none. */
  readonly outputs: ReadonlyMap<string, OutputRef>;
}

/** Whether a selection leaves the pipeline whole. */
export function selectsAll(selection: Selection): boolean {
  return PARTS.every((part) => (selection[part] ?? []).length === 0);
}

/**
 * The nodes that a selection makes. What a chosen node needs is made as well, whether it is chosen or not.
 *
 * @throws CallError for all patterns without a match, and where the parts leave no node.
 */
export function select(graph: Graph, selection: Selection): Selected {
  const patterns = (part: typeof PARTS[number]) => selection[part] ?? [];
  const wrong = new WrongCalls();
  const found = new Map(
    PARTS.map((part) => [part, wrong.try(() => selectNodes(graph, patterns(part), `--${part}`))!] as const),
  );
  wrong.throwAny();
  const picked = (part: typeof PARTS[number]) => found.get(part)!;
  const given = (part: typeof PARTS[number]) => patterns(part).length > 0;
  const wanted = given("only") ? picked("only") : [...graph.outputs.values()].map((source) => source.node);
  // The whole of a large pipeline takes no walk through it.
  if (wanted.length > 0 && selectsAll(selection)) {
    return { targets: [...new Set(wanted)], outputs: graph.outputs };
  }
  let chosen = ancestors(wanted);
  const keep = (nodes: Iterable<GraphNode>, kept: boolean) => {
    const set = new Set(nodes);
    chosen = chosen.filter((node) => set.has(node) === kept);
  };
  if (given("from")) keep(followers(graph, picked("from")), true);
  if (given("until")) keep(ancestors(picked("until")), true);
  if (given("except")) keep(followers(graph, picked("except")), false);
  if (chosen.length === 0) throw nothingLeft(graph, selection, wanted);
  const needed = new Set(chosen.flatMap(parentsOf));
  const targets = given("only") && PARTS.slice(1).every((part) => !given(part))
    ? [...new Set(wanted)]
    : chosen.filter((node) => !needed.has(node));
  const made = new Set(ancestors(targets));
  const returned = given("only") ? [] : [...graph.outputs].filter(([, source]) => made.has(source.node));
  const returning = new Set(returned.map(([, source]) => source.node));
  const shown = targets.filter((node) => !returning.has(node)).flatMap((node) =>
    Object.keys(node.stage.outputs).map((output) => [`${node.name}:${output}`, { node, output }] as const)
  );
  return { targets, outputs: new Map([...returned, ...shown]) };
}

function nothingLeft(graph: Graph, selection: Selection, wanted: readonly GraphNode[]): CallError {
  const call = PARTS.flatMap((part) => (selection[part] ?? []).map((pattern) => `--${part} ${pattern}`)).join(
    " ",
  );
  const after = selectNodes(graph, selection.from ?? [], "--from");
  const before = selectNodes(graph, selection.until ?? [], "--until");
  const told = [
    after.length > 0 && `What follows ${listed(after)}: ${listed(followers(graph, after))}.`,
    before.length > 0 && `What ${listed(before)} needs: ${listed(ancestors(before))}.`,
    `The run would make: ${listed(ancestors(wanted))}.`,
  ];
  return new CallError("graph/nothing-selected", `${call} leaves no node of the pipeline to make`, {
    hint: told.filter((one) => one !== false).join("\n"),
  });
}

/** Names in a line, of many the first. */
function listed(nodes: readonly GraphNode[]): string {
  const names = nodes.map((node) => node.name);
  return names.slice(0, 20).join(", ") + (names.length > 20 ? `, … (${names.length})` : "");
}

/** The given nodes and all that depend on them, parents first. */
export function followers(graph: Graph, nodes: Iterable<GraphNode>): GraphNode[] {
  const found = new Set(nodes);
  // Nodes are in topological order: one pass finds all.
  for (const node of graph.nodes) if (parentsOf(node).some((parent) => found.has(parent))) found.add(node);
  return [...found].sort((a, b) => a.index - b.index);
}

/**
 * The nodes that patterns match. A pattern is the exact name of a node; else it stands for names of nodes and of stages,
 * with `*` for any characters. `stage:PATTERN` stands for stages alone; `+` at the end adds what follows the nodes.
 *
 * @throws CallError for all patterns without a match, suggesting the nearest name.
 */
export function selectNodes(graph: Graph, patterns: readonly string[], flag: string): GraphNode[] {
  const chosen = new Set<GraphNode>();
  const wrong = new WrongCalls();
  for (const pattern of patterns) {
    const matched = matchingNodes(graph, pattern);
    if (matched.length === 0) wrong.add(unmatched(graph, pattern, flag));
    for (const node of matched) chosen.add(node);
  }
  wrong.throwAny();
  return [...chosen];
}

/** The nodes that a pattern of {@link selectNodes} matches; none where no node fits. */
export function matchingNodes(graph: Graph, pattern: string): GraphNode[] {
  const exact = graph.nodes.filter((node) => node.name === pattern);
  if (exact.length > 0) return exact;
  if (pattern.endsWith("+")) return followers(graph, matchingNodes(graph, pattern.slice(0, -1)));
  const stage = /^stage:(.+)$/s.exec(pattern)?.[1];
  const parts = (stage ?? pattern).split("*").map((part) => RegExp.escape(part));
  const expression = new RegExp(`^${parts.join(".*")}$`, "s");
  return graph.nodes.filter((node) =>
    expression.test(node.stage.name) || stage === undefined && expression.test(node.name)
  );
}

function unmatched(graph: Graph, pattern: string, flag: string): CallError {
  const word = pattern.replace(/\+$/, "").replace(/^stage:/, "");
  const stages = new Set(graph.nodes.map((node) => node.stage.name));
  const names = pattern.startsWith("stage:") ? [...stages] : graph.nodes.map((node) => node.name);
  return new CallError(
    "graph/unknown-node",
    `${flag} ${pattern}: the pipeline has no such node${didYouMean(word, new Set([...names, ...stages]))}`,
    {
      hint: `Its ${pattern.startsWith("stage:") ? "stages" : "nodes"}: ${names.slice(0, 20).join(", ")}${
        names.length > 20 ? `, … (${names.length})` : ""
      }${graph.awaited.length > 0 ? "; more is not known yet, since its build waits for artifacts" : ""}`,
    },
  );
}
