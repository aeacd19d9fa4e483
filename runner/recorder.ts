import type { GraphNode, OutputRef } from "./graph.ts";
import { eachInput } from "./inputs.ts";
import { messageOf } from "../foundation/errors.ts";
import type { PipelineQuestion } from "./headline.ts";
import type { Records } from "./records/records.ts";
import type {
  AttemptRecord,
  ChoiceRecord,
  MetricRecord,
  NodeRecord,
  PlaceRecord,
  ProgressRecord,
  RunRecord,
  RunStatus,
} from "./records/rows.ts";
import type { NodeResult } from "./store/store.ts";

/** What is recorded of nodes, or of those by which a pipeline has grown. */
export interface RecordedGraph {
  readonly nodes: readonly GraphNode[];
  readonly outputs: Iterable<readonly [string, OutputRef]>;
  readonly asked?: PipelineQuestion | undefined;
}

/**
 * Writes a run's records in batches, so that a thousand cached nodes cost one transaction. Records that a killed
 * run did not write are restored by the next run, which finds results by key in the store.
 */
export class Recorder {
  readonly #records: Records;
  readonly #run: string;
  readonly #nodes = new Map<string, NodeRecord>();
  readonly #dirty = new Set<string>();
  readonly #results: NodeResult[] = [];
  readonly #progress = new Map<string, ProgressRecord>();
  #metrics: MetricRecord[] = [];
  #choices: ChoiceRecord[] = [];
  #attempts: AttemptRecord[] = [];
  readonly #places = new Map<string, PlaceRecord>();
  readonly #pipeline: string;
  readonly #timer: ReturnType<typeof setInterval>;
  #fault: unknown;

  /** Records the run and its graph immediately. */
  constructor(records: Records, run: RunRecord, nodes: readonly NodeRecord[], graph: RecordedGraph) {
    this.#records = records;
    this.#run = run.id;
    this.#pipeline = run.pipeline;
    records.transaction(() => {
      records.beginRun(run);
      this.#extend(nodes, graph);
    });
    this.#timer = setInterval(() => {
      try {
        this.flush();
      } catch (error) {
        // The run continues; if the error persists, it is reported when the run ends.
        this.#fault = error;
      }
    }, 500);
  }

  /** Records immediately what a pipeline has grown by. */
  extend(nodes: readonly NodeRecord[], graph: RecordedGraph): void {
    this.#records.transaction(() => this.#extend(nodes, graph));
  }

  #extend(nodes: readonly NodeRecord[], graph: RecordedGraph): void {
    const records = this.#records, run = this.#run;
    for (const node of nodes) {
      this.#nodes.set(node.name, node);
      records.putNode(node);
    }
    if (graph.asked !== undefined) records.putQuestion(run, graph.asked);
    for (const node of graph.nodes) {
      if (node.arm !== undefined) records.putArm(run, { node: node.name, ...node.arm });
      records.addEdges(
        run,
        eachInput(node.inputs).map(([input, source]) => ({
          node: node.name,
          input,
          source: source.node.name,
          output: source.output,
        })),
      );
    }
    for (const [name, source] of graph.outputs) {
      records.addRunOutput(run, name, source.node.name, source.output);
    }
  }

  /** Whether a node is still pending. */
  isPending(name: string): boolean {
    return this.#nodes.get(name)!.state === "pending";
  }

  /** Updates the record of a node. */
  node(name: string, change: Partial<NodeRecord>): void {
    this.#nodes.set(name, { ...this.#nodes.get(name)!, ...change });
    this.#dirty.add(name);
  }

  /** Records a result unless it is already recorded. */
  result(result: NodeResult, fresh: boolean): void {
    if (fresh || !this.#records.hasResult(result.key)) this.#results.push(result);
  }

  metric(metric: MetricRecord): void {
    this.#metrics.push(metric);
  }

  choice(choice: ChoiceRecord): void {
    this.#choices.push(choice);
  }

  /** Records an execution that failed or was tried again. */
  attempt(attempt: AttemptRecord): void {
    this.#attempts.push(attempt);
  }

  /** Records where a node runs. */
  place(place: PlaceRecord): void {
    this.#places.set(place.node, place);
  }

  /** Records the progress of a node; only the latest value between two writes is kept. */
  progress(
    node: string,
    { done, total = null, unit = null }: { done: number; total?: number | null; unit?: string | null },
  ): void {
    this.#progress.set(node, { node, done, total, unit, time: Date.now() / 1000 });
  }

  /** Writes the pending changes. */
  flush(): void {
    const waiting = this.#dirty.size + this.#results.length + this.#metrics.length + this.#choices.length;
    if (waiting + this.#progress.size + this.#attempts.length + this.#places.size === 0) return;
    this.#records.transaction(() => {
      for (const name of this.#dirty) this.#records.putNode(this.#nodes.get(name)!);
      for (const result of this.#results) this.#records.addResult(result, this.#pipeline);
      this.#records.addMetrics(this.#run, this.#metrics);
      for (const choice of this.#choices) this.#records.putChoice(this.#run, choice);
      for (const attempt of this.#attempts) this.#records.putAttempt(this.#run, attempt);
      for (const place of this.#places.values()) this.#records.putPlace(this.#run, place);
      for (const progress of this.#progress.values()) this.#records.putProgress(this.#run, progress);
    });
    this.#dirty.clear();
    this.#results.length = 0;
    this.#metrics = [];
    this.#choices = [];
    this.#attempts = [];
    this.#places.clear();
    this.#progress.clear();
    this.#fault = undefined;
  }

  /** Writes the remaining changes and the end of the run. Nodes still pending become unused. */
  end(status: RunStatus): void {
    clearInterval(this.#timer);
    try {
      this.flush();
      this.#records.transaction(() => {
        this.#records.leavePending(this.#run);
        this.#records.endRun(this.#run, status, Date.now() / 1000);
      });
    } catch (error) {
      throw this.#fault ?? error;
    }
  }

  /** Ends the recording of a run that failed because of an error in the runner. */
  abandon(): string | undefined {
    clearInterval(this.#timer);
    try {
      this.end("failed");
      return undefined;
    } catch (error) {
      return messageOf(error);
    }
  }
}
