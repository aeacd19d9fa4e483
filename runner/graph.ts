import {
  canonicalText,
  digestJson,
  type JsonObject,
  type JsonValue,
  notJson,
  plainJson,
} from "../foundation/canonical.ts";
import { CallError } from "../foundation/errors.ts";
import { didYouMean } from "../foundation/nearest.ts";
import { eachInput, type Inputs, listOf, mapInputs } from "./inputs.ts";
import { nameNodes } from "./names.ts";
import { checkParams } from "./params.ts";
import { mergePolicies, type Policy, policyFaults } from "./policy.ts";
import { type Moves, type NodeDraft, policyOf, type Ref, type StageDefinition } from "./stage.ts";

/** What a pipeline's build returns: references by name; lists and records of them may nest. */
export type PipelineOutputs = { readonly [name: string]: Ref | readonly Ref[] | PipelineOutputs };

/** A reference from a node's input to an output of another node. */
export interface OutputRef {
  readonly node: GraphNode;
  readonly output: string;
}

/** One use of a stage in a pipeline. */
export interface GraphNode {
  /** Unique in the graph. */
  readonly name: string;
  /** Position in a topological order. */
  readonly index: number;
  readonly stage: StageDefinition;
  /** Checked, defaults filled in, plain JSON. */
  readonly params: JsonObject;
  readonly inputs: Inputs<OutputRef>;
  /** How it runs, as its stage and its options say. */
  readonly policy: Policy;
  /**
   * The name that the node's seed derives from: its explicit name or its stage's, so that it does not depend on
   * other nodes.
   */
  readonly seedName: string;
  /** What it is called where arms are compared; undefined where its pipeline does not say. No part of its key. */
  readonly arm: { readonly arm: string; readonly setting: string } | undefined;
  /** What it moves as a part of work in shards; undefined where its pipeline does not say. No part of its key. */
  readonly moves: Moves<OutputRef> | undefined;
  /** Nodes of one sweep share a group: the stage's name. */
  readonly group: string;
}

/** A pipeline's nodes in a topological order and its returned outputs by dotted name. */
export interface Graph {
  readonly nodes: readonly GraphNode[];
  /** Empty while the build waits for artifacts. */
  readonly outputs: ReadonlyMap<string, OutputRef>;
  /** Artifacts that the build waits for: what follows is not known yet. */
  readonly awaited: readonly OutputRef[];
  /** These, and those that it has waited for before. */
  readonly read: readonly OutputRef[];
  /** What each node was made from. */
  readonly drafts: ReadonlyMap<NodeDraft, GraphNode>;
}

/** What a graph grows from. */
export interface Growth {
  /** What the build waits for. */
  readonly awaited: readonly Ref[];
  /** The graph as it was before: its nodes stay as they are. */
  readonly earlier: Graph | undefined;
}

/** Further faults of a pipeline that is refused, by the names of its stages, and whether these are all of them. */
export type OtherFaults = (stages: ReadonlySet<string>, whole: boolean) => readonly string[];

/** The nodes that a node depends on directly, each once, in the order of its inputs. */
export function parentsOf(node: GraphNode): GraphNode[] {
  const parents = new Set<GraphNode>();
  for (const [, source] of eachInput(node.inputs)) parents.add(source.node);
  return [...parents];
}

/**
 * Builds the graph of a pipeline's outputs: keeps the nodes they depend on, merges unnamed nodes with equal stage,
 * parameters and inputs, names the nodes, and checks wiring and parameters.
 *
 * @param outputs what the build returned; undefined while it waits for artifacts.
 * @param besides faults of other things, told with those of a graph that is refused.
 * @throws CallError with all faults at once.
 */
export function buildGraph(
  outputs: PipelineOutputs | undefined,
  drafts: readonly NodeDraft[],
  { awaited, earlier }: Growth = { awaited: [], earlier: undefined },
  besides: OtherFaults = () => [],
): Graph {
  const waits = awaited.length > 0;
  const refs = waits ? new Map<string, Ref>() : flattenOutputs(outputs!);
  if (refs.size === 0 && !waits) {
    throw new CallError(
      "pipeline/no-outputs",
      "the pipeline's build returned no outputs: nothing would run",
      { hint: "Return the references to be made, e.g. `return { score: evaluate({ ... }).score }`." },
    );
  }
  const before = earlier?.drafts ?? new Map<NodeDraft, GraphNode>();
  const wanted = [...refs.values(), ...awaited].map((ref) => ref.node);
  const { order, cycles } = neededInOrder([...before.keys(), ...wanted], drafts);
  const faults = [...order.flatMap(wiringFaults), ...[...refs].flatMap(temporaryFaults)];
  if (faults.length + cycles.length > 0) {
    const stages = new Set(order.map((draft) => draft.stage.name));
    const more = [...order.flatMap(unnamedParamFaults), ...besides(stages, !waits)];
    if (faults.length + more.length === 0) throw cycles[0]!;
    throw callError([...cycles.map((cycle) => cycle.message), ...faults, ...more]);
  }

  const { representative, kept } = mergeEqual(order);
  const named = new Map([...before].map(([draft, node]) => [draft, node.name]));
  const names = nameNodes(kept, representative, named);
  const merged = Map.groupBy(order, (draft) => representative.get(draft)!);
  const nodes = new Map<NodeDraft, GraphNode>();
  const paramFaults: string[] = [];
  kept.forEach((draft, index) => {
    const known = before.get(draft);
    if (known !== undefined) return void nodes.set(draft, known);
    const name = names.get(draft)!;
    const checked = checkParams(draft.stage.params, draft.params);
    if (!checked.ok) { for (const fault of checked.faults) paramFaults.push(`node \`${name}\`: ${fault}`); }
    const source = (ref: Ref): OutputRef => ({
      node: nodes.get(representative.get(ref.node)!)!,
      output: ref.output,
    });
    nodes.set(draft, {
      name,
      index,
      stage: draft.stage,
      params: checked.ok ? checked.params : {},
      inputs: mapInputs(draft.inputs, source),
      policy: mergePolicies(draft.stage.policy, policyOf(draft.options)),
      seedName: draft.options.name ?? draft.stage.name,
      arm: armOf(merged.get(draft)!),
      moves: movesOf(draft, (ref) => representative.has(ref.node) ? source(ref) : undefined),
      group: draft.stage.name,
    });
  });
  if (paramFaults.length > 0) throw callError(paramFaults);
  const place = (ref: Ref): OutputRef => ({
    node: nodes.get(representative.get(ref.node)!)!,
    output: ref.output,
  });
  return {
    nodes: [...nodes.values()],
    outputs: new Map([...refs].map(([name, ref]) => [name, place(ref)])),
    awaited: awaited.map(place),
    read: [...earlier?.read ?? [], ...awaited.map(place)],
    drafts: nodes,
  };
}

/** What merged drafts are called where arms are compared: nothing where they belong to several. */
function armOf(drafts: readonly NodeDraft[]): GraphNode["arm"] {
  const [first] = drafts as [NodeDraft];
  const { arm, setting = "" } = first.options;
  const same = drafts.every(({ options }) => options.arm === arm && (options.setting ?? "") === setting);
  return same && arm !== undefined ? { arm, setting } : undefined;
}

/** What a draft moves, where the graph has the artifact that tells how much that is. */
function movesOf(
  { options: { moves } }: NodeDraft,
  place: (ref: Ref) => OutputRef | undefined,
): GraphNode["moves"] {
  const like = moves && place(moves.like);
  return like?.node === undefined ? undefined : { ...moves!, like };
}

/** Number of faults reported at once. */
const TOLD = 30;

/** All faults of a graph as one error, each once. */
function callError(faults: readonly string[]): CallError {
  const all = [...new Set(faults)];
  const more = all.length > TOLD ? [`… and ${(all.length - TOLD).toLocaleString("en")} more faults`] : [];
  return new CallError("graph/invalid", [...all.slice(0, TOLD), ...more].join("\n"));
}

/** Faults of a node's parameters while faults of the wiring leave the nodes without names. */
function unnamedParamFaults(draft: NodeDraft): string[] {
  if (notJson(draft.params) !== undefined) return []; // Reported with the wiring.
  const checked = checkParams(draft.stage.params, draft.params);
  const where = draft.options.name === undefined
    ? `node of stage \`${draft.stage.name}\``
    : `node \`${draft.options.name}\``;
  return checked.ok ? [] : checked.faults.map((fault) => `${where}: ${fault}`);
}

function isRef(value: unknown): value is Ref {
  return typeof value === "object" && value !== null && "node" in value && "output" in value &&
    "codec" in value;
}

function flattenOutputs(outputs: PipelineOutputs): Map<string, Ref> {
  const refs = new Map<string, Ref>();
  const faults: string[] = [];
  const visit = (value: unknown, path: string) => {
    if (isRef(value)) refs.set(path, value);
    else if (typeof value === "object" && value !== null) {
      for (const [key, item] of Object.entries(value)) visit(item, path === "" ? key : `${path}.${key}`);
    } else {
      const at = path === "" ? "its build" : `output \`${path}\` of its build`;
      faults.push(`the pipeline's outputs: ${at} returned ${typeof value}, expected a stage's output`);
    }
  };
  visit(outputs, "");
  if (faults.length > 0) throw callError(faults);
  return refs;
}

/** What a pipeline returns is there to stay. */
function temporaryFaults([name, { node, output }]: [string, Ref]): string[] {
  return node.stage.temporary.includes(output)
    ? [
      `the pipeline returns \`${output}\` of stage \`${node.stage.name}\` as \`${name}\`, which is temporary: ` +
      "return what is made of it, or declare it without `temporary`",
    ]
    : [];
}

/** The drafts that the targets depend on, in topological order, and what makes that impossible. */
function neededInOrder(
  targets: readonly NodeDraft[],
  drafts: readonly NodeDraft[],
): { readonly order: NodeDraft[]; readonly cycles: CallError[] } {
  const known = new Set(drafts);
  const order: NodeDraft[] = [];
  const cycles: CallError[] = [];
  const state = new Map<NodeDraft, "open" | "done">();
  // An explicit stack: a chain of ten thousand nodes must not overflow the call stack.
  const stack = targets.toReversed().map((draft) => ({ draft, expanded: false }));
  while (stack.length > 0) {
    const top = stack.pop()!;
    if (top.expanded) {
      state.set(top.draft, "done");
      order.push(top.draft);
      continue;
    }
    if (state.has(top.draft)) continue;
    if (!known.has(top.draft)) {
      throw new CallError(
        "graph/foreign-node",
        `a node of stage \`${top.draft.stage.name}\` comes from another pipeline's build`,
      );
    }
    state.set(top.draft, "open");
    stack.push({ draft: top.draft, expanded: true });
    for (const [, ref] of eachInput(top.draft.inputs).toReversed()) {
      if (isRef(ref) && state.get(ref.node) === "open") cycles.push(cycle(top.draft, ref));
      if (isRef(ref) && !state.has(ref.node)) stack.push({ draft: ref.node, expanded: false });
    }
  }
  return { order, cycles };
}

function cycle(draft: NodeDraft, ref: Ref): CallError {
  const names = [ref.node, draft].map((one) => `\`${one.options.name ?? one.stage.name}\``);
  return new CallError(
    "graph/cycle",
    `${names[1]} needs the output \`${ref.output}\` of ${names[0]}, which needs ${names[1]}`,
    {
      hint: "What a node needs must be made before it: inputs cannot be changed once its stage was called.",
    },
  );
}

/** Faults that the TypeScript compiler reports; checked here as well, since running does not type-check. */
function wiringFaults(draft: NodeDraft): string[] {
  const where = `node of stage \`${draft.stage.name}\``;
  const faults: string[] = [];
  const declared = draft.stage.inputs;
  for (const name of Object.keys(draft.inputs)) {
    if (!Object.hasOwn(declared, name)) {
      faults.push(`${where}: unknown input \`${name}\`${didYouMean(name, Object.keys(declared))}`);
    }
  }
  for (const [name, type] of Object.entries(declared)) {
    const given = draft.inputs[name];
    const list = "many" in type;
    const codec = list ? type.many : type;
    if (given === undefined) {
      faults.push(
        `${where}: input \`${name}\` is missing; expected ${list ? "a list of " : ""}\`${codec.name}\``,
      );
      continue;
    }
    if (list !== Array.isArray(given)) {
      faults.push(`${where}: input \`${name}\`: expected ${list ? "a list of outputs" : "one output"}`);
      continue;
    }
    for (const ref of listOf<unknown>(given)) {
      if (!isRef(ref)) {
        faults.push(`${where}: input \`${name}\`: expected a stage's output, got ${typeof ref}`);
      } else if (ref.codec.name !== codec.name || ref.codec.version !== codec.version) {
        faults.push(
          `${where}: input \`${name}\`: expected \`${codec.name}\` (version ${codec.version}), got ` +
            `\`${ref.codec.name}\` (version ${ref.codec.version}), output \`${ref.output}\` of ` +
            `\`${ref.node.stage.name}\``,
        );
      }
    }
  }
  const name = draft.options.name;
  // deno-lint-ignore no-control-regex -- control characters are what is looked for
  if (name !== undefined && (name === "" || name.length > 200 || /[\u0000-\u001f\u007f]/.test(name))) {
    faults.push(`${where}: node name ${JSON.stringify(name)}: expected 1 to 200 printable characters`);
  }
  for (const option of ["arm", "setting"] as const) {
    const text: unknown = draft.options[option];
    if (text !== undefined && (typeof text !== "string" || text.length > 200)) {
      faults.push(
        `${where}: \`${option}\` is ${JSON.stringify(text)}; expected a text of at most 200 characters`,
      );
    }
  }
  faults.push(...policyFaults(draft.stage.policy).map((fault) => `stage \`${draft.stage.name}\`: ${fault}`));
  faults.push(...policyFaults(policyOf(draft.options)).map((fault) => `${where}: ${fault}`));
  if (Object.hasOwn(draft.options, "timeout")) {
    faults.push(`${where}: \`timeout\` is called \`resources: { time }\``);
  }
  const fault = notJson(draft.params);
  if (fault !== undefined) faults.push(`${where}: parameters must be plain JSON, but ${fault}`);
  return faults;
}

/** Unnamed drafts that are equal in stage, parameters and inputs become one. */
function mergeEqual(order: readonly NodeDraft[]) {
  const identities = new Map<NodeDraft, string>();
  const stages = new Map<StageDefinition, number>();
  const byIdentity = new Map<string, NodeDraft>();
  const representative = new Map<NodeDraft, NodeDraft>();
  const kept: NodeDraft[] = [];
  for (const draft of order) {
    const point = (ref: Ref): JsonValue => [identities.get(ref.node)!, ref.output];
    if (!stages.has(draft.stage)) stages.set(draft.stage, stages.size);
    const identity = digestJson([
      stages.get(draft.stage)!,
      canonicalText(plainJson(draft.params ?? {})),
      mapInputs(draft.inputs, point),
      draft.options.name ?? null,
    ]);
    identities.set(draft, identity);
    const twin = byIdentity.get(identity);
    if (twin !== undefined) representative.set(draft, twin);
    else {
      byIdentity.set(identity, draft);
      representative.set(draft, draft);
      kept.push(draft);
    }
  }
  return { representative, kept };
}

/** The given nodes and all their ancestors, in topological order. */
export function ancestors(targets: Iterable<GraphNode>): GraphNode[] {
  const found = new Set<GraphNode>();
  const stack = [...targets];
  while (stack.length > 0) {
    const node = stack.pop()!;
    if (found.has(node)) continue;
    found.add(node);
    for (const parent of parentsOf(node)) stack.push(parent);
  }
  return [...found].sort((a, b) => a.index - b.index);
}
