import { type Digest, digestJson } from "../foundation/canonical.ts";
import type { Artifact } from "./codec.ts";
import type { CodeFingerprint, Fingerprinter } from "./fingerprint.ts";
import { type GraphNode, type OutputRef, parentsOf } from "./graph.ts";
import { listOf, mapInputs } from "./inputs.ts";
import {
  compareComponents,
  type Dropped,
  KEY_FORMAT,
  type KeyComponents,
  keyOf,
  type Reason,
} from "./key.ts";
import { type FileDigestCache, locateArtifact } from "./locate.ts";
import type { EarlierResult } from "./records/earlier.ts";
import type { Records } from "./records/records.ts";
import { seedOf } from "./seed.ts";
import type { HeldResults } from "./store/held.ts";
import type { NodeResult, Store } from "./store/store.ts";
import { variablesOf } from "./variables.ts";
import { turns } from "../foundation/turns.ts";

/** What a run would do with a node, as far as this is known in advance. */
export interface PlannedNode {
  readonly node: GraphNode;
  /** `cached`: nothing to do; `run`: will run; `unknown`: depends on the outputs of nodes before it. */
  readonly status: "cached" | "run" | "unknown";
  /** Why it runs, or what it waits for; empty when cached. */
  readonly reasons: readonly Reason[];
  /** Known once all inputs are known. */
  readonly key?: Digest;
  readonly components?: KeyComponents;
  /** The outputs, when cached or located. */
  readonly outputs?: Readonly<Record<string, Artifact>>;
  /** The result that was found. */
  readonly result?: NodeResult;
  /** Why it runs though it has a result: dropped outputs of it are needed. See `withRemakes`. */
  readonly remake?: Dropped;
  /** The same, where they are needed only if a node runs that may turn out to be cached. */
  readonly remakeIf?: Dropped;
}

/** What planning needs. */
export interface PlanOptions {
  readonly store: Store;
  readonly records: Records;
  readonly fingerprinter: Fingerprinter;
  readonly fileDigests: FileDigestCache;
  readonly pipeline: string;
  readonly seed: number;
  /** The resolved engine's name, for stages whose key holds it. */
  readonly engine: string;
  /** Nodes to run even if their results exist. */
  readonly force?: ReadonlySet<GraphNode>;
  /** Gets the result of a key into the store from elsewhere; tells whether it is there now. */
  readonly elsewhere?: (key: Digest) => Promise<boolean>;
  /** Run every node, even if its result exists. */
  readonly noCache?: boolean;
}

/** Decides which nodes have to run and why. */
export class Planner {
  /** Forced nodes that have already been recomputed. */
  readonly #done = new Set<GraphNode>();
  /** The newest results of each stage, read once per stage instead of once per node. */
  readonly #ofStage = new Map<string, readonly EarlierResult[]>();

  /** During a run: results whose temporary outputs it may need are held before they are looked up. */
  held: HeldResults | undefined;

  constructor(readonly options: PlanOptions) {}

  /** Notes that a node was executed, so that `--force` no longer applies to it. */
  done(node: GraphNode): void {
    this.#done.add(node);
  }

  /** Why a node must be recomputed regardless of the store, if it must. */
  #demanded(node: GraphNode): Reason | undefined {
    if (this.#done.has(node)) return undefined;
    if (this.options.force?.has(node)) return { kind: "forced" };
    return this.options.noCache === true ? { kind: "no-cache" } : undefined;
  }

  /**
   * Plans nodes in topological order. `nodes` must contain all ancestors of its members, but for those that are known.
   *
   * @param known plans of nodes whose outputs are there.
   * @throws the signal's reason when aborted meanwhile: other tasks of this process run in between.
   */
  async plan(
    nodes: readonly GraphNode[],
    signal?: AbortSignal,
    known: Iterable<PlannedNode> = [],
  ): Promise<Map<GraphNode, PlannedNode>> {
    const plan = new Map<GraphNode, PlannedNode>();
    for (const planned of known) plan.set(planned.node, planned);
    const turn = turns();
    for (const node of nodes) {
      if (plan.has(node)) continue;
      await turn();
      signal?.throwIfAborted();
      const waiting = parentsOf(node).filter((parent) => plan.get(parent)?.outputs === undefined);
      plan.set(
        node,
        waiting.length > 0
          ? await this.#guess(node, waiting)
          : await this.inspect(node, (source) => plan.get(source.node)!.outputs![source.output]!),
      );
    }
    return plan;
  }

  /**
   * Plans a node whose inputs are all known.
   *
   * @param artifactOf returns the artifact of an input.
   */
  async inspect(node: GraphNode, artifactOf: (source: OutputRef) => Artifact): Promise<PlannedNode> {
    if (node.stage.locate !== undefined) {
      const artifact = await locateArtifact(node, this.options.fileDigests);
      return { node, status: "cached", reasons: [], ...locatedResult(node, artifact) };
    }
    const code = await this.options.fingerprinter.of(node.stage);
    const components = this.#components(node, code, (source) => artifactOf(source).digest);
    const key = keyOf(components);
    const demanded = this.#demanded(node);
    if (demanded !== undefined) return { node, status: "run", reasons: [demanded], key, components };
    if (node.stage.temporary.length > 0) await this.held?.hold(key);
    const here = this.options.store.lookup(key);
    const got = here.state !== "found" && await this.options.elsewhere?.(key);
    const found = got ? this.options.store.lookup(key) : here;
    if (found.state === "found") {
      return {
        node,
        status: "cached",
        reasons: [],
        key,
        components,
        outputs: found.result.outputs,
        result: found.result,
      };
    }
    if (found.state === "damaged") {
      return { node, status: "run", reasons: [{ kind: "damaged", why: found.why }], key, components };
    }
    const reasons = this.#explain(node, components, key).map((reason) =>
      this.#withFiles(node, reason, artifactOf)
    );
    return { node, status: "run", reasons, key, components };
  }

  /** The reason with the names of the files of data outside the store that changed. */
  #withFiles(node: GraphNode, reason: Reason, artifactOf: (source: OutputRef) => Artifact): Reason {
    if (reason.kind !== "input" || reason.from === undefined) return reason;
    const input = node.inputs[reason.name.split(" ")[0]!];
    const [source, ...others] = input === undefined ? [] : listOf(input);
    if (source?.node.stage.locate === undefined || others.length > 0) return reason;
    const digests = (files: Artifact["files"]) => new Map(files.map((file) => [file.name, file.digest]));
    const before = digests(this.options.records.artifactsByDigest(reason.from)[0]?.artifact.files ?? []);
    const now = digests(artifactOf(source).files);
    const files = [...new Set([...before.keys(), ...now.keys()])].filter((name) =>
      before.get(name) !== now.get(name)
    );
    return files.length === 0 || before.size === 0 ? reason : { ...reason, files };
  }

  /** Plans a node whose inputs are not all known yet. */
  async #guess(node: GraphNode, waiting: readonly GraphNode[]): Promise<PlannedNode> {
    const upstream: Reason = { kind: "upstream", nodes: waiting.map((parent) => parent.name) };
    const demanded = this.#demanded(node);
    if (demanded !== undefined) return { node, status: "run", reasons: [demanded, upstream] };
    const code = await this.options.fingerprinter.of(node.stage);
    const components = this.#components(node, code, () => "");
    const own = this.#explain(node, components, undefined).filter((reason) => reason.kind !== "input");
    return { node, status: own.length > 0 ? "run" : "unknown", reasons: [...own, upstream] };
  }

  /** The components of a node's key, given the digests of its inputs. */
  async components(node: GraphNode, digestOf: (source: OutputRef) => Digest): Promise<KeyComponents> {
    return this.#components(node, await this.options.fingerprinter.of(node.stage), digestOf);
  }

  #components(
    node: GraphNode,
    code: CodeFingerprint,
    digestOf: (source: OutputRef) => Digest,
  ): KeyComponents {
    return {
      format: KEY_FORMAT,
      stage: node.stage.name,
      code,
      params: node.params,
      inputs: mapInputs(node.inputs, digestOf),
      ...(node.stage.seeded ? { seed: seedOf(this.options.seed, node.seedName) } : {}),
      ...(node.stage.engine === "key" ? { engine: this.options.engine } : {}),
      ...variablesOf(node.stage),
    };
  }

  /**
   * Compares with the closest earlier result of this node: the one with the fewest differences, then the newest.
   */
  #explain(node: GraphNode, components: KeyComponents, key: Digest | undefined): Reason[] {
    const { records, pipeline } = this.options;
    if (key !== undefined && records.hasResult(key)) {
      return [{ kind: "lost", why: "its result is no longer in the store" }];
    }
    const own = records.resultsOfNode(node.stage.name, pipeline, node.name);
    const earlier = own.length > 0 ? own : this.#resultsOfStage(node.stage.name);
    const source = (name: string) => {
      const input = node.inputs[name];
      if (input === undefined) return name;
      const sources = listOf(input);
      return sources.length === 1
        ? `${sources[0]!.node.name}:${sources[0]!.output}`
        : `${sources.length} artifacts`;
    };
    let best: { node: string; differs: Reason[] } | undefined;
    for (const result of earlier) {
      const differs = compareComponents(result.components, components, source);
      if (best === undefined || differs.length < best.differs.length) best = { node: result.node, differs };
      if (best.differs.length === 1) break; // A result without differences would have been found.
    }
    if (best === undefined) return [{ kind: "first" }];
    return best.node === node.name ? best.differs : [{ kind: "first", nearest: best }];
  }

  #resultsOfStage(stage: string): readonly EarlierResult[] {
    let results = this.#ofStage.get(stage);
    if (results === undefined) {
      this.#ofStage.set(stage, results = this.options.records.resultsOfStage(stage, this.options.pipeline));
    }
    return results;
  }
}

/** Data outside the store gets a record like any result, so that lineage ends there; the store itself holds none. */
function locatedResult(
  node: GraphNode,
  artifact: Artifact,
): { key: Digest; result: NodeResult; outputs: NodeResult["outputs"] } {
  const components: KeyComponents = {
    stage: node.stage.name,
    code: { digest: "", packages: {}, modules: {} },
    params: node.params,
    inputs: {},
  };
  const key = digestJson(["located", node.stage.name, node.params, artifact.digest]);
  const outputs = { files: artifact };
  const finished = new Date().toISOString();
  return {
    key,
    outputs,
    result: {
      key,
      stage: node.stage.name,
      node: node.name,
      run: "",
      components,
      outputs,
      seconds: 0,
      finished,
    },
  };
}
