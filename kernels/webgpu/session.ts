import {
  type Circuit,
  type NodeId,
  nodeOf,
  type ParameterArray,
  rootUnits,
  type Samples,
  type Semiring,
  sliceSamples,
} from "../../circuits/mod.ts";
import { RetortError } from "../../foundation/errors.ts";
import { type Plan, planOf } from "../plan.ts";
import type { OpenDevice } from "./device.ts";
import { encode, submit } from "./dispatch.ts";
import { nodeOfFold } from "./forward.ts";
import type { DeviceHost, ReadyDevice } from "./host.ts";
import { padded } from "./layout.ts";
import { type LearningArrays, ParameterPlaces } from "./machine.ts";
import { DeviceMemory } from "./memory.ts";
import { ParameterStore } from "./parameters.ts";
import type { Profiler } from "./profile.ts";
import { ReadBack, type Wanted } from "./readback.ts";
import { decodeLogs, flowsOf, logsWanted } from "./results.ts";
import type { Losable, Result } from "./sequence.ts";
import { encodeExternal, encodeSeen, encodeValues, rowsFor, valueColumns } from "./samples.ts";
import type { TileChoice } from "./tiles.ts";
import { productShapes, tune, tunedTiles, type Tuning } from "./tuning.ts";
import { Updater } from "./updater.ts";
import { Workspaces } from "./workspaces.ts";
import { type CountBuffers, type ParameterBuffers, Workspace, type WorkspaceContext } from "./workspace.ts";

/** What a session may be told. */
export interface SessionOptions {
  /** Bytes that activations may take. */
  readonly memory: number;
  /** Bytes that all buffers together may take; what the device has when left out. */
  readonly deviceMemory?: number;
  /** Chooses tiles; when left out what was measured before, or a rule of thumb. */
  readonly tiles?: TileChoice;
  /** What is known of the tiles of adapters, by their names: what is missing is measured. Nothing is when left out. */
  readonly tuning?: Readonly<Record<string, Tuning>> | undefined;
}

/** Batches that may be on their way to the device before results are fetched: uploads wait in memory. */
const IN_FLIGHT = 8;

/** A circuit on a device, from opening to loss. All calls come one after the other. */
export class Session implements Losable {
  /** The device. */
  readonly open: OpenDevice;
  /** What is run. */
  readonly plan: Plan;
  /** Translates parameters. */
  readonly store: ParameterStore;
  /** What is known of the tiles of the adapter. */
  readonly tuning: Tuning;
  readonly #ready: ReadyDevice;
  readonly #memory: DeviceMemory;
  readonly #context: WorkspaceContext;
  readonly #readBack: ReadBack;
  #counts: CountBuffers | undefined;
  #backup: readonly GPUBuffer[] | undefined;
  #updater: Updater | undefined;
  readonly #workspaces: Workspaces;
  #problem: RetortError | undefined;
  #submitted = 0;
  #profiler: Profiler | undefined;
  #values = new Int32Array(0);

  private constructor(
    ready: ReadyDevice,
    plan: Plan,
    store: ParameterStore,
    context: WorkspaceContext,
    options: SessionOptions,
    tuning: Tuning,
  ) {
    this.tuning = tuning;
    this.open = ready.open;
    this.#ready = ready;
    this.plan = plan;
    this.store = store;
    this.#context = context;
    this.#memory = context.memory;
    this.#workspaces = new Workspaces(context, options.memory);
    this.#readBack = new ReadBack(context.memory);
    this.open.device.addEventListener("uncapturederror", this.#onError);
  }

  /** Puts the parameters of a circuit on the device of `host`. */
  static async open(host: DeviceHost, circuit: Circuit, options: SessionOptions): Promise<Session> {
    const ready = await host.ready(), { open, kernels } = ready;
    const plan = planOf(circuit);
    const known = options.tuning?.[open.adapter.name] ?? {};
    const tuning = options.tuning === undefined ? known : await tune(ready, productShapes(plan), known);
    const places = new ParameterPlaces(plan, Math.min(open.limits.binding, open.limits.buffer));
    const memory = new DeviceMemory(open, options.deviceMemory);
    const store = new ParameterStore(plan, places);
    try {
      const pages = [places.weightPages, places.tablePages].map(({ sizes }, kind) =>
        sizes.map((numbers, i) => ({
          label: `${kind === 0 ? "weights" : "tables"} ${i}`,
          bytes: 4 * numbers,
        }))
      );
      const values = new Map([...circuit.parameters].map(([id, parameter]) => [id, parameter.values]));
      const modes = store.modes(values);
      const buffers = await memory.allocate("the parameters", [
        { label: "modes", bytes: modes.byteLength },
        ...pages.flat(),
      ]);
      const weightPages = (pages[0] as unknown[]).length;
      const parameters: ParameterBuffers = {
        modes: buffers[0] as GPUBuffer,
        weights: buffers.slice(1, 1 + weightPages),
        tables: buffers.slice(1 + weightPages),
      };
      store.upload(open.device.queue, values, parameters.weights, parameters.tables);
      return new Session(
        ready,
        plan,
        store,
        {
          open,
          kernels,
          memory,
          plan,
          places,
          parameters,
          tiles: options.tiles ?? tunedTiles(ready, tuning),
        },
        options,
        tuning,
      );
    } catch (error) {
      memory.releaseAll();
      throw error;
    }
  }

  /** Why the device was lost, once it is. */
  get lossReason(): string | undefined {
    return this.#ready.lossReason;
  }

  /** Bytes of all buffers on the device. */
  get bytes(): number {
    return this.#memory.bytes;
  }

  readonly #onError = (event: Event): void => {
    const { message } = (event as GPUUncapturedErrorEvent).error;
    this.#problem ??= new RetortError(`the device reports: ${message.trim()}`);
  };

  /** Measures every kernel from here on; undefined ends it. */
  profile(profiler: Profiler | undefined): void {
    this.#profiler = profiler;
  }

  /** Gives everything back but the device. */
  close(): void {
    this.open.device.removeEventListener("uncapturederror", this.#onError);
    this.#memory.releaseAll();
  }

  /** Fetches all results that wait. @throws what went wrong on the device since */
  async flush(): Promise<void> {
    this.#submitted = 0;
    // First, so that whoever has the results has the times as well.
    await this.#profiler?.collect();
    await this.#readBack.flush();
    if (this.#problem !== undefined) {
      const problem = this.#problem;
      this.#problem = undefined;
      throw problem;
    }
  }

  /** Results that a flush would fetch. */
  get waiting(): number {
    return this.#readBack.waiting;
  }

  /** Log-likelihoods `[samples, units of the root]` in nats; with `counting`, their expected counts are added up. */
  async run(
    samples: Samples,
    counting?: { readonly sampleWeights: ArrayLike<number> | undefined },
  ): Promise<Result<Float64Array>> {
    const units = rootUnits(this.plan.circuit);
    const out = new Float64Array(samples.count * units);
    const parts: Promise<void>[] = [];
    await this.#batches(samples, "sum", counting !== undefined, async (work, batch, first) => {
      const encoder = this.#encodeForward(work, batch, "sum");
      if (counting !== undefined) {
        this.#encodeBackward(encoder, work, batch, first, counting.sampleWeights, true);
      }
      const { data } = await this.#readBack.request(
        encoder,
        logsWanted(this.plan, work, this.plan.circuit.root, batch.count),
      );
      this.#submit(encoder);
      parts.push(data.then((bytes) => {
        decodeLogs(this.plan, work, this.plan.circuit.root, batch.count, bytes, out.subarray(first * units));
      }));
    });
    const value = Promise.all(parts).then(() => out);
    value.catch(() => {});
    return { value };
  }

  /** Natural logarithms of all nodes, `[samples, units]` by node id. */
  async activations(samples: Samples, semiring: Semiring): Promise<Float64Array[]> {
    const { nodes } = this.plan.circuit;
    const out = nodes.map(({ units }) => new Float64Array(samples.count * units));
    await this.#batches(samples, semiring, false, async (work, batch, first) => {
      const encoder = this.#encodeForward(work, batch, semiring);
      const wanted = nodes.map(({ id }) => logsWanted(this.plan, work, id, batch.count));
      const { data } = await this.#readBack.request(encoder, wanted.flat());
      this.#submit(encoder);
      await this.flush();
      const bytes = await data;
      let at = 0;
      nodes.forEach(({ id, units }, i) => {
        const size = (wanted[i] as Wanted[]).reduce((total, part) => total + part.size, 0);
        decodeLogs(
          this.plan,
          work,
          id,
          batch.count,
          bytes.slice(at, at + size),
          (out[i] as Float64Array).subarray(first * units),
        );
        at += size;
      });
    });
    return out;
  }

  /** Posterior probabilities of the units of leaves, `[samples, units]` by node id. */
  async leafFlows(samples: Samples, nodes: readonly NodeId[]): Promise<Map<NodeId, Float64Array>> {
    const { circuit } = this.plan;
    const out = new Map(nodes.map((id) => [id, new Float64Array(samples.count * nodeOf(circuit, id).units)]));
    await this.#batches(samples, "sum", true, async (work, batch, first) => {
      const encoder = this.#encodeForward(work, batch, "sum");
      this.#encodeBackward(encoder, work, batch, first, undefined, false);
      const { wanted, decode } = flowsOf(this.plan, work, [...out.keys()], batch.count);
      const { data } = await this.#readBack.request(encoder, wanted);
      this.#submit(encoder);
      await this.flush();
      decode(await data, first, out);
    });
    return out;
  }

  /** Current values of the parameters that are on the device. */
  async parameters(): Promise<Map<string, ParameterArray>> {
    const { weights, tables } = this.#context.parameters;
    const pages = await this.#read([...weights, ...tables]);
    return this.store.values(pages.slice(0, weights.length), pages.slice(weights.length));
  }

  /** Replaces values of parameters. `all` are the values of all of them, for the modes of leaves. */
  setParameters(values: ReadonlyMap<string, ParameterArray>): void {
    const { weights, tables } = this.#context.parameters;
    this.store.upload(this.open.device.queue, values, weights, tables);
  }

  /** Brings the modes of leaves, which max-product needs, up to date with `values`. */
  setModes(values: ReadonlyMap<string, ParameterArray>): void {
    const modes = this.store.modes(values);
    // Deno 2.9.6 panics on empty writes.
    if (modes.length === 0) return;
    this.open.device.queue.writeBuffer(this.#context.parameters.modes, 0, modes as Float32Array<ArrayBuffer>);
  }

  /** Copies of the pages of counts: of weights, and statistics of leaves. */
  async counts(): Promise<{ weights: Float32Array[]; statistics: Float32Array[] }> {
    const { counts, statistics } = await this.#countBuffers();
    const pages = await this.#read([...counts, ...statistics]);
    return { weights: pages.slice(0, counts.length), statistics: pages.slice(counts.length) };
  }

  /** Replaces all counts. */
  async setCounts(
    weights: ReadonlyMap<string, Float32Array>,
    statistics: ReadonlyMap<string, Float32Array>,
  ): Promise<void> {
    const buffers = await this.#countBuffers();
    this.store.uploadCounts(this.open.device.queue, weights, statistics, buffers.counts, buffers.statistics);
  }

  /** Sets counts to zero. */
  async clearCounts(): Promise<void> {
    const { counts, statistics } = await this.#countBuffers();
    const encoder = this.open.device.createCommandEncoder();
    for (const buffer of [...counts, ...statistics]) encoder.clearBuffer(buffer);
    this.#submit(encoder);
  }

  /** Runs `body` with counts of zero, and puts back what was counted before. */
  async withOwnCounts<T>(body: () => Promise<T>): Promise<T> {
    const { counts, statistics } = await this.#countBuffers();
    const buffers = [...counts, ...statistics];
    this.#backup ??= await this.#memory.allocate(
      "a second set of counts",
      buffers.map(({ label, size }) => ({ label: `${label}, set aside`, bytes: size })),
    );
    const copy = (from: readonly GPUBuffer[], to: readonly GPUBuffer[]) => {
      const encoder = this.open.device.createCommandEncoder();
      from.forEach((buffer, i) =>
        encoder.copyBufferToBuffer(buffer, 0, to[i] as GPUBuffer, 0, (to[i] as GPUBuffer).size)
      );
      this.#submit(encoder);
    };
    copy(buffers, this.#backup);
    await this.clearCounts();
    try {
      return await body();
    } finally {
      copy(this.#backup, buffers);
    }
  }

  /** The device's part of the M-step; see updater.ts. */
  async updater(): Promise<Updater> {
    const counts = await this.#countBuffers();
    this.#updater ??= await Updater.create(this.#context, counts, (encoder) => this.#submit(encoder));
    return this.#updater;
  }

  /**
   * The downward pass of one sample of which nothing is observed: its flows are the top-down probabilities of all
   * rows. They stay in the workspace that is returned.
   */
  async topDown(): Promise<Workspace> {
    const variables = this.plan.circuit.variables.length;
    const samples: Samples = {
      count: 1,
      variables,
      values: new Int32Array(variables),
      observed: new Uint8Array(variables),
    };
    let used: Workspace | undefined;
    await this.#batches(samples, "sum", true, (work, batch, first) => {
      const encoder = this.#encodeForward(work, batch, "sum");
      this.#encodeBackward(encoder, work, batch, first, undefined, false);
      this.#submit(encoder);
      used = work;
      return Promise.resolve();
    });
    return used as Workspace;
  }

  /** What {@link Updater.gatherPriors} gathered: top-down probabilities of the rows of each parameter, by id. */
  async masses(): Promise<Map<string, Float32Array>> {
    const { buffer, of } = (await this.updater()).priors;
    const [all] = await this.#read([buffer]) as [Float32Array];
    return new Map([...of].map(([id, { at, units, slots }]) => {
      const rows = new Float32Array(units * slots);
      for (let slot = 0; slot < slots; slot++) {
        const from = at + slot * padded(units);
        rows.set(all.subarray(from, from + units), slot * units);
      }
      return [id, rows];
    }));
  }

  async #read(buffers: readonly GPUBuffer[]): Promise<Float32Array[]> {
    const pages: Float32Array[] = [];
    // One at a time: together they may be as large as the model, and staging memory is not free either.
    for (const buffer of buffers) {
      const encoder = this.open.device.createCommandEncoder();
      const { data } = await this.#readBack.request(encoder, [{ buffer, offset: 0, size: buffer.size }]);
      this.#submit(encoder);
      await this.flush();
      pages.push(new Float32Array(await data));
    }
    return pages;
  }

  async #countBuffers(): Promise<CountBuffers> {
    if (this.#counts === undefined) {
      const { weightPages, statisticsPages } = this.#context.places;
      const specs = [weightPages, statisticsPages].map(({ sizes }, kind) =>
        sizes.map((numbers, i) => ({
          label: `${kind === 0 ? "counts" : "statistics"} ${i}`,
          bytes: 4 * numbers,
        }))
      );
      const buffers = await this.#memory.allocate("counts of the parameters", specs.flat());
      const split = (specs[0] as unknown[]).length;
      this.#counts = { counts: buffers.slice(0, split), statistics: buffers.slice(split) };
    }
    return this.#counts;
  }

  /** Calls `body` with a workspace for batch after batch. */
  async #batches(
    samples: Samples,
    semiring: Semiring,
    learning: boolean,
    body: (work: Workspace, batch: Samples, first: number) => Promise<void>,
  ): Promise<void> {
    if (samples.count === 0) return;
    const counts = learning ? await this.#countBuffers() : undefined;
    const work = await this.#workspaces.get(rowsFor(samples.count), semiring, counts);
    const { capacity } = work.layout;
    for (let first = 0; first < samples.count; first += capacity) {
      const batch = first === 0 && samples.count <= capacity
        ? samples
        : sliceSamples(samples, first, Math.min(samples.count, first + capacity));
      this.#upload(work, batch);
      await body(work, batch, first);
      if (++this.#submitted >= IN_FLIGHT) await this.flush();
    }
  }

  #upload(work: Workspace, batch: Samples): void {
    const { queue } = this.open.device, { plan } = this;
    const rows = rowsFor(batch.count), width = valueColumns(plan.circuit);
    if (this.#values.length < rows * width) this.#values = new Int32Array(rows * width);
    encodeValues(plan, batch, rows, this.store.centres, this.#values);
    queue.writeBuffer(work.arrays.batch, 0, Uint32Array.of(rows, batch.count, 0, 0));
    queue.writeBuffer(work.arrays.values, 0, this.#values, 0, rows * width);
    for (const group of plan.groups) {
      if (group.kind !== "input" || group.family !== "external") continue;
      for (let fold = 0; fold < group.folds; fold++) {
        const { units } = nodeOf(plan.circuit, nodeOfFold(plan.places, group, fold));
        const { logs, scales } = encodeExternal(group, fold, units, batch, rows);
        queue.writeBuffer(
          work.arrays.logs,
          4 * work.layout.logs(group, fold).at,
          logs as Float32Array<ArrayBuffer>,
        );
        queue.writeBuffer(
          work.arrays.scales,
          4 * work.layout.scale(group, fold),
          scales as Int32Array<ArrayBuffer>,
        );
      }
    }
  }

  #encodeForward(work: Workspace, batch: Samples, semiring: Semiring): GPUCommandEncoder {
    const encoder = this.open.device.createCommandEncoder();
    encode(
      encoder,
      semiring === "sum" ? work.passes.forward : work.maximum,
      { rows: rowsFor(batch.count), segments: 0 },
      this.#profiler,
    );
    return encoder;
  }

  #encodeBackward(
    encoder: GPUCommandEncoder,
    work: Workspace,
    batch: Samples,
    first: number,
    sampleWeights: ArrayLike<number> | undefined,
    counting: boolean,
  ): void {
    const { queue } = this.open.device;
    const rows = rowsFor(batch.count);
    const weights = new Float32Array(rows);
    for (let s = 0; s < batch.count; s++) weights[s] = sampleWeights?.[first + s] ?? 1;
    queue.writeBuffer(work.sampleWeights as GPUBuffer, 0, weights);
    const { flags, words, seen } = work.learning as LearningArrays;
    const bits = counting ? encodeSeen(this.plan, batch, work.layout.capacity) : undefined;
    if (bits !== undefined) {
      queue.writeBuffer(seen, 0, bits as Uint32Array<ArrayBuffer>);
      queue.writeBuffer(work.arrays.batch, 0, Uint32Array.of(rows, batch.count, 1, 0));
    }
    encoder.clearBuffer(flags);
    encode(encoder, work.passes.backward, { rows, segments: 0 }, this.#profiler);
    if (!counting) return;
    const sorted = work.sorter?.sort(this.#values, rows, valueColumns(this.plan.circuit));
    if (sorted !== undefined && sorted.length > 0) {
      queue.writeBuffer(words, 0, sorted.words as Uint32Array<ArrayBuffer>, 0, sorted.length);
    }
    encode(encoder, work.passes.counts, { rows, segments: sorted?.segments ?? 0 }, this.#profiler);
  }

  #submit(encoder: GPUCommandEncoder): void {
    submit(this.open.device, encoder, (problem) => this.#problem ??= problem);
  }
}
