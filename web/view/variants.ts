import { canonicalText, type JsonValue } from "../../foundation/canonical.ts";
import { flat } from "../../runner/compare.ts";
import type { ArmRecord, EdgeRecord, NodeRecord } from "../../runner/records/rows.ts";

/** What tells a node from the others of its stage. */
export interface NodeVariant {
  /** `rate=0.1, states=64`; the node's name where nothing but the seed tells it apart; empty for a single node. */
  readonly label: string;
  /** Values by column, in the order of the columns of its group. */
  readonly values: readonly (JsonValue | undefined)[];
  /** What differs in the seeds; empty where nothing does. Nodes of equal label and other seeds are repetitions. */
  readonly seed: string;
}

/** The nodes of one stage with what varies between them. */
export interface VariantGroup {
  readonly stage: string;
  /** Names of what varies, seeds left out. */
  readonly columns: readonly string[];
  readonly variants: ReadonlyMap<string, NodeVariant>;
}

/** Parameters of these names are seeds: nodes that differ in nothing else are repetitions of one experiment. */
const SEED = /(^|\.)(seed|repetition|repeat|replicate)$/i;

/**
 * Tells the nodes of each stage apart as a person would: by what the pipeline calls them, else by their parameters, else by
 * which outputs they read, else by the parameters of the nodes before them. What a seed changes is kept apart, so that
 * repetitions can be drawn together and averaged.
 *
 * @param seedOf the seed that a node was given, or undefined for one that is not seeded.
 * @param arms what the pipeline calls nodes, by their names.
 */
export function variantGroups(
  nodes: readonly NodeRecord[],
  edges: readonly EdgeRecord[],
  seedOf: (node: NodeRecord) => number | undefined,
  arms: ReadonlyMap<string, Pick<ArmRecord, "arm" | "setting">> = new Map(),
): VariantGroup[] {
  const stages = Map.groupBy(nodes, (node) => node.stage);
  const traits = new Traits(nodes, edges, seedOf, arms);
  return [...stages].map(([stage, members]) => groupOf(stage, members, traits));
}

function groupOf(stage: string, members: readonly NodeRecord[], traits: Traits): VariantGroup {
  if (members.length === 1) {
    return {
      stage,
      columns: [],
      variants: new Map([[members[0]!.name, { label: "", values: [], seed: "" }]]),
    };
  }
  // Each source of differences is only asked where the ones before it leave nodes alike, seeds aside: those follow
  // from names, so that every node has one of its own.
  let found: TraitMap[] = members.map(() => new Map());
  for (const more of [traits.arm, traits.own, traits.wiring, traits.inherited]) {
    found = members.map((node, i) => new Map([...found[i]!, ...more(node)]));
    const told = found.map((map) => canonicalText([...map].filter(([key]) => !SEED.test(key))));
    if (new Set(told).size === members.length) break;
  }
  const keys = [...new Set(found.flatMap((map) => [...map.keys()]))];
  const varying = keys.filter((key) => new Set(found.map((map) => textOf(map.get(key)))).size > 1);
  const telling = varying.filter((key) => !SEED.test(key));
  // Where the pipeline says what nodes are called, only what tells more than that follows.
  const columns = telling[0] === ARM || telling[0] === SETTING
    ? refining(telling, found)
    : leaveOutEchoes(telling, found);
  const seeds = varying.filter((key) => SEED.test(key));
  const names = shortNames(columns);
  const variants = members.map((node, i): [string, NodeVariant] => {
    const values = columns.map((key) => found[i]!.get(key));
    const label = columns.flatMap((_, c) =>
      values[c] === undefined || values[c] === ""
        ? []
        : columns[c] === ARM || columns[c] === SETTING
        ? [values[c] as string]
        : [`${names[c]}=${plainText(values[c])}`]
    ).join(", ");
    const seed = seeds.map((key) => textOf(found[i]!.get(key))).join(" ");
    return [node.name, { label: label === "" && seed === "" ? node.name : label, values, seed }];
  });
  return { stage, columns: names, variants: new Map(variants) };
}

/** Columns of what the pipeline calls nodes. */
const ARM = "arm", SETTING = "setting";

/** Columns that part nodes further than those before them do together. */
function refining(columns: readonly string[], found: readonly TraitMap[]): string[] {
  let told = found.map(() => "");
  return columns.filter((key) => {
    const more = found.map((map, i) => `${told[i]}\n${textOf(map.get(key))}`);
    const further = new Set(more).size > new Set(told).size;
    if (further) told = more;
    return further;
  });
}

/** Of columns that part the nodes in the same way only the first says something. */
function leaveOutEchoes(columns: readonly string[], found: readonly TraitMap[]): string[] {
  const seen = new Set<string>();
  return columns.filter((key) => {
    const texts = found.map((map) => textOf(map.get(key)));
    const partition = texts.map((text) => texts.indexOf(text)).join();
    if (seen.has(partition)) return false;
    seen.add(partition);
    return true;
  });
}

type TraitMap = Map<string, JsonValue>;

/** What nodes are like, by key; parents first. */
class Traits {
  readonly #nodes: ReadonlyMap<string, NodeRecord>;
  readonly #edges: ReadonlyMap<string, readonly EdgeRecord[]>;
  readonly #arms: ReadonlyMap<string, Pick<ArmRecord, "arm" | "setting">>;
  readonly #seedOf: (node: NodeRecord) => number | undefined;
  readonly #ancestors = new Map<string, ReadonlySet<string>>();

  constructor(
    nodes: readonly NodeRecord[],
    edges: readonly EdgeRecord[],
    seedOf: (node: NodeRecord) => number | undefined,
    arms: ReadonlyMap<string, Pick<ArmRecord, "arm" | "setting">>,
  ) {
    this.#arms = arms;
    this.#nodes = new Map(nodes.map((node) => [node.name, node]));
    this.#edges = Map.groupBy(edges, (edge) => edge.node);
    this.#seedOf = seedOf;
  }

  /** What the pipeline calls it. */
  readonly arm = (node: NodeRecord): TraitMap => {
    const arm = this.#arms.get(node.name);
    return new Map(arm === undefined ? [] : [[ARM, arm.arm], [SETTING, arm.setting]]);
  };

  /** Its parameters and its seed. */
  readonly own = (node: NodeRecord): TraitMap => {
    const seed = this.#seedOf(node);
    return new Map([...flat(node.params), ...(seed === undefined ? [] : [["node.seed", seed] as const])]);
  };

  /** Which outputs of which stages its inputs are wired to. */
  readonly wiring = (node: NodeRecord): TraitMap => {
    const found: TraitMap = new Map();
    for (const [input, edges] of Map.groupBy(this.#edges.get(node.name) ?? [], (edge) => edge.input)) {
      found.set(`${node.stage}.${input}`, listText(edges.map((edge) => edge.output)));
      const makers = edges.map((edge) => this.#nodes.get(edge.source)?.stage ?? "");
      found.set(`${node.stage}.maker.${input}`, listText(makers));
    }
    return found;
  };

  /** Parameters, seeds and wiring of all nodes before it, by stage. */
  readonly inherited = (node: NodeRecord): TraitMap => {
    const found = new Map<string, Set<string>>();
    for (const name of this.#before(node.name)) {
      const ancestor = this.#nodes.get(name)!;
      const traits = [
        ...flat(ancestor.params).map(([path, value]) => [`${ancestor.stage}.${path}`, value] as const),
      ];
      const seed = this.#seedOf(ancestor);
      if (seed !== undefined) traits.push([`${ancestor.stage}.seed`, seed]);
      for (const [key, value] of [...traits, ...this.wiring(ancestor)]) {
        const text = textOf(value);
        const set = found.get(key);
        if (set === undefined) found.set(key, new Set([text]));
        else set.add(text);
      }
    }
    return new Map([...found].map(([key, texts]) => [key, listText([...texts].sort())]));
  };

  #before(name: string): ReadonlySet<string> {
    const known = this.#ancestors.get(name);
    if (known !== undefined) return known;
    const found = new Set<string>();
    this.#ancestors.set(name, found);
    for (const { source } of this.#edges.get(name) ?? []) {
      if (!this.#nodes.has(source)) continue;
      found.add(source);
      for (const earlier of this.#before(source)) found.add(earlier);
    }
    return found;
  }
}

function textOf(value: JsonValue | undefined): string {
  return value === undefined ? "" : canonicalText(value);
}

function listText(texts: readonly string[]): string {
  return texts.length === 1 ? plainText(texts[0]) : texts.join("+");
}

/** A value in a label: text without quotes, long ones cut. */
function plainText(value: JsonValue | undefined): string {
  const text = typeof value === "string" ? value.replace(/^"(.*)"$/, "$1") : textOf(value);
  return text.length > 40 ? `${text.slice(0, 37)}…` : text;
}

/** The last part of each path, or as much of its end as tells it from the others. */
function shortNames(paths: readonly string[]): string[] {
  return paths.map((path) => {
    const parts = path.split(".");
    for (let n = 1; n < parts.length; n++) {
      const short = parts.slice(-n).join(".");
      if (paths.every((other) => other === path || !`.${other}`.endsWith(`.${short}`))) return short;
    }
    return path;
  });
}
