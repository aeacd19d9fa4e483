import { getOrMake } from "../../foundation/newer.ts";
import { Evidence, type Samples, sliceSamples } from "../../circuits/mod.ts";
import { type CompiledGraph, compileGraph, type KeptGraphs } from "../onnx/kept_graphs.ts";
import type { OnnxSessionOptions, TensorValue } from "../onnx/session.ts";
import type { InputGroup } from "../plan.ts";
import type { LeafLayout, LeafRows } from "./leaf_store.ts";
import type { CpuModel } from "./model.ts";
import {
  goesDown,
  type GraphProgram,
  NAMES,
  type Output,
  type ProgramKind,
  programOf,
  takesSeen,
} from "./programs.ts";
import { isUnbounded } from "./unbounded.ts";
import { isInput, type Segment, type Segmentation, segmentsOf } from "./segments.ts";
import { Trim } from "./trim.ts";
import { TRIM_NAMES } from "./trimming.ts";
import { shapeOfRun } from "./weights.ts";

/** A batch, prepared as inputs of graphs. */
export interface GraphBatch {
  /** The samples. */
  readonly samples: Samples;
  /** By segment of leaves: its rows. */
  readonly leaves: ReadonlyMap<number, LeafRows>;
  /** `[scopes, samples]`: 0 where nothing in a scope is observed; absent if no sum has such a scope. */
  readonly seen?: Float32Array;
  /** By class of segments: its row count; absent if all have all samples. See `kernels/cpu/trim.ts`. */
  readonly rows?: readonly number[];
}

/** Outputs of a program by name; valid until the next run. */
export interface GraphResults {
  /** The program. */
  readonly program: GraphProgram;
  /** A float32 output. */
  singles(name: string): Float32Array;
  /** A float64 output. */
  doubles(name: string): Float64Array;
}

interface Loaded {
  readonly program: GraphProgram;
  /** Its output buffers have the size of the largest batch so far. */
  readonly graph: CompiledGraph;
}

/** Runs the graphs of a plan, loading each on first use. */
export class GraphRunner {
  /** The model whose parameters the graphs read. */
  readonly model: CpuModel;
  /** How the plan is cut into segments. */
  readonly segmentation: Segmentation;
  /** Whether unbounded programs can be used, as long as no weight is small. */
  readonly isUnbounded: boolean;
  readonly #options: OnnxSessionOptions;
  readonly #kept: KeptGraphs | undefined;
  readonly #trim: Trim | undefined;
  readonly #evidence: Evidence;
  /** Scopes of sums. */
  readonly #sumScopes: ReadonlySet<number>;
  /** Loaded programs, by kind and whether leaves are mixed. */
  readonly #loaded = new Map<string, Promise<Loaded>>();

  /**
   * Creates a runner over the current parameters of a model.
   * @param kept graphs of earlier runners; without it they are compiled anew
   */
  constructor(model: CpuModel, options: OnnxSessionOptions, kept?: KeptGraphs) {
    const { plan, leaves } = model;
    this.model = model;
    this.#options = options;
    this.#kept = kept;
    this.segmentation = segmentsOf(plan);
    this.isUnbounded = isUnbounded(this.segmentation, leaves);
    this.#trim = this.isUnbounded ? Trim.of(plan, this.segmentation) : undefined;
    const evidence = this.#evidence = Evidence.of(plan.circuit);
    this.#sumScopes = new Set(
      plan.circuit.nodes.flatMap((node) => node.kind === "sum" ? [evidence.scopeOf[node.id] as number] : []),
    );
  }

  /** The leaf segments. */
  get inputs(): Segment<InputGroup>[] {
    return this.segmentation.segments.filter(isInput);
  }

  /** Looks up leaf rows for samples, and which sums have no evidence. */
  prepare(samples: Samples): GraphBatch {
    const leaves = new Map(
      this.inputs.map((segment) => [segment.index, this.model.leaves.rows(segment, samples)]),
    );
    const { count } = samples, seen = this.#evidence.seen(samples);
    const partial = seen !== undefined &&
      this.#sumScopes.values().some((scope) => seen.subarray(scope * count, (scope + 1) * count).includes(0));
    return { samples, leaves, ...(partial && { seen: Float32Array.from(seen) }) };
  }

  /** The sample order for trimming; undefined where trimming would not pay. */
  orderToTrim(batch: GraphBatch): Uint32Array | undefined {
    return batch.seen === undefined ? undefined : this.#trim?.order(batch.samples);
  }

  /** A batch of samples in that order, trimmed. */
  prepareTrimmed(samples: Samples): GraphBatch {
    const trim = this.#trim as Trim, rows = trim.rows(samples);
    const leaves = new Map(this.inputs.map((segment) => {
      const first = sliceSamples(samples, 0, rows[trim.classOf[segment.index] as number] as number);
      return [segment.index, this.model.leaves.rows(segment, first)];
    }));
    return { samples, leaves, rows, seen: Float32Array.from(this.#evidence.seen(samples) as Uint8Array) };
  }

  /** The samples that a leaf segment has rows for. */
  samplesOf({ samples, rows }: GraphBatch, segment: number): Samples {
    if (rows === undefined) return samples;
    return sliceSamples(samples, 0, rows[this.#trim?.classOf[segment] as number] as number);
  }

  /** The program of a kind for a batch, loaded. */
  async program(kind: ProgramKind, batch: GraphBatch): Promise<GraphProgram> {
    return (await this.#load(kind, batch)).program;
  }

  /**
   * Runs a program.
   *
   * @param clamped whether the upward pass clamps small weights
   * @param sampleWeights `[samples]`, for programs with a downward pass
   */
  async run(
    kind: ProgramKind,
    batch: GraphBatch,
    clamped: boolean,
    sampleWeights?: Float32Array,
  ): Promise<GraphResults> {
    const { program, graph: { session, buffers } } = await this.#load(kind, batch);
    const { count } = batch.samples;
    const inputs: Record<string, TensorValue> = {};
    for (const [name, run] of program.matrices) {
      const up = name.startsWith("up");
      inputs[name] = { data: this.model.weights.run(run, up && clamped), shape: shapeOfRun(run) };
    }
    for (const { index, group, folds } of this.inputs) {
      const { count } = this.samplesOf(batch, index);
      const rows = batch.leaves.get(index) as LeafRows;
      inputs[NAMES.leafScale(index)] = { data: rows.scale, shape: [folds, count, 1] };
      if (rows.kind !== "tokens") {
        inputs[NAMES.leafRows(index)] = { data: rows.values, shape: [folds, count, group.units] };
        continue;
      }
      const { table = 0, blocks } = this.model.leaves.layouts[group.index] as LeafLayout;
      const data = this.model.leaves.tables[table]?.values as Float32Array;
      inputs[NAMES.table(table, blocks)] = { data, shape: [data.length / group.units, group.units] };
      inputs[NAMES.index(index)] = { data: rows.index, shape: [folds, count] };
    }
    if (goesDown(kind)) {
      inputs[NAMES.weights] = {
        data: sampleWeights ?? new Float32Array(count).fill(1),
        shape: [1, count, 1],
      };
    }
    if (takesSeen(kind)) {
      const data = batch.seen ?? new Float32Array(this.#evidence.scopes * count).fill(1);
      inputs[NAMES.seen] = { data, shape: [this.#evidence.scopes, count, 1] };
    }
    const outputs: Record<string, TensorValue> = {};
    for (const output of program.outputs) {
      outputs[output.name] = room(output, batch.rows?.[output.rows ?? 0] ?? count, buffers);
    }
    const { trimming } = program, rowsOf = (kind: number) => batch.rows?.[kind] as number;
    for (const kind of trimming?.counts ?? []) {
      inputs[TRIM_NAMES.rows(kind)] = { data: BigInt64Array.of(BigInt(rowsOf(kind))), shape: [1] };
    }
    for (const [from, to] of trimming?.fills ?? []) {
      const data = BigInt64Array.of(0n, 0n, 0n, 0n, BigInt(rowsOf(to) - rowsOf(from)), 0n);
      inputs[TRIM_NAMES.fill(from, to)] = { data, shape: [6] };
    }
    // A circuit that is a single leaf has neither products nor sums to report.
    if (program.outputs.length > 0) await session.run(inputs, outputs);
    return {
      program,
      singles: (name) => outputs[name]?.data as Float32Array,
      doubles: (name) => outputs[name]?.data as Float64Array,
    };
  }

  /** Frees all graphs, or leaves them to the next runner. */
  async close(): Promise<void> {
    const loaded = await Promise.all(this.#loaded.values());
    this.#loaded.clear();
    for (const { graph } of loaded) {
      if (this.#kept === undefined) await graph.session.release();
      else this.#kept.give(graph);
    }
  }

  #load(kind: ProgramKind, { samples }: GraphBatch): Promise<Loaded> {
    const mixed = samples.soft !== undefined;
    return getOrMake(this.#loaded, `${kind} ${mixed}`, async () => {
      const program = programOf(kind, this.model.plan, this.segmentation, this.model.leaves, {
        trim: this.#trim,
        mixed,
      });
      const graph = await (this.#kept === undefined
        ? compileGraph(program.model, this.#options)
        : this.#kept.take(program.model, this.#options));
      return { program, graph };
    });
  }
}

/** Reuses part of a buffer for an output: memory used before needs no new pages. */
function room(
  output: Output,
  count: number,
  buffers: Map<string, Float32Array | Float64Array>,
): TensorValue {
  const shape = output.shape.map((size) => size === "batch" ? count : size);
  const length = shape.reduce((a, b) => a * b, 1);
  let buffer = buffers.get(output.name);
  if (buffer === undefined || buffer.length < length) {
    buffer = output.type === "float32" ? new Float32Array(length) : new Float64Array(length);
    buffers.set(output.name, buffer);
  }
  return { data: buffer.subarray(0, length), shape };
}
