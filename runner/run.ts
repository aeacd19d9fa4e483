import { guardedSync } from "../foundation/faults.ts";
import { lock, tryLock } from "../foundation/locks.ts";
import { turns } from "../foundation/turns.ts";
import { AttemptPolicies } from "./attempt_policies.ts";
import { CancelWatch } from "./cancel.ts";
import { messageOf } from "../foundation/errors.ts";
import { DamagedError } from "./errors.ts";
import { Drops } from "./drops.ts";
import { ancestors, type Graph, type GraphNode, type OutputRef } from "./graph.ts";
import { eachInput } from "./inputs.ts";
import { nodeRecord } from "./node_job.ts";
import { NodeRuns } from "./node_runs.ts";
import { Pool } from "./pool.ts";
import type { PlannedNode } from "./plan.ts";
import { refuseToCompute } from "./read_only.ts";
import { Recorder } from "./recorder.ts";
import { withRemakes } from "./remakes.ts";
import type { RunStatus } from "./records/rows.ts";
import type { GraphRunOptions } from "./run_options.ts";
import { RunState } from "./run_state.ts";
import type { RunSummary } from "./run_summary.ts";
import { HeldResults } from "./store/held.ts";
import type { NodeResult } from "./store/store.ts";

/**
 * Plans a pipeline and executes the nodes that have to run, independent ones in parallel. A failed node stops only
 * its descendants.
 *
 * @throws RetortError when planning fails; failures of stages are in the summary instead. The executor is freed in any case.
 */
export async function runGraph(options: GraphRunOptions): Promise<RunSummary> {
  const { store, stop } = options;
  await using _freed = options.executor;
  // `gc` takes this lock exclusively, so nothing is collected while a run is in progress.
  using _shared = await lock(`${store.root}/store.lock`, { mode: "shared", signal: stop });
  // Held while this process lives: a run recorded as running without this lock was killed.
  const folder = store.runFolder(options.record.id);
  if (!store.readOnly) guardedSync("making", folder, () => Deno.mkdirSync(folder, { recursive: true }));
  using _alive = store.readOnly ? undefined : tryLock(`${folder}/alive.lock`);
  const began = performance.now();
  const nodes = ancestors(options.targets);
  using held = new HeldResults(store);
  options.planner.held = store.readOnly ? undefined : held;
  using _let = { [Symbol.dispose]: () => options.planner.held = undefined };
  const plan = withRemakes(await options.planner.plan(nodes, stop), options.wanted());
  if (store.readOnly) refuseToCompute(store, plan);
  options.approve?.(plan);
  using cancelled = store.readOnly ? undefined : new CancelWatch(folder);
  const either = cancelled === undefined ? stop : AbortSignal.any([stop, cancelled.signal]);
  return await new Scheduler({ ...options, stop: either, held }, nodes, plan, began).run();
}

/** How often what a build reads is made again in one run because it was damaged. */
const REPAIRS = 2;

/** Schedules the nodes of a run: decides which starts when, and on which lane. */
class Scheduler {
  readonly #options: GraphRunOptions & { readonly held: HeldResults };
  #graph: Graph;
  /** What the build waits for. */
  #awaited: readonly OutputRef[];
  /** How often what it reads was made again because it was damaged. */
  #repairs = 0;
  readonly #began: number;
  readonly #recorder: Recorder;
  readonly #state: RunState;
  readonly #runs: NodeRuns;
  readonly #running = new Map<GraphNode, Promise<void>>();
  /** Keys being computed: nodes with equal keys wait for each other. */
  readonly #keys = new Set<string>();
  /** Awaited once per node, so that signals are handled even when every result is cached. */
  readonly #turn = turns();
  /** An error in the runner itself, not in a stage: it ends the run. */
  #fault: { readonly error: unknown } | undefined;
  readonly #pool: Pool<GraphNode>;
  readonly #drops: Drops;
  /** Nodes that are tried again after a while. */
  readonly #waits = new Set<Promise<void>>();

  constructor(
    options: GraphRunOptions & { readonly held: HeldResults },
    nodes: readonly GraphNode[],
    plan: ReadonlyMap<GraphNode, PlannedNode>,
    began: number,
  ) {
    this.#options = options;
    this.#graph = options.graph;
    this.#awaited = options.graph.awaited;
    this.#began = began;
    const { record, executor, onEvent } = options;
    const needed = new Set(nodes);
    this.#recorder = new Recorder(
      options.records,
      record,
      nodes.map((node) => nodeRecord(record.id, node, plan.get(node)!)),
      {
        nodes,
        outputs: [...options.graph.outputs].filter(([, source]) => needed.has(source.node)),
        asked: options.asked,
      },
    );
    const policies = new AttemptPolicies(options);
    this.#pool = new Pool(options.capacity, executor.lanes, (node) => {
      const { cores, memory = 0, gpus } = policies.of(node);
      const engine = node.stage.engine !== undefined && executor.engineLane;
      return { engine, cores: cores ?? (engine ? 0 : 1), memory, gpus };
    });
    this.#state = new RunState(nodes, plan, this.#pool.laneOf, this.#recorder, onEvent);
    this.#runs = new NodeRuns(options, this.#state, this.#recorder, policies);
    const { store, held, wanted } = options;
    this.#drops = new Drops({ store, held, onEvent, graph: () => this.#graph, asked: wanted }, this.#state);
    this.#drops.extend(nodes);
    this.#state.onDone = (node) => this.#drops.done(node);
  }

  async run(): Promise<RunSummary> {
    const { record, onEvent, stop, executor } = this.#options;
    onEvent({
      type: "run-start",
      run: record.id,
      plan: this.#state.nodes.map((node) => this.#state.slot(node).planned),
      folder: this.#options.store.runFolder(record.id),
    });
    const onStop = () => {
      onEvent({ type: "stopping" });
      executor.stop();
    };
    stop.addEventListener("abort", onStop, { once: true });
    let status: RunStatus;
    try {
      // Results that the plan found are settled at once; other nodes become ready when their parents are done.
      await this.#settleCached(this.#state.nodes);
      await this.#keepCode(this.#state.nodes);
      await this.#loop();
      if (!this.#options.keepTemporary) await this.#drops.end();
      status = this.#state.end(stop.aborted, this.#awaited.length === 0);
      this.#recorder.end(status);
    } catch (error) {
      executor.kill();
      await Promise.allSettled(this.#running.values());
      this.#recorder.abandon();
      throw error;
    } finally {
      stop.removeEventListener("abort", onStop);
      this.#runs[Symbol.dispose]();
    }
    const seconds = (performance.now() - this.#began) / 1000;
    onEvent({ type: "run-end", run: record.id, status, seconds });
    return {
      run: record.id,
      recorded: !this.#options.store.readOnly,
      status,
      seconds,
      nodes: this.#state.nodes.map((node) => this.#state.slot(node).outcome!),
      outcomes: new Map(this.#state.nodes.map((node) => [node, this.#state.slot(node).outcome!])),
      dropped: this.#drops.dropped,
    };
  }

  async #settleCached(nodes: readonly GraphNode[]): Promise<void> {
    for (const node of nodes) {
      await this.#turn();
      if (this.#options.stop.aborted) break;
      const slot = this.#state.slot(node);
      if (slot.planned.outputs !== undefined && !slot.demanded) {
        this.#state.settle(node, this.#runs.cached(node, slot.planned));
      }
    }
    this.#state.recount();
  }

  /** Lets the build go on when all that it waits for is there. @returns whether there may be more to do. */
  async #grow(): Promise<boolean> {
    const { grow, stop, planner, record, onEvent, records: _, ...options } = this.#options;
    if (grow === undefined || this.#awaited.length === 0) return false;
    if (!this.#awaited.every(({ node }) => this.#state.isDone(node))) return false;
    if (this.#makeAgain(this.#awaited, undefined)) return false;
    let grown;
    try {
      grown = await grow((source) => this.#state.artifactOf(source), stop);
    } catch (error) {
      if (stop.aborted) return false;
      const damaged = error instanceof DamagedError ? error.digests : [];
      const maker = this.#awaited.find((source) =>
        this.#state.artifactOf(source).files.some((file) => damaged.includes(file.digest))
      );
      if (maker === undefined || ++this.#repairs > REPAIRS) throw error;
      this.#state.again(maker.node, { kind: "damaged", why: messageOf(error) });
      return false;
    }
    if (grown === undefined) return false;
    const nodes = grown.nodes.filter((node) => !this.#state.has(node));
    const known = this.#state.nodes.map((node): PlannedNode => {
      const { planned, outcome } = this.#state.slot(node);
      if (outcome?.outputs === undefined) return planned;
      // What was dropped is what is dropped by now.
      const { result, remake: _remake, remakeIf: _remakeIf, ...rest } = planned;
      const { dropped: _dropped, ...whole } = result ?? {} as NodeResult;
      const { dropped } = outcome;
      return {
        ...rest,
        status: "cached",
        outputs: outcome.outputs,
        ...(result === undefined ? {} : { result: dropped === undefined ? whole : { ...whole, dropped } }),
      };
    });
    const planned = await planner.plan(nodes, stop, known).catch((error) => {
      if (!stop.aborted) throw error;
    });
    if (planned === undefined) return false;
    this.#graph = grown.graph;
    this.#awaited = grown.graph.awaited;
    const plan = withRemakes(planned, options.wanted());
    options.approve?.(plan);
    const made = new Set(grown.nodes);
    this.#recorder.extend(nodes.map((node) => nodeRecord(record.id, node, plan.get(node)!)), {
      nodes,
      outputs: [...grown.graph.outputs].filter(([, source]) => made.has(source.node)),
      asked: grown.asked,
    });
    this.#state.extend(nodes, plan);
    this.#drops.extend(nodes);
    onEvent({ type: "run-grown", plan: nodes.map((node) => plan.get(node)!) });
    await this.#settleCached(nodes);
    await this.#keepCode(nodes);
    return true;
  }

  /** Keeps the code of stages as it is now, where some are to run elsewhere: it may be edited before their turn comes. */
  async #keepCode(nodes: readonly GraphNode[]): Promise<void> {
    const made = nodes.filter(({ stage }) => stage.locate === undefined);
    if (made.every((node) => this.#state.isDone(node))) return;
    await this.#options.code?.keep(made.map(({ stage }) => stage));
  }

  async #loop(): Promise<void> {
    while (true) {
      while (!this.#options.stop.aborted && await this.#grow());
      if (!this.#options.stop.aborted) await this.#startReady();
      if (!this.#options.keepTemporary) this.#drops.begin();
      if (this.#fault !== undefined) throw this.#fault.error;
      if (this.#running.size === 0) {
        if (this.#options.stop.aborted) return;
        if (this.#waits.size > 0) await Promise.race(this.#waits);
        // What the build waits for may have come to be there meanwhile.
        else if (this.#state.ready.size === 0 && !await this.#grow() && this.#state.ready.size === 0) return;
        continue;
      }
      await Promise.race([...this.#running.values(), ...this.#waits]);
    }
  }

  /** Starts every ready node for which there is a place. */
  async #startReady(): Promise<void> {
    while (true) {
      await this.#turn();
      const lane = this.#options.stop.aborted ? undefined : this.#pool.next(this.#state.ready.waiting);
      if (lane === undefined) return;
      await this.#start(this.#state.ready.take(lane)!, lane);
    }
  }

  /** Uses a ready node's result if it exists by now; otherwise executes the node. */
  async #start(node: GraphNode, lane: string): Promise<void> {
    const round = this.#state.ready.round;
    const planned = await this.#inspectReady(node);
    if (round !== this.#state.ready.round) return; // An input turned out to be damaged meanwhile: the queue was rebuilt.
    const key = planned.key!;
    const wanted = this.#wanted(node, planned);
    if (planned.outputs !== undefined && wanted.length === 0) {
      this.#state.settle(node, this.#runs.cached(node, planned));
      return this.#state.ready.release(key);
    }
    if (this.#makeAgain(eachInput(node.inputs).map(([, source]) => source), node)) return;
    // A node with the same key is running: its result will be used.
    if (this.#keys.has(key)) return this.#state.ready.putAside(key, node);
    this.#pool.take(lane);
    this.#keys.add(key);
    this.#state.slot(node).wanted = wanted;
    const failed = (error: unknown) => void (this.#fault ??= { error });
    // The loop may be awaiting something else when this fails; it checks `#fault`.
    const work = this.#runs.execute(node, planned).then((wait) => {
      if (wait !== undefined) this.#requeue(node, wait);
    }).catch(failed).finally(() => {
      this.#pool.give(lane);
      this.#keys.delete(key);
      this.#running.delete(node);
      // Nodes with the same key now find the result; if there is none, the next of them is executed.
      this.#state.ready.release(key, this.#state.isDone(node) ? undefined : 1);
    });
    this.#running.set(node, work);
  }

  /** Dropped outputs of a node's result that are to be made again. */
  #wanted(node: GraphNode, { result }: PlannedNode): string[] {
    if (result?.dropped === undefined) return [];
    const { demanded } = this.#state.slot(node);
    const asked = this.#options.wanted().get(node);
    const needed = demanded ? this.#drops.needed(node) : [...asked ?? []];
    return needed.filter((output) => result.dropped![output] !== undefined);
  }

  /** Has dropped outputs made again that a node needs, or the build. @returns whether there are any. */
  #makeAgain(sources: readonly OutputRef[], reader: GraphNode | undefined): boolean {
    const gone = Map.groupBy(sources.filter((source) => this.#state.isDropped(source)), ({ node }) => node);
    for (const [node, outputs] of gone) {
      this.#state.again(node, {
        kind: "dropped",
        outputs: [...new Set(outputs.map(({ output }) => output))],
        nodes: reader === undefined ? [] : [reader.name],
        seconds: this.#state.slot(node).planned.result?.seconds ?? 0,
      });
    }
    return gone.size > 0;
  }

  /** Queues a node again after some seconds, unless the run is stopped meanwhile. */
  #requeue(node: GraphNode, seconds: number): void {
    const { stop } = this.#options;
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, seconds * 1000);
    const end = () => resolve();
    stop.addEventListener("abort", end, { once: true });
    const wait = promise.then(() => {
      clearTimeout(timer);
      stop.removeEventListener("abort", end);
      this.#waits.delete(wait);
      // Where an input is made again meanwhile, the node comes when that is done.
      if (!stop.aborted && this.#state.waitsForNothing(node)) this.#state.ready.add(node);
    });
    this.#waits.add(wait);
  }

  async #inspectReady(node: GraphNode): Promise<PlannedNode> {
    const slot = this.#state.slot(node);
    const planned = await this.#options.planner.inspect(node, (source) => this.#state.artifactOf(source));
    slot.planned = planned;
    if (!slot.repaired) slot.reasons = planned.reasons;
    return planned;
  }
}
