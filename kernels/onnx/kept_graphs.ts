import { type OnnxSession, type OnnxSessionOptions, openSession } from "./session.ts";

/** A model loaded into ONNX Runtime, with what its user keeps beside it. */
export interface CompiledGraph {
  /** The model. */
  readonly model: Uint8Array;
  /** How it was loaded. */
  readonly options: OnnxSessionOptions;
  /** What runs it. */
  readonly session: OnnxSession;
  /** Arrays for its outputs, by name. */
  readonly buffers: Map<string, Float32Array | Float64Array>;
}

/** Loads a model. */
export async function compileGraph(model: Uint8Array, options: OnnxSessionOptions): Promise<CompiledGraph> {
  return { model, options, session: await openSession(model, options), buffers: new Map() };
}

/**
 * Compiled graphs that outlive their engine, for engines of one structure that are opened one after the other: their graphs are the
 * same, only their parameters are others. Graphs of another structure are freed when one is asked for that is not here.
 */
export class KeptGraphs {
  #kept: CompiledGraph[] = [];

  /** How many there are. */
  get size(): number {
    return this.#kept.length;
  }

  /** Takes the graph of a model out, or compiles it. */
  async take(model: Uint8Array, options: OnnxSessionOptions): Promise<CompiledGraph> {
    const at = this.#kept.findIndex((graph) => isOf(graph, model, options));
    if (at >= 0) return this.#kept.splice(at, 1)[0]!;
    await this.clear();
    return await compileGraph(model, options);
  }

  /** Keeps a graph that is used no more. */
  give(graph: CompiledGraph): void {
    this.#kept.push(graph);
  }

  /** Frees all graphs. */
  async clear(): Promise<void> {
    for (const { session } of this.#kept.splice(0)) await session.release();
  }
}

function isOf(graph: CompiledGraph, model: Uint8Array, { threads, profile }: OnnxSessionOptions): boolean {
  return graph.model.length === model.length && graph.options.threads === threads &&
    graph.options.profile === profile && graph.model.every((byte, i) => byte === model[i]);
}
