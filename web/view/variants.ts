import { canonicalText, type JsonValue } from "../../foundation/canonical.ts";
import { flat } from "../../runner/compare.ts";
import type { ArmRecord, EdgeRecord, NodeRecord } from "../../runner/records/rows.ts";

/** What distinguishes a node from the others of its stage. */
export interface NodeVariant {
  /** `rate=0.1, states=64`; the node's name if only the seed differs; empty for a single node. */
  readonly label: string;
  /** Values in the order of its group's columns. */
  readonly values: readonly (JsonValue | undefined)[];
  /**
   * The part that only seeds determine; empty if there is none. Nodes with equal labels and different seeds are
   * repetitions.
   */
  readonly seed: string;
}

/** The nodes of one stage with what varies between them. */
export interface VariantGroup {
  readonly stage: string;
  /** Names of what varies, without seeds. */
  readonly columns: readonly string[];
  readonly variants: ReadonlyMap<string, NodeVariant>;
}

/** Parameters with these names are seeds: nodes that differ in nothing else are repetitions of one experiment. */
const SEED = /(^|\.)(seed|repetition|repeat|replicate)$/i;

/**
 * Distinguishes the nodes of each stage as a person would: by the names the pipeline gives them, otherwise by their
 * parameters, by the outputs they read, or by the parameters of their ancestors. Differences due to seeds are kept
 * separate, so that repetitions can be drawn together and averaged.
 *
 * @param seedOf the seed that a node was given, or undefined for one that is not seeded.
 * @param arms the labels that the pipeline gives to nodes, by node name.
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
  // Each source of differences is used only if the earlier ones leave nodes indistinguishable. Seeds are ignored: they
  // derive from names, so every node has its own.
  let found: TraitMap[] = members.map(() => new Map());
  for (const more of [traits.arm, traits.own, traits.wiring, traits.inherited]) {
    found = members.map((node, i) => new Map([...found[i]!, ...more(node)]));
    const told = found.map((map) => canonicalText([...map].filter(([key]) => !SEED.test(key))));
    if (new Set(told).size === members.length) break;
  }
  const keys = [...new Set(found.flatMap((map) => [...map.keys()]))];
  const varying = keys.filter((key) => new Set(found.map((map) => textOf(map.get(key)))).size > 1);
  const telling = varying.filter((key) => !SEED.test(key));
  // If the pipeline names its nodes, only columns that add information follow.
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

/** Columns for the names given by the pipeline. */
const ARM = "arm", SETTING = "setting";

/** Columns that distinguish more nodes than the columns before them together. */
function refining(columns: readonly string[], found: readonly TraitMap[]): string[] {
  let told = found.map(() => "");
  return columns.filter((key) => {
    const more = found.map((map, i) => `${told[i]}\n${textOf(map.get(key))}`);
    const further = new Set(more).size > new Set(told).size;
    if (further) told = more;
    return further;
  });
}

/** Of columns that split the nodes in the same way, only the first is kept. */
function leaveOutEchoes(columns: readonly string[], found: readonly TraitMap[]): string[] {
  const seen = new Set<string>();
  return columns.filter((key) => {
    const first = new Map<string, number>();
    const partition = found.map((map, i) => {
      const text = textOf(map.get(key));
      if (!first.has(text)) first.set(text, i);
      return first.get(text);
    }).join();
    if (seen.has(partition)) return false;
    seen.add(partition);
    return true;
  });
}

type TraitMap = Map<string, JsonValue>;

/** Maximum number of texts listed per trait; beyond it the first ones represent all. */
const LISTED = 50;

/** Sets of texts by key. A set is a bit mask: bit `i` stands for the text with index `i` of its key. */
type TextSets = ReadonlyMap<string, bigint>;

/** Traits of nodes by key; ancestors first. */
class Traits {
  readonly #nodes: ReadonlyMap<string, NodeRecord>;
  readonly #edges: ReadonlyMap<string, readonly EdgeRecord[]>;
  readonly #arms: ReadonlyMap<string, Pick<ArmRecord, "arm" | "setting">>;
  readonly #seedOf: (node: NodeRecord) => number | undefined;
  /** Texts of each key in the order first seen, with their indices. */
  readonly #texts = new Map<string, Map<string, bigint>>();
  /** What a node passes to its readers: its own traits and those of all its ancestors. */
  readonly #handedOn = new Map<string, TextSets>();
  /** Numbers that identify long sets, so that each has a distinct text. */
  readonly #long = new Map<bigint, number>();

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

  /** Its name in the pipeline. */
  readonly arm = (node: NodeRecord): TraitMap => {
    const arm = this.#arms.get(node.name);
    return new Map(arm === undefined ? [] : [[ARM, arm.arm], [SETTING, arm.setting]]);
  };

  /** Its parameters and seed. */
  readonly own = (node: NodeRecord): TraitMap => {
    const seed = this.#seedOf(node);
    return new Map([...flat(node.params), ...(seed === undefined ? [] : [["node.seed", seed] as const])]);
  };

  /** The stages' outputs that its inputs are wired to. */
  readonly wiring = (node: NodeRecord): TraitMap => {
    const found: TraitMap = new Map();
    for (const [input, edges] of Map.groupBy(this.#edges.get(node.name) ?? [], (edge) => edge.input)) {
      found.set(`${node.stage}.${input}`, listText(edges.map((edge) => edge.output)));
      const makers = edges.map((edge) => this.#nodes.get(edge.source)?.stage ?? "");
      found.set(`${node.stage}.maker.${input}`, listText(makers));
    }
    return found;
  };

  /** Parameters, seeds and wiring of all its ancestors, by stage. */
  readonly inherited = (node: NodeRecord): TraitMap => {
    return new Map([...this.#before(node.name)].map(([key, set]) => [key, this.#setText(key, set)]));
  };

  /** The union of what a node's parents pass on. Iterative, because long chains would overflow the stack. */
  #before(name: string): TextSets {
    const stack = [name];
    const open = new Set<string>();
    while (stack.length > 0) {
      const top = stack.at(-1)!;
      const parents = this.#parents(top);
      const missing = open.has(top) ? [] : parents.filter((parent) => !this.#handedOn.has(parent));
      open.add(top);
      if (missing.length > 0) stack.push(...missing);
      else {
        stack.pop();
        if (!this.#handedOn.has(top)) this.#handedOn.set(top, this.#with(this.#union(parents), top));
      }
    }
    return this.#union(this.#parents(name));
  }

  #parents(name: string): string[] {
    const sources = (this.#edges.get(name) ?? []).map(({ source }) => source);
    return [...new Set(sources)].filter((source) => this.#nodes.has(source));
  }

  #union(parents: readonly string[]): TextSets {
    const [first, ...rest] = parents.map((parent) => this.#handedOn.get(parent) ?? new Map<string, bigint>());
    if (rest.length === 0) return first ?? new Map();
    const union = new Map(first);
    for (const sets of rest) {
      for (const [key, set] of sets) union.set(key, (union.get(key) ?? 0n) | set);
    }
    return union;
  }

  /** The sets with a node's own traits added; the same map if nothing is added. */
  #with(sets: TextSets, name: string): TextSets {
    const node = this.#nodes.get(name)!;
    const traits: [string, JsonValue][] = flat(node.params).map((
      [path, value],
    ) => [`${node.stage}.${path}`, value]);
    const seed = this.#seedOf(node);
    if (seed !== undefined) traits.push([`${node.stage}.seed`, seed]);
    let more: Map<string, bigint> | undefined;
    for (const [key, value] of [...traits, ...this.wiring(node)]) {
      const bit = this.#bit(key, textOf(value));
      const set = (more ?? sets).get(key) ?? 0n;
      if ((set & bit) === 0n) (more ??= new Map(sets)).set(key, set | bit);
    }
    return more ?? sets;
  }

  #bit(key: string, text: string): bigint {
    let texts = this.#texts.get(key);
    if (texts === undefined) this.#texts.set(key, texts = new Map());
    let bit = texts.get(text);
    if (bit === undefined) texts.set(text, bit = 1n << BigInt(texts.size));
    return bit;
  }

  #setText(key: string, set: bigint): string {
    const listed: string[] = [];
    for (const [text, bit] of this.#texts.get(key)!) {
      if ((set & bit) === 0n) continue;
      if (listed.length === LISTED) {
        if (!this.#long.has(set)) this.#long.set(set, this.#long.size + 1);
        return `${listText(listed)}+… (list ${this.#long.get(set)})`;
      }
      listed.push(text);
    }
    return listText(listed.sort());
  }
}

function textOf(value: JsonValue | undefined): string {
  return value === undefined ? "" : canonicalText(value);
}

function listText(texts: readonly string[]): string {
  return texts.length === 1 ? plainText(texts[0]) : texts.join("+");
}

/** A value in a label: text without quotes, truncated if long. */
function plainText(value: JsonValue | undefined): string {
  const text = typeof value === "string" ? value.replace(/^"(.*)"$/, "$1") : textOf(value);
  return text.length > 40 ? `${text.slice(0, 37)}…` : text;
}

/** The last component of each path, or as many of its last components as make it unique. */
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
