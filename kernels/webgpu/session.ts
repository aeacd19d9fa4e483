import {
  type Circuit,
  type NodeId,
  nodeOf,
  rootUnits,
  type Samples,
  type Semiring,
  sliceSamples,
} from "../../circuits/mod.ts";
import { type Plan, planOf } from "../plan.ts";
import { Commands } from "./commands.ts";
import { Consent, type Refusal } from "./consent.ts";
import type { OpenDevice } from "./device.ts";
import type { DeviceHost, ReadyDevice } from "./host.ts";
import { padded } from "./layout.ts";
import { ParameterPlaces } from "./parameter_places.ts";
import { DeviceMemory } from "./memory.ts";
import { cautiousRate, type Pace, type Rate, SUBMISSION_SECONDS } from "./pace.ts";
import { ParameterStore } from "./parameters.ts";
import { BatchPasses } from "./passes.ts";
import type { Profiler } from "./profile.ts";
import { ReadBack, type Wanted } from "./readback.ts";
import { Resident } from "./resident.ts";
import { decodeLogs, flowsOf, logsWanted } from "./results.ts";
import type { Losable, Result } from "./sequence.ts";
import { rowsFor } from "./samples.ts";
import { SoftEncoder } from "./soft_batch.ts";
import type { TileChoice } from "./tiles.ts";
import { productShapes, tune, tunedTiles, type Tuning } from "./tuning.ts";
import { Updater } from "./updater.ts";
import { Workspaces } from "./workspaces.ts";
import { DeviceWorkspace, type ParameterBuffers, type WorkspaceContext } from "./workspace.ts";

/** Options of a session. */
export interface DeviceSessionOptions {
  /** Bytes for activations. */
  readonly memory: number;
  /** Limit of the total bytes of all buffers; default: no limit but the device's. */
  readonly deviceMemory?: number;
  /** Chooses tiles; default: by earlier measurements, or a heuristic. */
  readonly tiles?: TileChoice;
  /** Known tile measurements by adapter name; missing ones are measured. Without this option, nothing is measured. */
  readonly tuning?: Readonly<Record<string, Tuning>> | undefined;
  /** Speed of the adapter, for tests; default: measured, or a cautious guess. */
  readonly rate?: Rate;
  /** Time limit of a dispatch or a submission, in seconds; default: 0.2. */
  readonly seconds?: number;
}

/** Batches submitted before results are fetched: uploads take up memory. */
const IN_FLIGHT = 8;

/** A circuit on a device, from opening to loss. All calls are sequential. */
export class DeviceSession implements Losable {
  /** The device. */
  readonly open: OpenDevice;
  /** The circuit's plan. */
  readonly plan: Plan;
  /** Parameters and counts. */
  readonly resident: Resident;
  /** Known measurements of the adapter. */
  readonly tuning: Tuning;
  readonly #ready: ReadyDevice;
  readonly #memory: DeviceMemory;
  readonly #commands: Commands;
  readonly #context: WorkspaceContext;
  readonly #readBack: ReadBack;
  #updater: Updater | undefined;
  readonly #workspaces: Workspaces;
  readonly #passes: BatchPasses;
  readonly #encoder: SoftEncoder;
  #submitted = 0;

  private constructor(
    ready: ReadyDevice,
    plan: Plan,
    store: ParameterStore,
    context: WorkspaceContext,
    options: DeviceSessionOptions,
    tuning: Tuning,
  ) {
    this.tuning = tuning;
    this.open = ready.open;
    this.#ready = ready;
    this.plan = plan;
    this.#context = context;
    this.#memory = context.memory;
    this.#commands = context.commands;
    this.#workspaces = new Workspaces(context, options.memory);
    this.#readBack = new ReadBack(context.commands, context.memory, ready.open.limits.buffer);
    this.#encoder = new SoftEncoder(plan);
    this.#passes = new BatchPasses(plan, context.commands, store.centres, this.#encoder);
    this.resident = new Resident(store, context, this.#readBack, () => this.fetch());
  }

  /** Uploads a circuit's parameters to the device of `host`. */
  static async open(
    host: DeviceHost,
    circuit: Circuit,
    options: DeviceSessionOptions,
  ): Promise<DeviceSession> {
    const ready = await host.ready(), { open, kernels } = ready;
    const plan = planOf(circuit);
    const known = options.tuning?.[open.adapter.name] ?? { tiles: {} };
    const tuning = options.tuning === undefined ? known : await tune(ready, productShapes(open, plan), known);
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
      return new DeviceSession(
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

  /** Reason of the device loss, once it has occurred. */
  get lossReason(): string | undefined {
    return this.#ready.lossReason;
  }

  /** How work is split. */
  get pace(): Pace {
    return this.#commands.pace;
  }

  /** Bytes of all buffers on the device. */
  get bytes(): number {
    return this.#memory.bytes;
  }

  /** Profiles every kernel from now on; undefined stops profiling. */
  profile(profiler: Profiler | undefined): void {
    this.#commands.profiler = profiler;
  }

  /** Releases everything but the device. */
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
    // First, so that times are complete when results are delivered.
    await this.#commands.profiler?.collect();
    return await this.#readBack.flush();
  }

  /** Waits for the device's errors within an operation. @throws what it refused */
  consented(): Promise<void> {
    return this.#commands.consented();
  }

  /** Fetches results within an operation. @throws what the device refused */
  async fetch(): Promise<void> {
    const refusal = await this.flush();
    if (refusal !== undefined) throw refusal.error;
  }

  /** Number of results that a flush would fetch. */
  get waiting(): number {
    return this.#readBack.waiting;
  }

  /** See `SoftEncoder.forHost`. */
  softForHost(samples: Samples): number[] {
    return this.#encoder.forHost(samples);
  }

  /** Log-likelihoods `[samples, units of the root]` in nats; with `counting`, also accumulates their expected counts. */
  async run(
    samples: Samples,
    counting?: { readonly sampleWeights: ArrayLike<number> | undefined },
  ): Promise<Result<Float64Array>> {
    const units = rootUnits(this.plan.circuit);
    const out = new Float64Array(samples.count * units);
    const parts: Promise<void>[] = [];
    await this.#batches(samples, "sum", counting !== undefined, async (work, batch, first) => {
      this.#passes.forward(work, batch, "sum");
      if (counting !== undefined) this.#passes.backward(work, batch, first, counting.sampleWeights, true);
      const { data } = await this.#readBack.request(
        logsWanted(this.plan, work, this.plan.circuit.root, batch.count),
      );
      this.#commands.submit();
      const part = data.then((bytes) => {
        decodeLogs(this.plan, work, this.plan.circuit.root, batch.count, bytes, out.subarray(first * units));
      });
      // The rejection is handled by awaiting the whole.
      part.catch(() => {});
      parts.push(part);
    });
    const value = Promise.all(parts).then(() => out);
    value.catch(() => {});
    return { value };
  }

  /** Natural log-values of all nodes, `[samples, units]` by node id. */
  async activations(samples: Samples, semiring: Semiring): Promise<Float64Array[]> {
    const { nodes } = this.plan.circuit;
    const out = nodes.map(({ units }) => new Float64Array(samples.count * units));
    await this.#batches(samples, semiring, false, async (work, batch, first) => {
      this.#passes.forward(work, batch, semiring);
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
      this.#passes.forward(work, batch, "sum");
      this.#passes.backward(work, batch, first, undefined, false);
      const { wanted, decode } = flowsOf(this.plan, work, [...out.keys()], batch.count);
      const { data } = await this.#readBack.request(wanted);
      this.#commands.submit();
      await this.fetch();
      decode(await data, first, out);
    });
    return out;
  }

  /** The device part of the M-step; see updater.ts. */
  async updater(): Promise<Updater> {
    const counts = await this.resident.countBuffers();
    this.#updater ??= await Updater.create(this.#context, counts);
    return this.#updater;
  }

  /**
   * Runs the downward pass for one sample without observations: its flows are the top-down probabilities of all rows.
   * They stay in the returned workspace.
   */
  async topDown(): Promise<DeviceWorkspace> {
    const variables = this.plan.circuit.variables.length;
    const samples: Samples = {
      count: 1,
      variables,
      values: new Int32Array(variables),
      observed: new Uint8Array(variables),
    };
    let used: DeviceWorkspace | undefined;
    await this.#batches(samples, "sum", true, (work, batch, first) => {
      this.#passes.forward(work, batch, "sum");
      this.#passes.backward(work, batch, first, undefined, false);
      this.#commands.submit();
      used = work;
      return Promise.resolve();
    });
    return used as DeviceWorkspace;
  }

  /** The result of {@link Updater.gatherPriors}: top-down probabilities of the rows of each parameter, by id. */
  async masses(): Promise<Map<string, Float32Array>> {
    const { buffer, of } = (await this.updater()).priors;
    const [all] = await this.resident.read([buffer]) as [Float32Array];
    return new Map([...of].map(([id, { at, units, slots }]) => {
      const rows = new Float32Array(units * slots);
      for (let slot = 0; slot < slots; slot++) {
        const from = at + slot * padded(units);
        rows.set(all.subarray(from, from + units), slot * units);
      }
      return [id, rows];
    }));
  }

  /** Calls `body` with a workspace for each batch in turn. */
  async #batches(
    samples: Samples,
    semiring: Semiring,
    learning: boolean,
    body: (work: DeviceWorkspace, batch: Samples, first: number) => Promise<void>,
  ): Promise<void> {
    if (samples.count === 0) return;
    const counts = learning ? await this.resident.countBuffers() : undefined;
    const work = await this.#workspaces.get(
      rowsFor(samples.count),
      semiring,
      counts,
      this.#encoder.room(samples),
    );
    const { capacity } = work.layout;
    for (let first = 0; first < samples.count; first += capacity) {
      const batch = first === 0 && samples.count <= capacity
        ? samples
        : sliceSamples(samples, first, Math.min(samples.count, first + capacity));
      this.#passes.upload(work, batch);
      await body(work, batch, first);
      if (++this.#submitted >= IN_FLIGHT) await this.fetch();
    }
  }
}
