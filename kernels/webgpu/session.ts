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
import { type Plan, planOf } from "../plan.ts";
import { Commands } from "./commands.ts";
import { Consent, type Refusal } from "./consent.ts";
import type { OpenDevice } from "./device.ts";
import { nodeOfFold } from "./forward.ts";
import type { DeviceHost, ReadyDevice } from "./host.ts";
import { padded } from "./layout.ts";
import { type LearningArrays, ParameterPlaces } from "./machine.ts";
import { DeviceMemory } from "./memory.ts";
import { cautiousRate, type Pace, type Rate, SUBMISSION_SECONDS } from "./pace.ts";
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
  /** How fast the adapter is, for tests; what was measured, or a cautious guess, when left out. */
  readonly rate?: Rate;
  /** Seconds that a dispatch or a submission may take; 0.2 when left out. */
  readonly seconds?: number;
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
  readonly #commands: Commands;
  readonly #context: WorkspaceContext;
  readonly #readBack: ReadBack;
  #counts: CountBuffers | undefined;
  #backup: readonly GPUBuffer[] | undefined;
  #updater: Updater | undefined;
  readonly #workspaces: Workspaces;
  #submitted = 0;
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
    this.#commands = context.commands;
    this.#workspaces = new Workspaces(context, options.memory);
    this.#readBack = new ReadBack(context.commands, context.memory, ready.open.limits.buffer);
  }

  /** Puts the parameters of a circuit on the device of `host`. */
  static async open(host: DeviceHost, circuit: Circuit, options: SessionOptions): Promise<Session> {
    const ready = await host.ready(), { open, kernels } = ready;
    const plan = planOf(circuit);
    const known = options.tuning?.[open.adapter.name] ?? { tiles: {} };
    const tuning = options.tuning === undefined ? known : await tune(ready, productShapes(plan), known);
    const places = new ParameterPlaces(plan, Math.min(open.limits.binding, open.limits.buffer));
    const memory = new DeviceMemory(open, options.deviceMemory);
    const store = new ParameterStore(plan, places);
    const pace: Pace = {
      rate: options.rate ?? tuning.rate ?? cautiousRate(open.adapter),
      seconds: options.seconds ?? SUBMISSION_SECONDS,
    };
    const commands = new Commands(ready, new Consent(open.device), pace);
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
      store.upload(commands, values, parameters.weights, parameters.tables);
      await commands.consented();
      return new Session(
        ready,
        plan,
        store,
        {
          open,
          kernels,
          memory,
          commands,
          plan,
          places,
          parameters,
          tiles: options.tiles ?? tunedTiles(ready, tuning),
        },
        options,
        tuning,
      );
    } catch (error) {
      commands.consent.close();
      memory.releaseAll();
      throw error;
    }
  }

  /** Why the device was lost, once it is. */
  get lossReason(): string | undefined {
    return this.#ready.lossReason;
  }

  /** How its work is cut. */
  get pace(): Pace {
    return this.#commands.pace;
  }

  /** Bytes of all buffers on the device. */
  get bytes(): number {
    return this.#memory.bytes;
  }

  /** Measures every kernel from here on; undefined ends it. */
  profile(profiler: Profiler | undefined): void {
    this.#commands.profiler = profiler;
  }

  /** Gives everything back but the device. */
  close(): void {
    this.#commands.consent.close();
    this.#memory.releaseAll();
  }

  /** See {@link Losable.begin}. */
  begin(operation: number): void {
    this.#commands.drop();
    this.#commands.consent.begin(operation);
  }

  /** See {@link Losable.handed}. */
  get handed(): number {
    return this.#commands.consent.handed;
  }

  /** See {@link Losable.refuse}. */
  refuse(operation: number, error: Error): void {
    this.#commands.consent.refuse(operation, error);
  }

  /** See {@link Losable.settled}. */
  settled(): Promise<Refusal | undefined> {
    return this.#commands.consent.settled();
  }

  /** See {@link Losable.flush}. */
  async flush(): Promise<Refusal | undefined> {
    this.#submitted = 0;
    // First, so that whoever has the results has the times as well.
    await this.#commands.profiler?.collect();
    return await this.#readBack.flush();
  }

  /** Waits for what the device says in the middle of an operation. @throws what it refused */
  consented(): Promise<void> {
    return this.#commands.consented();
  }

  /** Fetches results in the middle of an operation. @throws what the device refused */
  async fetch(): Promise<void> {
    const refusal = await this.flush();
    if (refusal !== undefined) throw refusal.error;
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
      this.#forward(work, batch, "sum");
      if (counting !== undefined) this.#backward(work, batch, first, counting.sampleWeights, true);
      const { data } = await this.#readBack.request(
        logsWanted(this.plan, work, this.plan.circuit.root, batch.count),
      );
      this.#commands.submit();
      const part = data.then((bytes) => {
        decodeLogs(this.plan, work, this.plan.circuit.root, batch.count, bytes, out.subarray(first * units));
      });
      // Whoever waits for the whole is told.
      part.catch(() => {});
      parts.push(part);
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
      this.#forward(work, batch, semiring);
      const wanted = nodes.map(({ id }) => logsWanted(this.plan, work, id, batch.count));
      const { data } = await this.#readBack.request(wanted.flat());
      this.#commands.submit();
      await this.fetch();
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
      this.#forward(work, batch, "sum");
      this.#backward(work, batch, first, undefined, false);
      const { wanted, decode } = flowsOf(this.plan, work, [...out.keys()], batch.count);
      const { data } = await this.#readBack.request(wanted);
      this.#commands.submit();
      await this.fetch();
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
    this.store.upload(this.#commands, values, weights, tables);
  }

  /** Brings the modes of leaves, which max-product needs, up to date with `values`. */
  setModes(values: ReadonlyMap<string, ParameterArray>): void {
    this.#commands.write(this.#context.parameters.modes, 0, this.store.modes(values));
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
    this.store.uploadCounts(this.#commands, weights, statistics, buffers.counts, buffers.statistics);
  }

  /** Sets counts to zero. */
  async clearCounts(): Promise<void> {
    const { counts, statistics } = await this.#countBuffers();
    this.#commands.clear(...counts, ...statistics);
    this.#commands.submit();
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
      from.forEach((buffer, i) => this.#commands.copy(buffer, 0, to[i] as GPUBuffer, 0, buffer.size));
      this.#commands.submit();
    };
    copy(buffers, this.#backup);
    await this.clearCounts();
    // After an error the session is given up, and with it what was set aside.
    const result = await body();
    copy(this.#backup, buffers);
    return result;
  }

  /** The device's part of the M-step; see updater.ts. */
  async updater(): Promise<Updater> {
    const counts = await this.#countBuffers();
    this.#updater ??= await Updater.create(this.#context, counts);
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
      this.#forward(work, batch, "sum");
      this.#backward(work, batch, first, undefined, false);
      this.#commands.submit();
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
      const { data } = await this.#readBack.request([{ buffer, offset: 0, size: buffer.size }]);
      this.#commands.submit();
      await this.fetch();
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
      if (++this.#submitted >= IN_FLIGHT) await this.fetch();
    }
  }

  #upload(work: Workspace, batch: Samples): void {
    const { plan } = this, commands = this.#commands;
    const rows = rowsFor(batch.count), width = valueColumns(plan.circuit);
    if (this.#values.length < rows * width) this.#values = new Int32Array(rows * width);
    encodeValues(plan, batch, rows, this.store.centres, this.#values);
    commands.write(work.arrays.batch, 0, Uint32Array.of(rows, batch.count, 0, 0));
    commands.write(work.arrays.values, 0, this.#values, 0, rows * width);
    for (const group of plan.groups) {
      if (group.kind !== "input" || group.family !== "external") continue;
      for (let fold = 0; fold < group.folds; fold++) {
        const { units } = nodeOf(plan.circuit, nodeOfFold(plan.places, group, fold));
        const { logs, scales } = encodeExternal(group, fold, units, batch, rows);
        commands.write(work.arrays.logs, 4 * work.layout.logs(group, fold).at, logs);
        commands.write(work.arrays.scales, 4 * work.layout.scale(group, fold), scales);
      }
    }
  }

  #forward(work: Workspace, batch: Samples, semiring: Semiring): void {
    this.#commands.run(
      semiring === "sum" ? work.passes.forward : work.maximum,
      { rows: rowsFor(batch.count), segments: 0 },
    );
  }

  #backward(
    work: Workspace,
    batch: Samples,
    first: number,
    sampleWeights: ArrayLike<number> | undefined,
    counting: boolean,
  ): void {
    const commands = this.#commands, rows = rowsFor(batch.count);
    const weights = new Float32Array(rows);
    for (let s = 0; s < batch.count; s++) weights[s] = sampleWeights?.[first + s] ?? 1;
    commands.write(work.sampleWeights as GPUBuffer, 0, weights);
    const { flags, words, seen } = work.learning as LearningArrays;
    const bits = counting ? encodeSeen(this.plan, batch, work.layout.capacity) : undefined;
    if (bits !== undefined) {
      commands.write(seen, 0, bits);
      commands.write(work.arrays.batch, 0, Uint32Array.of(rows, batch.count, 1, 0));
    }
    commands.clear(flags);
    commands.run(work.passes.backward, { rows, segments: 0 });
    if (!counting) return;
    const sorted = work.sorter?.sort(this.#values, rows, valueColumns(this.plan.circuit));
    if (sorted !== undefined) commands.write(words, 0, sorted.words, 0, sorted.length);
    commands.run(work.passes.counts, { rows, segments: sorted?.segments ?? 0 });
  }
}
