import type { Nearest } from "../kmeans/kernel.ts";
import { Commands } from "./commands.ts";
import { Consent } from "./consent.ts";
import { type Dispatch, prepare } from "./dispatch.ts";
import type { DeviceHost, ReadyDevice } from "./host.ts";
import {
  type BatchBuffers,
  type CentroidPage,
  nearestStep,
  type NearestTile,
  nearestTile,
  sumStep,
} from "./kmeans_steps.ts";
import { DeviceMemory, DeviceMemoryError, UNIFORM } from "./memory.ts";
import { cautiousRate, type Rate, SUBMISSION_SECONDS } from "./pace.ts";
import { ReadBack, type Wanted } from "./readback.ts";
import { Settings } from "./settings.ts";

/** Default bytes for the vectors of a batch. */
const MEMORY = 2 ** 26;

/** Options of {@link KMeansWork.open}. */
export interface KMeansWorkOptions {
  /** Bytes for the vectors of a batch; default: 64 MiB, or less where the device has no room. */
  readonly memory?: number;
  /** Limit of the total bytes of all buffers; default: no limit but the device's. */
  readonly deviceMemory?: number;
  /** How distances are computed; default: what suits the adapter. */
  readonly tile?: NearestTile;
  /** Speed of the adapter; default: a cautious guess. */
  readonly rate?: Rate;
  /** Time limit of a dispatch or a submission, in seconds; default: 0.2. */
  readonly seconds?: number;
}

/** Buffers and kernels on one device, from opening to loss. */
export class KMeansWork {
  /** Padded length of a row on the device. */
  readonly #stride: number;
  readonly #memory: DeviceMemory;
  readonly #readBack: ReadBack;
  readonly #order: Uint32Array<ArrayBuffer>;

  private constructor(
    readonly ready: ReadyDevice,
    readonly width: number,
    readonly clusters: number,
    /** Vectors per batch. */
    readonly capacity: number,
    memory: DeviceMemory,
    /** Command queue of the device. */
    readonly commands: Commands,
    readonly pages: readonly CentroidPage[],
    readonly buffers: BatchBuffers,
    readonly dispatches: { readonly nearest: readonly Dispatch[]; readonly sums: readonly Dispatch[] },
  ) {
    this.#stride = strideOf(width);
    this.#memory = memory;
    this.#readBack = new ReadBack(commands, memory, ready.open.limits.buffer);
    this.#order = new Uint32Array(clusters + 1 + capacity);
  }

  /** Opens buffers and kernels. @throws {RetortError} when there is no adapter, or no memory */
  static async open(
    host: DeviceHost,
    width: number,
    clusters: number,
    { memory: bytes = MEMORY, deviceMemory, tile, rate, seconds = SUBMISSION_SECONDS }: KMeansWorkOptions,
  ): Promise<KMeansWork> {
    const ready = await host.ready(), { open } = ready;
    const memory = new DeviceMemory(open, deviceMemory);
    const pace = { rate: rate ?? cautiousRate(open.adapter), seconds };
    const commands = new Commands(ready, new Consent(open.device), pace);
    try {
      const pages = await makePages(memory, ready, width, clusters);
      const { capacity, buffers } = await makeBatch(memory, ready, width, clusters, bytes);
      const chosen = tile ?? nearestTile(ready);
      const settings = new Settings(), depth = strideOf(width) / 4;
      const steps = pages.map((page) => ({
        nearest: nearestStep(chosen, page, buffers, settings, depth),
        sums: sumStep(page, buffers, settings, depth, { clusters, capacity }),
      }));
      const [uniforms, tables] = await memory.allocate("settings of k-means", [
        { label: "settings", bytes: settings.bytes[0] as number, usage: UNIFORM },
        { label: "tables", bytes: settings.bytes[1] as number },
      ]) as [GPUBuffer, GPUBuffer];
      settings.upload(commands, [uniforms, tables]);
      const dispatches = {
        nearest: await prepare(ready, steps.map(({ nearest }) => nearest)),
        sums: await prepare(ready, steps.map(({ sums }) => sums)),
      };
      const work = new KMeansWork(
        ready,
        width,
        clusters,
        capacity,
        memory,
        commands,
        pages,
        buffers,
        dispatches,
      );
      await commands.consented();
      return work;
    } catch (error) {
      commands.consent.close();
      memory.releaseAll();
      throw error;
    }
  }

  /** Releases everything but the device. */
  close(): void {
    this.commands.consent.close();
    this.#memory.releaseAll();
  }

  /** Whether the device has refused anything. */
  async refused(): Promise<boolean> {
    return await this.commands.consent.settled() !== undefined;
  }

  /** Sets the centroids and zeroes their sums. */
  async begin(directions: Float32Array, bias: Float32Array): Promise<void> {
    const { commands, width } = this;
    for (const page of this.pages) {
      const end = page.first + page.clusters;
      const rows = directions.subarray(page.first * width, end * width);
      commands.write(page.directions, 0, padRows(rows, width, page.clusters));
      commands.write(page.bias, 0, bias, page.first, end - page.first);
      commands.clear(page.sums, page.lost);
    }
    commands.submit();
    await this.commands.consented();
  }

  /** Finds the nearest centroids of at most {@link KMeansWork.capacity} vectors, which stay on the device. */
  async nearest(values: Float32Array, rows: number): Promise<Nearest> {
    const { commands } = this, { batch, values: target, nearest } = this.buffers;
    commands.write(batch, 0, Uint32Array.of(rows, rows, 0, 0));
    commands.write(target, 0, padRows(values, this.width, rows));
    commands.run(this.dispatches.nearest, { rows, segments: 0 });
    const [bytes] = await this.#read([{ buffer: nearest, offset: 0, size: 8 * rows }]);
    const found = new Float32Array(bytes as ArrayBuffer), words = new Int32Array(bytes as ArrayBuffer);
    return {
      labels: Int32Array.from({ length: rows }, (_, row) => words[2 * row + 1] as number),
      scores: Float32Array.from({ length: rows }, (_, row) => found[2 * row] as number),
    };
  }

  /** Adds the vectors of the last {@link KMeansWork.nearest} to the sums of their clusters. */
  async sum(labels: Int32Array, factors: Float64Array | undefined): Promise<void> {
    const { commands, clusters } = this, order = this.#order;
    const rows = labels.length, head = clusters + 1;
    // Counting sort: the rows of a cluster stay in order.
    order.fill(0, 0, head);
    for (const label of labels) order[label] = order[label] as number + 1;
    let at = head;
    for (let k = 0; k < head; k++) {
      const count = order[k] as number;
      order[k] = at;
      at += count;
    }
    for (let row = 0; row < rows; row++) {
      const label = labels[row] as number, to = order[label] as number;
      order[to] = row;
      order[label] = to + 1;
    }
    // Each start has advanced to its end, which is the next start.
    order.copyWithin(1, 0, clusters);
    order[0] = head;
    commands.write(this.buffers.order, 0, order, 0, head + rows);
    commands.write(
      this.buffers.factors,
      0,
      factors === undefined ? new Float32Array(rows).fill(1) : Float32Array.from(factors),
    );
    commands.run(this.dispatches.sums, { rows, segments: 0 });
    commands.submit();
    await this.commands.consented();
  }

  /** `[clusters, width]`. */
  async sums(): Promise<Float64Array> {
    const { width } = this, stride = this.#stride;
    const out = new Float64Array(this.clusters * width);
    for (const { first, clusters, sums, lost } of this.pages) {
      const size = 4 * clusters * stride;
      const [high, low] = (await this.#read(
        [sums, lost].map((buffer) => ({ buffer, offset: 0, size })),
      )).map((bytes) => new Float32Array(bytes)) as [Float32Array, Float32Array];
      for (let k = 0; k < clusters; k++) {
        for (let i = 0; i < width; i++) {
          const at = k * stride + i;
          out[(first + k) * width + i] = (high[at] as number) + (low[at] as number);
        }
      }
    }
    return out;
  }

  /** Submits commands and fetches results. */
  async #read(wanted: readonly Wanted[]): Promise<ArrayBuffer[]> {
    const { data } = await this.#readBack.request(wanted);
    this.commands.submit();
    await this.#readBack.flush();
    await this.commands.consented();
    const bytes = await data;
    let at = 0;
    return wanted.map(({ size }) => bytes.slice(at, at += size));
  }
}

function strideOf(width: number): number {
  return Math.ceil(width / 4) * 4;
}

/** Rows zero-padded to a multiple of four. */
function padRows(values: Float32Array, width: number, rows: number): Float32Array<ArrayBuffer> {
  const stride = strideOf(width);
  if (stride === width) return values as Float32Array<ArrayBuffer>;
  const out = new Float32Array(rows * stride);
  for (let row = 0; row < rows; row++) {
    out.set(values.subarray(row * width, (row + 1) * width), row * stride);
  }
  return out;
}

/** Splits centroids into pages that fit a binding. */
async function makePages(
  memory: DeviceMemory,
  { open }: ReadyDevice,
  width: number,
  clusters: number,
): Promise<CentroidPage[]> {
  const bytes = 4 * strideOf(width), limit = Math.min(open.limits.binding, open.limits.buffer);
  const most = Math.floor(limit / bytes);
  if (most === 0) throw new DeviceMemoryError(`a vector of ${width} numbers in one binding`, bytes, limit);
  const pages: CentroidPage[] = [];
  for (let first = 0; first < clusters; first += most) {
    const count = Math.min(most, clusters - first);
    const [directions, bias, sums, lost] = await memory.allocate("the centroids and their sums", [
      { label: "centroids", bytes: bytes * count },
      { label: "bias", bytes: 4 * count },
      { label: "sums", bytes: bytes * count },
      { label: "what sums lost", bytes: bytes * count },
    ]) as [GPUBuffer, GPUBuffer, GPUBuffer, GPUBuffer];
    pages.push({ first, clusters: count, directions, bias, sums, lost });
  }
  return pages;
}

/** Buffers for as many vectors as `bytes`, the limits and the memory of the device allow. */
async function makeBatch(
  memory: DeviceMemory,
  { open: { limits } }: ReadyDevice,
  width: number,
  clusters: number,
  bytes: number,
): Promise<{ capacity: number; buffers: BatchBuffers }> {
  const row = 4 * strideOf(width), limit = Math.min(limits.binding, limits.buffer);
  const rows = Math.min(Math.max(row, Math.min(bytes, limit)) / row, limit / 4 - clusters - 1, limit / 8);
  for (let capacity = Math.max(1, Math.floor(rows));; capacity = Math.floor(capacity / 2)) {
    try {
      const [batch, values, nearest, order, factors] = await memory.allocate(
        `${capacity} vectors at a time`,
        [
          { label: "batch", bytes: 16, usage: UNIFORM },
          { label: "vectors", bytes: row * capacity },
          { label: "nearest", bytes: 8 * capacity },
          { label: "vectors by cluster", bytes: 4 * (clusters + 1 + capacity) },
          { label: "factors", bytes: 4 * capacity },
        ],
      ) as [GPUBuffer, GPUBuffer, GPUBuffer, GPUBuffer, GPUBuffer];
      return { capacity, buffers: { batch, values, nearest, order, factors } };
    } catch (error) {
      if (!(error instanceof DeviceMemoryError) || capacity <= 8) throw error;
    }
  }
}
