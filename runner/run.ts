import type { Digest } from "../foundation/canonical.ts";
import type { Artifact } from "./codec.ts";
import type { RunEvent } from "./event.ts";
import type { Executor } from "./execute/executor.ts";
import type { Job, JobMessage, Outcome } from "./execute/job.ts";
import { ancestors, type Graph, type GraphNode, type OutputRef, parentsOf } from "./graph.ts";
import type { Reason } from "./key.ts";
import { jobOf, nodeRecord } from "./node_job.ts";
import { NodeLogs } from "./logs.ts";
import { refuseToCompute } from "./read_only.ts";
import type { PlannedNode, Planner } from "./plan.ts";
import { ReadyNodes } from "./ready.ts";
import { Recorder } from "./recorder.ts";
import type { NodeOutcome, RunSummary } from "./run_summary.ts";
import type { PipelineQuestion } from "./headline.ts";
import type { Records } from "./records/records.ts";
import type { NodeRecord, RunRecord, RunStatus } from "./records/rows.ts";
import type { EngineChoice } from "./stage.ts";
import { guardedSync } from "../foundation/faults.ts";
import { lock, tryLock } from "../foundation/locks.ts";
import { turns } from "../foundation/turns.ts";
import type { Store } from "./store/store.ts";
import { dropWorkspace, writeWorkspace } from "./workspace.ts";

/** What a run needs. */
export interface GraphRunOptions {
  readonly store: Store;
  readonly records: Records;
  readonly graph: Graph;
  /** The nodes to make, with what they need; all returned outputs by default. */
  readonly targets: readonly GraphNode[];
  readonly planner: Planner;
  readonly executor: Executor;
  readonly engine: EngineChoice;
  readonly adapter?: string;
  readonly record: RunRecord;
  /** What the run answers, where its pipeline says so. */
  readonly asked?: PipelineQuestion | undefined;
  readonly onEvent: (event: RunEvent) => void;
  /** Aborted to stop the run: stages save their checkpoints and end. */
  readonly stop: AbortSignal;
  /** Called with the plan before anything runs; may refuse by throwing. */
  readonly approve?: (plan: ReadonlyMap<GraphNode, PlannedNode>) => void;
  /** Looks at what a node gave; a text is a reason to fail it. */
  readonly accept?: (node: GraphNode, outputs: Readonly<Record<string, Artifact>>) => string | undefined;
}

/** How often one object may be made again in a run because it was found damaged. */
const REPAIRS = 2;

/**
 * Runs a pipeline: plans, then executes what has to run, independent nodes side by side. A failed
 * node stops only what depends on it.
 *
 * @throws RetortError when planning fails; failures of stages are in the summary instead.
 */
export async function runGraph(options: GraphRunOptions): Promise<RunSummary> {
  const { store, stop } = options;
  // `gc` takes this lock exclusively: while a run goes on, nothing that it made is swept away.
  using _shared = await lock(`${store.root}/store.lock`, { mode: "shared", signal: stop });
  // Held as long as this process lives: a run that is recorded as running but holds no lock was killed.
  const folder = store.runFolder(options.record.id);
  if (!store.readOnly) guardedSync("making", folder, () => Deno.mkdirSync(folder, { recursive: true }));
  using _alive = store.readOnly ? undefined : tryLock(`${folder}/alive.lock`);
  const began = performance.now();
  const nodes = ancestors(options.targets);
  const plan = await options.planner.plan(nodes, stop);
  if (store.readOnly) refuseToCompute(store, plan);
  options.approve?.(plan);
  return await new Scheduler(options, nodes, plan, began).run();
}

interface Slot {
  state: "pending" | "running" | NodeOutcome["state"];
  planned: PlannedNode;
  outcome?: NodeOutcome;
  reasons: readonly Reason[];
  /** It runs again because something was found damaged: its reasons stay what they were. */
  repaired: boolean;
}

/** One run in progress. */
class Scheduler {
  readonly #slots = new Map<GraphNode, Slot>();
  readonly #children = new Map<GraphNode, GraphNode[]>();
  /** Parents that are not done yet, by node. */
  readonly #waiting = new Map<GraphNode, number>();
  readonly #ready: ReadyNodes<GraphNode>;
  readonly #running = new Map<GraphNode, Promise<void>>();
  /** Keys that are being computed: equal nodes wait for each other. */
  readonly #keys = new Set<string>();
  /** How often each object was made again: what bounds the repairs of a run. */
  readonly #repairs = new Map<Digest, number>();
  readonly #recorder: Recorder;
  readonly #logs: NodeLogs;
  /** Awaited once a node: a run that only looks things up hears signals too. */
  readonly #turn = turns();
  /** A fault of the runner itself, not of a stage: it ends the run. */
  #fault: { readonly error: unknown } | undefined;
  #lanes = 0;
  #engineBusy = false;

  constructor(
    readonly options: GraphRunOptions,
    readonly nodes: readonly GraphNode[],
    plan: ReadonlyMap<GraphNode, PlannedNode>,
    readonly began: number,
  ) {
    const { record, store } = options;
    this.#ready = new ReadyNodes((node) => this.#usesEngine(node));
    for (const node of nodes) {
      const planned = plan.get(node)!;
      this.#slots.set(node, { state: "pending", planned, reasons: planned.reasons, repaired: false });
      this.#waiting.set(node, 0);
      for (const parent of parentsOf(node)) {
        const children = this.#children.get(parent);
        if (children === undefined) this.#children.set(parent, [node]);
        else children.push(node);
      }
    }
    const needed = new Set(nodes);
    this.#logs = new NodeLogs(store.runFolder(record.id));
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
  }

  async run(): Promise<RunSummary> {
    const { record, onEvent, stop, executor } = this.options;
    onEvent({
      type: "run-start",
      run: record.id,
      plan: this.nodes.map((node) => this.#slots.get(node)!.planned),
      folder: this.options.store.runFolder(record.id),
    });
    const onStop = () => {
      onEvent({ type: "stopping" });
      executor.stop();
    };
    stop.addEventListener("abort", onStop, { once: true });
    let status: RunStatus;
    try {
      // What the plan found needs no second look; the rest becomes ready as its parents are done.
      for (const node of this.nodes) {
        await this.#turn();
        if (stop.aborted) break;
        const slot = this.#slots.get(node)!;
        if (slot.planned.outputs !== undefined) {
          this.#settle(node, this.#cached(node, slot.planned, "cached"));
        }
      }
      this.#recount();
      await this.#loop();
      status = this.#status();
      this.#recorder.end(status);
    } catch (error) {
      executor.kill();
      await Promise.allSettled(this.#running.values());
      this.#recorder.abandon();
      throw error;
    } finally {
      stop.removeEventListener("abort", onStop);
      this.#logs.close();
      await executor[Symbol.asyncDispose]();
    }
    const seconds = (performance.now() - this.began) / 1000;
    onEvent({ type: "run-end", run: record.id, status, seconds });
    return {
      run: record.id,
      recorded: !this.options.store.readOnly,
      status,
      seconds,
      nodes: this.nodes.map((node) => this.#slots.get(node)!.outcome!),
      outcomes: new Map(this.nodes.map((node) => [node, this.#slots.get(node)!.outcome!])),
    };
  }

  #usesEngine(node: GraphNode): boolean {
    return node.stage.engine !== undefined && this.options.executor.engineLane;
  }

  /** Counts anew which parents every pending node waits for, and which nodes wait for none. */
  #recount(): void {
    this.#ready.clear();
    for (const node of this.nodes) {
      if (this.#slots.get(node)!.state !== "pending") continue;
      const waiting = parentsOf(node).filter((parent) => !this.#isDone(parent)).length;
      this.#waiting.set(node, waiting);
      if (waiting === 0) this.#ready.add(node);
    }
  }

  #isDone(node: GraphNode): boolean {
    const state = this.#slots.get(node)!.state;
    return state === "cached" || state === "ran";
  }

  #status(): RunStatus {
    if (this.options.stop.aborted) {
      for (const [node, slot] of this.#slots) {
        if (slot.state !== "pending") continue;
        const outcome = { node, state: "unused", reasons: slot.reasons } as const;
        // Thousands that were never begun are recorded at the end of the run, all at once.
        if (this.#recorder.isPending(node.name)) [slot.state, slot.outcome] = ["unused", outcome];
        else this.#settle(node, outcome);
      }
      const unfinished = [...this.#slots.values()].some((s) =>
        s.state === "unused" || s.state === "interrupted"
      );
      if (unfinished) return "interrupted";
    }
    return [...this.#slots.values()].some((slot) => slot.state === "failed") ? "failed" : "done";
  }

  async #loop(): Promise<void> {
    while (true) {
      if (!this.options.stop.aborted) await this.#startReady();
      if (this.#fault !== undefined) throw this.#fault.error;
      if (this.#running.size === 0) {
        if (this.#ready.size === 0 || this.options.stop.aborted) return;
        continue;
      }
      await Promise.race(this.#running.values());
    }
  }

  /** Starts every ready node for which there is a free lane. */
  async #startReady(): Promise<void> {
    while (true) {
      await this.#turn();
      const lane = this.options.stop.aborted ? undefined : this.#freeLane();
      if (lane === undefined) return;
      await this.#start(this.#ready.take(lane.engine)!, lane.engine);
    }
  }

  /** A lane that is free and has a node waiting for it. */
  #freeLane(): { engine: boolean } | undefined {
    if (this.#lanes < this.options.executor.lanes && this.#ready.waiting(false)) return { engine: false };
    return !this.#engineBusy && this.#ready.waiting(true) ? { engine: true } : undefined;
  }

  /** Takes a ready node's result if there is one by now; else puts the node to work. */
  async #start(node: GraphNode, usesEngine: boolean): Promise<void> {
    const round = this.#ready.round;
    const planned = await this.#inspectReady(node);
    if (round !== this.#ready.round) return; // An input was found damaged meanwhile: all were counted anew.
    const key = planned.key!;
    if (planned.outputs !== undefined) {
      this.#settle(node, this.#cached(node, planned, "cached"));
      return this.#ready.release(key);
    }
    // An equal node is at work: its result will do.
    if (this.#keys.has(key)) return this.#ready.putAside(key, node);
    if (usesEngine) this.#engineBusy = true;
    else this.#lanes++;
    this.#keys.add(key);
    const failed = (error: unknown) => void (this.#fault ??= { error });
    // The loop may be waiting for something else when it fails: it looks there for the fault.
    const work = this.#execute(node, planned).catch(failed).finally(() => {
      if (usesEngine) this.#engineBusy = false;
      else this.#lanes--;
      this.#keys.delete(key);
      this.#running.delete(node);
      // Equal nodes find the result now; without one, the next of them has to try.
      this.#ready.release(key, this.#isDone(node) ? undefined : 1);
    });
    this.#running.set(node, work);
  }

  async #inspectReady(node: GraphNode): Promise<PlannedNode> {
    const slot = this.#slots.get(node)!;
    const artifactOf = (source: OutputRef) => this.#slots.get(source.node)!.outcome!.outputs![source.output]!;
    const planned = await this.options.planner.inspect(node, artifactOf);
    slot.planned = planned;
    if (!slot.repaired) slot.reasons = planned.reasons;
    return planned;
  }

  #cached(node: GraphNode, planned: PlannedNode, how: "cached" | "elsewhere"): NodeOutcome {
    if (planned.result !== undefined) this.#recorder.result(planned.result, false);
    const outputs = planned.outputs!;
    const seconds = planned.result?.seconds ?? 0;
    this.options.onEvent({ type: "node-done", node, how, seconds, outputs });
    return {
      node,
      state: "cached",
      outputs,
      reasons: [],
      ...(planned.key === undefined ? {} : { key: planned.key }),
    };
  }

  async #execute(node: GraphNode, planned: PlannedNode): Promise<void> {
    const { record, onEvent, executor, planner } = this.options;
    const slot = this.#slots.get(node)!;
    slot.state = "running";
    const log = this.#logs.open(node.index, node.name);
    const started = Date.now() / 1000;
    const job = this.#job(node, planned);
    this.#recorder.node(node.name, {
      state: "running",
      started,
      key: job.key,
      reasons: slot.reasons,
      log: log.relative,
    });
    onEvent({ type: "node-start", node, reasons: slot.reasons, log: log.path });
    const began = performance.now();
    const outcome = await executor.execute(
      job,
      node.stage.engine !== undefined,
      (message) => this.#message(node, message, log.write),
    );
    const seconds = (performance.now() - began) / 1000;
    const refused = outcome.kind === "done" || outcome.kind === "elsewhere"
      ? this.options.accept?.(node, outcome.result.outputs)
      : undefined;
    if (refused !== undefined) {
      this.#fail(node, { kind: "failed", error: refused }, { job, seconds, log, run: record.id });
    } else if (outcome.kind === "done" || outcome.kind === "elsewhere") {
      const { result } = outcome;
      this.#recorder.result(result, outcome.kind === "done");
      onEvent({
        type: "node-done",
        node,
        how: outcome.kind === "done" ? "ran" : "elsewhere",
        seconds,
        outputs: result.outputs,
      });
      dropWorkspace(this.options.store, node.name);
      const state = outcome.kind === "done" ? "ran" : "cached";
      this.#settle(
        node,
        {
          node,
          state,
          outputs: result.outputs,
          key: result.key,
          reasons: slot.reasons,
          seconds,
          log: log.path,
        },
        result.engine,
      );
    } else if (outcome.kind === "interrupted") {
      onEvent({ type: "node-interrupted", node });
      this.#settle(node, { node, state: "interrupted", reasons: slot.reasons, seconds, log: log.path });
    } else if (outcome.kind === "damaged" && this.#repair(node, job, outcome)) {
      log.write(outcome.error);
    } else {
      this.#fail(node, outcome, { job, seconds, log, run: record.id });
    }
    // `force` counts once: what a forced node made is good for the rest of the run.
    planner.done(node);
    log.close();
  }

  #job(node: GraphNode, planned: PlannedNode): Job {
    const kinds = planned.reasons.map((reason) => reason.kind);
    return {
      ...jobOf(node, planned, (source) => this.#slots.get(source.node)!.outcome!.outputs![source.output]!),
      run: this.options.record.id,
      pipeline: this.options.record.pipeline,
      engine: this.options.engine,
      ...(this.options.adapter === undefined ? {} : { adapter: this.options.adapter }),
      store: this.options.store.root,
      mode: kinds.includes("forced") || kinds.includes("no-cache") ? "recompute" : "make",
    };
  }

  #message(node: GraphNode, message: JobMessage, write: (text: string) => void): void {
    const { onEvent } = this.options;
    switch (message.type) {
      case "log":
        write(message.text);
        return onEvent({ type: "node-log", node, text: message.text });
      case "waiting":
        write("waiting for another run that is computing this very node");
        return onEvent({ type: "node-waiting", node });
      case "progress":
        this.#recorder.progress(node.name, message);
        return onEvent({ ...message, type: "node-progress", node });
      case "metric":
        this.#recorder.metric({
          node: node.name,
          name: message.name,
          step: message.step ?? null,
          value: message.value,
          time: Date.now() / 1000,
        });
        return onEvent({ ...message, type: "node-metric", node });
      case "chosen":
        return this.#recorder.choice({ node: node.name, name: message.name, value: message.value });
    }
  }

  /**
   * Inputs were damaged: the nodes that made them run again, then this one. Goes on as long as it is new objects
   * that are found damaged, however many. False when that cannot help.
   */
  #repair(node: GraphNode, job: Job, outcome: Outcome & { kind: "damaged" }): boolean {
    const damaged = new Set(outcome.digests);
    const makers = parentsOf(node).filter((parent) =>
      Object.values(this.#slots.get(parent)!.outcome!.outputs!).some((artifact) =>
        artifact.files.some((file) => damaged.has(file.digest))
      )
    );
    // Nobody's any more: made again meanwhile, for another node that had found it, and with other bytes.
    const replaced = makers.length === 0 &&
      (Object.values(job.inputs).flat() as Artifact[]).some((artifact) =>
        artifact.files.some((file) => damaged.has(file.digest))
      );
    if (makers.length === 0 && !replaced) return false;
    if (makers.some((maker) => maker.stage.locate !== undefined)) return false;
    for (const digest of damaged) {
      const times = this.#repairs.get(digest) ?? 0;
      if (times >= REPAIRS) return false;
      this.#repairs.set(digest, times + 1);
    }
    const idle = makers.filter((maker) => this.#slots.get(maker)!.state !== "running");
    for (const slot of [node, ...idle].map((one) => this.#slots.get(one)!)) {
      slot.repaired = true;
      slot.state = "pending";
    }
    for (const maker of idle) {
      this.#slots.get(maker)!.reasons = [{ kind: "damaged", why: outcome.error }];
      this.options.onEvent({ type: "node-again", node: maker, why: outcome.error });
    }
    this.#recount();
    return true;
  }

  #fail(
    node: GraphNode,
    outcome: Outcome & { kind: "failed" | "damaged" },
    info: { job: Job; seconds: number; log: { path: string; write(text: string): void }; run: string },
  ): void {
    const hint = outcome.kind === "failed" ? outcome.hint : undefined;
    const stack = outcome.kind === "failed" ? outcome.stack : undefined;
    info.log.write(`failed: ${outcome.error}${hint === undefined ? "" : `\n${hint}`}`);
    if (stack !== undefined) info.log.write(stack);
    writeWorkspace(this.options.store, info.job, { error: outcome.error, log: info.log.path });
    this.options.onEvent({ type: "node-failed", node, error: outcome.error, log: info.log.path });
    this.#settle(node, {
      node,
      state: "failed",
      reasons: this.#slots.get(node)!.reasons,
      seconds: info.seconds,
      error: outcome.error,
      ...(hint === undefined ? {} : { hint }),
      log: info.log.path,
    });
  }

  /** Records what came of a node and lets its children know. */
  #settle(node: GraphNode, outcome: NodeOutcome, engine?: NodeRecord["engine"]): void {
    const slot = this.#slots.get(node)!;
    slot.state = outcome.state;
    slot.outcome = outcome;
    this.#recorder.node(node.name, {
      state: outcome.state,
      key: outcome.key ?? slot.planned.key ?? null,
      reasons: outcome.reasons,
      seconds: outcome.seconds ?? null,
      error: outcome.error ?? null,
      engine: engine ?? null,
    });
    const children = this.#children.get(node) ?? [];
    if (outcome.state === "failed") this.#skip(children, node);
    else if (outcome.state === "cached" || outcome.state === "ran") {
      for (const child of children) {
        if (this.#slots.get(child)!.state !== "pending") continue;
        const left = this.#waiting.get(child)! - 1;
        this.#waiting.set(child, left);
        if (left === 0) this.#ready.add(child);
      }
    }
  }

  /** Skips nodes with all that follow from them; not by recursion, which long chains would exhaust. */
  #skip(nodes: readonly GraphNode[], because: GraphNode): void {
    const stack = nodes.toReversed();
    for (let node = stack.pop(); node !== undefined; node = stack.pop()) {
      if (this.#slots.get(node)!.state !== "pending") continue;
      this.options.onEvent({ type: "node-skipped", node, because });
      this.#settle(node, { node, state: "skipped", reasons: [], because });
      for (const child of (this.#children.get(node) ?? []).toReversed()) stack.push(child);
    }
  }
}
