import type { Artifact } from "./codec.ts";
import type { RunEvent } from "./event.ts";
import { type GraphNode, type OutputRef, parentsOf } from "./graph.ts";
import { type Reason, reasonText } from "./key.ts";
import type { PlannedNode } from "./plan.ts";
import { ReadyNodes } from "./ready.ts";
import type { Recorder } from "./recorder.ts";
import type { NodeRecord, RunStatus } from "./records/rows.ts";
import type { NodeOutcome } from "./run_summary.ts";

/** The state of a node during a run. */
export interface NodeSlot {
  state: "pending" | "running" | NodeOutcome["state"];
  planned: PlannedNode;
  outcome?: NodeOutcome;
  reasons: readonly Reason[];
  /** It runs again because an artifact was damaged or dropped: its reasons are kept. */
  repaired: boolean;
  /** Dropped outputs of it are to be made again. */
  demanded: boolean;
  /** Which, while it runs. */
  wanted: readonly string[];
}

/**
 * The state of every node of a run: which wait for others, which are ready, how the rest ended. Records each
 * change.
 */
export class RunState {
  /** Nodes that wait only for a free lane. */
  readonly ready: ReadyNodes<GraphNode>;
  readonly #slots = new Map<GraphNode, NodeSlot>();
  readonly #children = new Map<GraphNode, GraphNode[]>();
  /** Parents that are not done yet, by node. */
  readonly #waiting = new Map<GraphNode, number>();
  readonly #recorder: Recorder;
  readonly #onEvent: (event: RunEvent) => void;

  /** Called whenever the outputs of a node are there. */
  onDone?: (node: GraphNode) => void;

  /** Parents first. */
  readonly nodes: GraphNode[] = [];

  /**
   * @param nodes parents first.
   * @param laneOf the lane in which a node waits for its place in the pool.
   */
  constructor(
    nodes: readonly GraphNode[],
    plan: ReadonlyMap<GraphNode, PlannedNode>,
    laneOf: (node: GraphNode) => string,
    recorder: Recorder,
    onEvent: (event: RunEvent) => void,
  ) {
    this.#recorder = recorder;
    this.#onEvent = onEvent;
    this.ready = new ReadyNodes(laneOf);
    this.extend(nodes, plan);
  }

  /** Adds nodes of a pipeline that has grown: after those that are there. */
  extend(nodes: readonly GraphNode[], plan: ReadonlyMap<GraphNode, PlannedNode>): void {
    for (const node of nodes) {
      this.nodes.push(node);
      const planned = plan.get(node)!;
      const demanded = planned.remake !== undefined;
      this.#slots.set(node, {
        state: "pending",
        planned,
        reasons: planned.reasons,
        repaired: demanded,
        demanded,
        wanted: [],
      });
      this.#waiting.set(node, 0);
      for (const parent of parentsOf(node)) {
        const children = this.#children.get(parent);
        if (children === undefined) this.#children.set(parent, [node]);
        else children.push(node);
      }
    }
  }

  /** The state of a node. */
  slot(node: GraphNode): NodeSlot {
    return this.#slots.get(node)!;
  }

  /** Whether a node is part of the run. */
  has(node: GraphNode): boolean {
    return this.#slots.has(node);
  }

  /** Makes a node that is done run again: its outputs turned out to be damaged, or dropped ones are needed. */
  again(node: GraphNode, reason: Reason): void {
    const slot = this.slot(node);
    const demanded = reason.kind === "dropped";
    Object.assign(slot, { repaired: true, state: "pending", reasons: [reason], demanded });
    this.#onEvent({ type: "node-again", node, why: reasonText(reason) });
    this.recount();
  }

  /** Whether an output of a node that is done was dropped. */
  isDropped({ node, output }: OutputRef): boolean {
    return this.slot(node).outcome?.dropped?.[output] !== undefined;
  }

  /** The artifact of an output of a node that is done. */
  artifactOf(source: OutputRef): Artifact {
    return this.slot(source.node).outcome!.outputs![source.output]!;
  }

  /** Recounts the parents that each pending node waits for, and requeues the nodes that wait for none. */
  recount(): void {
    this.ready.clear();
    for (const node of this.nodes) {
      if (this.#slots.get(node)!.state !== "pending") continue;
      const waiting = parentsOf(node).filter((parent) => !this.isDone(parent)).length;
      this.#waiting.set(node, waiting);
      if (waiting === 0) this.ready.add(node);
    }
  }

  /** Whether a node has not begun and all that it needs is there. */
  waitsForNothing(node: GraphNode): boolean {
    return this.slot(node).state === "pending" && parentsOf(node).every((parent) => this.isDone(parent));
  }

  /** Whether a node's outputs are available. */
  isDone(node: GraphNode): boolean {
    const state = this.#slots.get(node)!.state;
    return state === "cached" || state === "ran";
  }

  /** Records the outcome of a node and notifies its children. */
  settle(node: GraphNode, outcome: NodeOutcome, engine?: NodeRecord["engine"]): void {
    const slot = this.#slots.get(node)!;
    slot.state = outcome.state;
    slot.outcome = outcome;
    slot.demanded = false;
    this.#recorder.node(node.name, {
      state: outcome.state,
      key: outcome.key ?? slot.planned.key ?? null,
      reasons: outcome.reasons,
      seconds: outcome.seconds ?? null,
      error: outcome.error ?? null,
      code: outcome.code ?? null,
      engine: engine ?? null,
    });
    const children = this.#children.get(node) ?? [];
    if (outcome.state === "failed") this.#skip(children, node);
    else if (outcome.state === "cached" || outcome.state === "ran") {
      this.onDone?.(node);
      for (const child of children) {
        if (this.#slots.get(child)!.state !== "pending") continue;
        const left = this.#waiting.get(child)! - 1;
        this.#waiting.set(child, left);
        if (left === 0) this.ready.add(child);
      }
    }
  }

  /** Skips nodes and all their descendants. Iterative: recursion would overflow on long chains. */
  #skip(nodes: readonly GraphNode[], because: GraphNode): void {
    const stack = nodes.toReversed();
    for (let node = stack.pop(); node !== undefined; node = stack.pop()) {
      if (this.#slots.get(node)!.state !== "pending") continue;
      this.#onEvent({ type: "node-skipped", node, because });
      this.settle(node, { node, state: "skipped", reasons: [], because });
      for (const child of (this.#children.get(node) ?? []).toReversed()) stack.push(child);
    }
  }

  /**
   * How the run ended, once no node is running. Nodes that a stop left pending become unused.
   *
   * @param whole false where the pipeline might have got more nodes.
   */
  end(stopped: boolean, whole: boolean): RunStatus {
    if (stopped) {
      for (const [node, slot] of this.#slots) {
        if (slot.state !== "pending") continue;
        const outcome = { node, state: "unused", reasons: slot.reasons } as const;
        // Nodes that never started, maybe thousands, are recorded in one step when the run ends.
        if (this.#recorder.isPending(node.name)) [slot.state, slot.outcome] = ["unused", outcome];
        else this.settle(node, outcome);
      }
      const unfinished = [...this.#slots.values()].some((s) =>
        s.state === "unused" || s.state === "interrupted"
      );
      if (unfinished || !whole) return "interrupted";
    }
    if ([...this.#slots.values()].some((slot) => slot.state === "failed")) return "failed";
    if (!whole) throw new Error("the run ended though its build waits for nothing that is missing");
    return "done";
  }
}
