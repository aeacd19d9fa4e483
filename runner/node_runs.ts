import type { AttemptPolicies } from "./attempt_policies.ts";
import type { Job, JobMessage, Outcome } from "./execute/job.ts";
import type { GraphNode } from "./graph.ts";
import { NodeLogs } from "./logs.ts";
import { jobOf } from "./node_job.ts";
import type { PlannedNode } from "./plan.ts";
import { NodePlace, type PlaceMessage } from "./node_place.ts";
import type { Recorder } from "./recorder.ts";
import { Repairs } from "./repair.ts";
import type { GraphRunOptions } from "./run_options.ts";
import type { RunState } from "./run_state.ts";
import type { NodeOutcome } from "./run_summary.ts";
import { type Cause, causeOf } from "./policy.ts";
import { dropWorkspace, writeWorkspace } from "./workspace.ts";

/** Executes single nodes of a run: builds the job, keeps the log, forwards messages, settles the outcome. */
export class NodeRuns implements Disposable {
  readonly #options: GraphRunOptions;
  readonly #state: RunState;
  readonly #recorder: Recorder;
  readonly #logs: NodeLogs;
  readonly #repairs: Repairs;
  readonly #policies: AttemptPolicies;
  /** How often each node was tried, where more than once. */
  readonly #attempts = new Map<GraphNode, number>();

  constructor(
    options: GraphRunOptions,
    state: RunState,
    recorder: Recorder,
    policies: AttemptPolicies,
  ) {
    this.#options = options;
    this.#state = state;
    this.#recorder = recorder;
    this.#policies = policies;
    this.#logs = new NodeLogs(options.store.runFolder(options.record.id));
    this.#repairs = new Repairs(state, options.onEvent);
  }

  /** Closes the logs. */
  [Symbol.dispose](): void {
    this.#logs[Symbol.dispose]();
  }

  /** The outcome of a node whose result is in the store. */
  cached(node: GraphNode, planned: PlannedNode): NodeOutcome {
    if (planned.result !== undefined) this.#recorder.result(planned.result, false);
    const outputs = planned.outputs!;
    const seconds = planned.result?.seconds ?? 0;
    this.#options.onEvent({ type: "node-done", node, how: "cached", seconds, outputs });
    return {
      node,
      state: "cached",
      outputs,
      reasons: [],
      ...(planned.key === undefined ? {} : { key: planned.key }),
      ...(planned.result?.dropped === undefined ? {} : { dropped: planned.result.dropped }),
    };
  }

  /**
   * Executes a node and settles its outcome, unless it is to be tried again.
   *
   * @returns the seconds until then.
   */
  async execute(node: GraphNode, planned: PlannedNode): Promise<number | undefined> {
    const { record, onEvent, executor, planner } = this.#options;
    const slot = this.#state.slot(node);
    slot.state = "running";
    const attempt = this.#attempts.get(node) ?? 1;
    using log = this.#logs.open(node.index, node.name, attempt);
    const started = Date.now() / 1000;
    const code = await this.#options.code?.of(node.stage);
    const job: Job = { ...this.#job(node, planned), ...(code === undefined ? {} : { code }) };
    this.#recorder.node(node.name, {
      state: "running",
      started,
      key: job.key,
      reasons: slot.reasons,
      log: log.relative,
    });
    onEvent({ type: "node-start", node, reasons: slot.reasons, log: log.path });
    const began = performance.now();
    const asked = {
      host: null,
      worker: null,
      waited: null,
      used: null,
      memory: job.memory,
      time: job.timeout,
    };
    const place = new NodePlace({ node: node.name, ...asked }, began, this.#recorder);
    const outcome = await executor.execute(
      job,
      node.stage.engine !== undefined,
      (message) => {
        if (!place.hear(message)) this.#message(node, message, log.write);
      },
    );
    const seconds = (performance.now() - began) / 1000;
    const ended = { attempt, started, seconds, log: log.relative };
    if (outcome.kind === "failed" && this.#tryAgain(node, outcome, ended)) {
      log.write(`failed [${outcome.code}]: ${outcome.error}\nIt is tried again.`);
      if (outcome.stack !== undefined) log.write(outcome.stack);
      return this.#policies.of(node).retries.wait;
    }
    if (attempt > 1 && (outcome.kind === "done" || outcome.kind === "elsewhere")) {
      this.#recorder.attempt({ node: node.name, ...ended, cause: null, code: null, error: null });
    }
    const refused = outcome.kind === "done" || outcome.kind === "elsewhere"
      ? this.#options.accept?.(node, outcome.result.outputs)
      : undefined;
    if (refused !== undefined) {
      this.#fail(node, { kind: "failed", code: "run/other-bytes", error: refused }, {
        job,
        seconds,
        log,
        run: record.id,
      });
    } else if (outcome.kind === "done" || outcome.kind === "elsewhere") {
      const { result } = outcome;
      this.#recorder.result(result, outcome.kind === "done");
      // What is temporary may go at any moment from now on.
      if (node.stage.temporary.length === 0) this.#options.made?.(result.key);
      onEvent({
        type: "node-done",
        node,
        how: outcome.kind === "done" ? "ran" : "elsewhere",
        seconds,
        outputs: result.outputs,
      });
      dropWorkspace(this.#options.store, node.name);
      const state = outcome.kind === "done" ? "ran" : "cached";
      this.#state.settle(
        node,
        {
          node,
          state,
          outputs: result.outputs,
          key: result.key,
          reasons: slot.reasons,
          seconds,
          log: log.path,
          ...(result.dropped === undefined ? {} : { dropped: result.dropped }),
        },
        result.engine,
      );
    } else if (outcome.kind === "interrupted") {
      onEvent({ type: "node-interrupted", node });
      this.#state.settle(node, { node, state: "interrupted", reasons: slot.reasons, seconds, log: log.path });
    } else if (outcome.kind === "damaged" && this.#repairs.repair(node, job, outcome)) {
      log.write(outcome.error);
    } else {
      this.#fail(node, outcome, { job, seconds, log, run: record.id });
    }
    // `--force` applies once: the result of a forced node is used for the rest of the run.
    planner.done(node);
    return undefined;
  }

  /** Whether a node that failed is tried again; records the attempt that failed. */
  #tryAgain(
    node: GraphNode,
    { code, error }: Outcome & { kind: "failed" },
    ended: { attempt: number; started: number; seconds: number; log: string },
  ): boolean {
    const { retries } = this.#policies.of(node);
    const cause: Cause = causeOf(code);
    const again = ended.attempt <= retries.times && retries.on.includes(cause) && !this.#options.stop.aborted;
    this.#recorder.attempt({ node: node.name, ...ended, cause, code, error });
    if (!again) return false;
    if (cause === "memory") this.#policies.fellShort(node);
    const { attempt } = ended, { times, wait } = retries;
    this.#attempts.set(node, attempt + 1);
    this.#options.onEvent({ type: "node-retry", node, code, error, attempt, attempts: times + 1, wait });
    this.#state.slot(node).state = "pending";
    this.#recorder.node(node.name, { state: "pending" });
    return true;
  }

  #job(node: GraphNode, planned: PlannedNode): Job {
    const kinds = planned.reasons.map((reason) => reason.kind);
    const { wanted } = this.#state.slot(node);
    return {
      ...jobOf(
        node,
        planned,
        (source) => this.#state.artifactOf(source),
        this.#policies.of(node),
      ),
      run: this.#options.record.id,
      pipeline: this.#options.record.pipeline,
      engine: this.#options.engine,
      ...(this.#options.adapter === undefined ? {} : { adapter: this.#options.adapter }),
      ...(this.#options.config === undefined ? {} : { config: this.#options.config }),
      store: this.#options.store.root,
      ...wanted.length > 0
        ? { mode: "remake", wanted }
        : { mode: kinds.includes("forced") || kinds.includes("no-cache") ? "recompute" : "make" },
    };
  }

  #message(
    node: GraphNode,
    message: Exclude<JobMessage, PlaceMessage>,
    write: (text: string) => void,
  ): void {
    const { onEvent } = this.#options;
    switch (message.type) {
      case "log":
        write(message.text);
        return onEvent({ type: "node-log", node, text: message.text });
      case "waiting":
        write(`waiting for ${message.for ?? "another run that is computing this very node"}`);
        return onEvent({ ...message, type: "node-waiting", node });
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

  #fail(
    node: GraphNode,
    outcome: Outcome & { kind: "failed" | "damaged" },
    info: { job: Job; seconds: number; log: { path: string; write(text: string): void }; run: string },
  ): void {
    const hint = outcome.kind === "failed" ? outcome.hint : undefined;
    const stack = outcome.kind === "failed" ? outcome.stack : undefined;
    info.log.write(`failed [${outcome.code}]: ${outcome.error}${hint === undefined ? "" : `\n${hint}`}`);
    if (stack !== undefined) info.log.write(stack);
    const { code, error } = outcome;
    writeWorkspace(this.#options.store, info.job, { code, error, log: info.log.path });
    this.#options.onEvent({ type: "node-failed", node, code, error, log: info.log.path });
    this.#state.settle(node, {
      node,
      state: "failed",
      reasons: this.#state.slot(node).reasons,
      seconds: info.seconds,
      code,
      error,
      ...(hint === undefined ? {} : { hint }),
      log: info.log.path,
    });
  }
}
