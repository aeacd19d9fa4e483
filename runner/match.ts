import { canonicalText, digestJson, type JsonValue } from "../foundation/canonical.ts";
import type { ArmRecord, EdgeRecord, NodeRecord } from "./records/rows.ts";

/** The nodes of a run with what places them in its graph. */
export interface PlacedNodes {
  readonly nodes: readonly NodeRecord[];
  readonly edges: readonly EdgeRecord[];
  readonly arms: readonly ArmRecord[];
}

/** Nodes of several runs that stand for one another; undefined where a run has none. */
export interface MatchedNodes {
  readonly stage: string;
  /** What they are called: their name where it is one, with `…` for what differs in it. */
  readonly name: string;
  readonly nodes: readonly (NodeRecord | undefined)[];
}

/** How many likenesses a node has. */
const LEVELS = 7;

/** What a node is like, the more telling first: nodes are matched by the first that finds one. */
interface Likeness {
  readonly of: NodeRecord;
  readonly keys: readonly string[];
  /** Its place in the graph, whatever the parameters. */
  readonly place: string;
}

/**
 * Matches the nodes of runs by stage, arm and place in the graph, whatever they are called: first those that are
 * alike in everything, then by parameters, setting and name; what is left of a place by its order, where it is the
 * same number in both runs. The first run that has a node is what later ones are matched with.
 */
export function matchNodes(runs: readonly PlacedNodes[]): MatchedNodes[] {
  const rows: { first: Likeness; nodes: (NodeRecord | undefined)[] }[] = [];
  runs.forEach((run, r) => {
    const fresh = new Set(likenessesOf(run));
    const open = new Set(rows);
    const take = (row: typeof rows[number], found: Likeness) => {
      row.nodes[r] = found.of;
      open.delete(row);
      fresh.delete(found);
    };
    for (let level = 0; level < LEVELS; level++) {
      const waiting = Map.groupBy(fresh, ({ keys }) => keys[level]!);
      for (const row of [...open]) {
        const found = waiting.get(row.first.keys[level]!)?.shift();
        if (found !== undefined) take(row, found);
      }
    }
    const waiting = Map.groupBy(fresh, ({ place }) => place);
    for (const [place, left] of Map.groupBy(open, ({ first }) => first.place)) {
      const found = waiting.get(place) ?? [];
      if (found.length === left.length) left.forEach((row, i) => take(row, found[i]!));
    }
    for (const one of fresh) {
      const nodes: (NodeRecord | undefined)[] = runs.map(() => undefined);
      nodes[r] = one.of;
      rows.push({ first: one, nodes });
    }
  });
  return rows.map(({ first, nodes }) => ({
    stage: first.of.stage,
    name: commonName(nodes.flatMap((one) => one === undefined ? [] : [one.name])),
    nodes,
  }));
}

function likenessesOf({ nodes, edges, arms }: PlacedNodes): Likeness[] {
  const wired = Map.groupBy(edges, ({ node }) => node);
  const called = new Map(arms.map((arm) => [arm.node, arm]));
  const places = new Map<string, string>(), whole = new Map<string, string>();
  // Nodes stand in the order of the graph: those before a node are known.
  for (const node of nodes) {
    const inputs = wired.get(node.name) ?? [];
    const arm = called.get(node.name);
    const from = (known: ReadonlyMap<string, string>) =>
      [...new Set(inputs.map(({ input, source, output }) => `${input} ${output} ${known.get(source) ?? ""}`))]
        .sort();
    places.set(node.name, digestJson([node.stage, arm?.arm ?? null, from(places)]));
    whole.set(
      node.name,
      digestJson([node.stage, arm?.arm ?? null, arm?.setting ?? null, node.params, from(whole)]),
    );
  }
  return nodes.map((node) => {
    const place = places.get(node.name)!, arm = called.get(node.name);
    const own = canonicalText(node.params as JsonValue);
    return {
      of: node,
      place,
      keys: [
        // Repetitions are alike in everything but their names.
        `${whole.get(node.name)} ${node.name}`,
        whole.get(node.name)!,
        `${place} ${arm?.setting ?? ""} ${own} ${node.name}`,
        `${place} ${arm?.setting ?? ""} ${own}`,
        `${place} ${node.name}`,
        // What is made from other nodes than before: by its own words, then by its name.
        canonicalText([node.stage, arm?.arm ?? null, arm?.setting ?? null, node.name]),
        canonicalText([node.stage, node.name]),
      ],
    };
  });
}

/** Names with `…` for the words in which they differ. */
export function commonName(names: readonly string[]): string {
  const [first, ...others] = names as [string, ...string[]];
  if (others.every((name) => name === first)) return first;
  const words = names.map((name) => name.split(/([\s,@=]+)/));
  if (words.some(({ length }) => length !== words[0]!.length)) return first;
  return words[0]!.map((word, i) => words.every((other) => other[i] === word) ? word : "…").join("");
}
