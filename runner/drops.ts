import type { Digest } from "../foundation/canonical.ts";
import { messageOf } from "../foundation/errors.ts";
import type { RunEvent } from "./event.ts";
import type { Graph, GraphNode } from "./graph.ts";
import { eachInput } from "./inputs.ts";
import { type AskedOutputs, askedOutputs } from "./remakes.ts";
import type { RunState } from "./run_state.ts";
import type { DroppedOutputs } from "./run_summary.ts";
import type { HeldResults } from "./store/held.ts";
import { DropBatch } from "./store/drop_batch.ts";
import { ObjectUses } from "./store/object_uses.ts";
import type { Store } from "./store/store.ts";

/** Milliseconds between two looks at what can be dropped: each waits for a lock and reads what other runs have recorded. */
const EVERY = 250;

/** Time between two looks at the least, in times of what a look took: drops take a small part of a run, however many there are. */
const REST = 9;

/** Results that are looked at under one lock: meanwhile no other run records any. */
const TOGETHER = 256;

/** What drops need of a run. */
export interface DropOptions {
  readonly store: Store;
  readonly held: HeldResults;
  readonly onEvent: (event: RunEvent) => void;
  /** All of the pipeline, as far as it is known. */
  readonly graph: () => Graph;
  /** Outputs that are asked for besides: they are kept. */
  readonly asked: () => AskedOutputs;
}

/**
 * Drops temporary outputs of a run once all of its nodes that read them are recorded. While the build waits for artifacts, it may yet
 * make a node that reads one: what it has made none of when it next went on is dropped, and made again should one come after all.
 */
export class Drops {
  readonly #options: DropOptions;
  readonly #state: RunState;
  readonly #uses: ObjectUses;
  /** Nodes of the run that read an output. */
  readonly #readers = new Map<GraphNode, ReadonlyMap<string, GraphNode[]>>();
  readonly #makers = new Map<GraphNode, ReadonlySet<GraphNode>>();
  /** Readers that may not be done yet, so that a look at an output of many readers takes no time for each. */
  readonly #left = new Map<GraphNode[], GraphNode[]>();
  /** Nodes of the run that have the same result. */
  readonly #byKey = new Map<Digest, Set<GraphNode>>();
  /** Results some of whose readers are done; while the build waits, those since it last went on: it may yet make readers of them. */
  readonly #candidates = new Set<Digest>();
  /** Those that the next look is about. */
  readonly #due = new Set<Digest>();
  /** Those that another run needs too: it drops them, unless it ends before this one. */
  readonly #elsewhere = new Set<Digest>();
  /** When the next look may begin. */
  #next = -Infinity;
  #sweeping: Promise<void> | undefined;
  #read: { readonly graph: Graph; readonly outputs: AskedOutputs } | undefined;
  /** What was dropped. */
  readonly dropped: DroppedOutputs[] = [];

  constructor(options: DropOptions, state: RunState) {
    this.#options = options;
    this.#state = state;
    this.#uses = new ObjectUses(options.store);
  }

  /** Takes notice of nodes of the run, parents first: all that the build has made since it last waited. */
  extend(nodes: readonly GraphNode[]): void {
    this.#makeDue();
    for (const node of nodes) {
      const { temporary } = node.stage;
      if (temporary.length > 0) this.#readers.set(node, new Map(temporary.map((name) => [name, []])));
      const makers = new Set<GraphNode>();
      for (const [, source] of eachInput(node.inputs)) {
        const readers = this.#readers.get(source.node)?.get(source.output);
        if (readers === undefined) continue;
        if (readers.at(-1) !== node) readers.push(node);
        this.#left.delete(readers);
        makers.add(source.node);
      }
      if (makers.size > 0) this.#makers.set(node, makers);
    }
  }

  /** Takes notice of a node that is done. */
  done(node: GraphNode): void {
    for (const maker of [...this.#readers.has(node) ? [node] : [], ...this.#makers.get(node) ?? []]) {
      const key = this.#state.slot(maker).outcome?.key;
      if (key === undefined) continue;
      if (!this.#byKey.has(key)) this.#byKey.set(key, new Set());
      this.#byKey.get(key)!.add(maker);
      this.#candidates.add(key);
    }
  }

  /** The temporary outputs of a node that a node of the run has yet to read, or that are asked for. */
  needed(node: GraphNode): string[] {
    const asked = this.#options.asked().get(node);
    return node.stage.temporary.filter((output) => asked?.has(output) || !this.#isRead(node, output));
  }

  /** Looks for what nothing needs any more, beside the run, and drops it. */
  begin(): void {
    if (this.#sweeping !== undefined || performance.now() < this.#next) return;
    this.#makeAllDue();
    if (this.#due.size === 0) return;
    this.#sweeping = this.#sweep().finally(() => this.#sweeping = undefined);
  }

  /** Drops what is left of a run that has come to its end. */
  async end(): Promise<void> {
    await this.#sweeping;
    this.#makeAllDue();
    for (const key of this.#elsewhere) this.#due.add(key);
    if (this.#due.size > 0) await this.#sweep();
  }

  #makeDue(): void {
    for (const key of this.#candidates) this.#due.add(key);
    this.#candidates.clear();
  }

  /** Once the build has returned, no further reader will come. */
  #makeAllDue(): void {
    if (this.#options.graph().awaited.length === 0) this.#makeDue();
  }

  async #sweep(): Promise<void> {
    const began = performance.now();
    const { store } = this.#options;
    const keys = [...this.#due].filter((key) => this.#droppable(key).length > 0);
    this.#due.clear();
    if (keys.length > 0 && !store.readOnly) {
      for (let at = 0; at < keys.length; at += TOGETHER) await this.#dropAll(keys.slice(at, at + TOGETHER));
    }
    const ended = performance.now();
    this.#next = ended + Math.max(EVERY, REST * (ended - began));
  }

  async #dropAll(keys: readonly Digest[]): Promise<void> {
    const { store, held, onEvent } = this.#options;
    const nodeOf = (key: Digest) => this.#byKey.get(key)!.values().next().value!;
    let node = nodeOf(keys[0]!);
    try {
      using _dropping = await store.dropping();
      await this.#uses.refresh();
      using batch = new DropBatch(store, this.#uses);
      const added = new Map<Digest, readonly string[]>();
      for (const key of keys) {
        node = nodeOf(key);
        const outputs = this.#droppable(key);
        if (outputs.length === 0) continue;
        batch.add(key, outputs);
        added.set(key, outputs);
      }
      await batch.sync();
      for (const [key, outputs] of added) {
        node = nodeOf(key);
        const alone = await held.alone(key, () => this.#drop(batch, key, outputs));
        if (!alone) this.#elsewhere.add(key);
      }
    } catch (error) {
      // The results are there all the same: the next run drops what this one could not.
      onEvent({ type: "drop-failed", node, error: messageOf(error) });
    }
  }

  #drop(batch: DropBatch, key: Digest, outputs: readonly string[]): void {
    // Looked at again: a node may have been begun while the notes were made and the locks were taken.
    const still = this.#droppable(key);
    if (!outputs.every((name) => still.includes(name))) return void this.#candidates.add(key);
    const node = this.#byKey.get(key)!.values().next().value!;
    const bytes = batch.drop(key);
    for (const one of this.#byKey.get(key)!) {
      const slot = this.#state.slot(one);
      const dropped = Object.fromEntries(outputs.map((name) => [name, batch.when]));
      slot.outcome = { ...slot.outcome!, dropped: { ...slot.outcome!.dropped, ...dropped } };
    }
    this.dropped.push({ node: node.name, outputs, bytes });
    this.#options.onEvent({ type: "node-dropped", node, outputs, bytes });
  }

  /** The outputs of a result that nothing needs any more. */
  #droppable(key: Digest): string[] {
    const nodes = [...this.#byKey.get(key) ?? []];
    const [first] = nodes;
    return first!.stage.temporary.filter((output) => nodes.every((node) => this.#isOver(node, output)));
  }

  #isOver(node: GraphNode, output: string): boolean {
    const { outcome } = this.#state.slot(node);
    if (!this.#state.isDone(node) || outcome?.outputs === undefined) return false;
    if (outcome.dropped?.[output] !== undefined || outcome.outputs[output]!.files.length === 0) return false;
    if (this.#options.asked().get(node)?.has(output) || !this.#isRead(node, output)) return false;
    const readers = this.#readers.get(node)!.get(output)!;
    // Where the run has no reader of it but the pipeline has, the run is a part that stops here.
    if (readers.length === 0 && this.#readInGraph(node, output)) return false;
    return readers.every((reader) => this.#state.isDone(reader));
  }

  /** Whether no reader is left, as far as a quick look tells. */
  #isRead(node: GraphNode, output: string): boolean {
    const readers = this.#readers.get(node)!.get(output)!;
    let left = this.#left.get(readers);
    if (left === undefined) this.#left.set(readers, left = [...readers]);
    while (left.length > 0 && this.#state.isDone(left.at(-1)!)) left.pop();
    return left.length === 0;
  }

  #readInGraph(node: GraphNode, output: string): boolean {
    const graph = this.#options.graph();
    if (this.#read?.graph !== graph) {
      const sources = graph.nodes.flatMap((one) => eachInput(one.inputs).map(([, source]) => source));
      this.#read = { graph, outputs: askedOutputs(sources) };
    }
    return this.#read.outputs.get(node)?.has(output) ?? false;
  }
}
