import type { RetortError } from "../../foundation/errors.ts";
import type { Nearest } from "../kmeans/kernel.ts";
import { type Dispatch, encode, prepare, submit } from "./dispatch.ts";
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
import { ReadBack, type Wanted } from "./readback.ts";
import { Settings } from "./settings.ts";

/** Bytes of the vectors of a batch when nothing else is said. */
const MEMORY = 2 ** 26;

/** Buffers and kernels on one device, from opening to loss. */
export class KMeansWork {
  /** Numbers in a row on the device. */
  readonly #stride: number;
  readonly #memory: DeviceMemory;
  readonly #readBack: ReadBack;
  readonly #order: Uint32Array<ArrayBuffer>;
  #problem: RetortError | undefined;

  private constructor(
    readonly ready: ReadyDevice,
    readonly width: number,
    readonly clusters: number,
    /** Vectors of a batch. */
    readonly capacity: number,
    memory: DeviceMemory,
    readonly pages: readonly CentroidPage[],
    readonly buffers: BatchBuffers,
    readonly dispatches: { readonly nearest: readonly Dispatch[]; readonly sums: readonly Dispatch[] },
  ) {
    this.#stride = strideOf(width);
    this.#memory = memory;
    this.#readBack = new ReadBack(memory);
    this.#order = new Uint32Array(clusters + 1 + capacity);
  }

  /** Makes them. @throws {RetortError} when there is no adapter, or no memory */
  static async open(
    host: DeviceHost,
    width: number,
    clusters: number,
    { memory: bytes = MEMORY, deviceMemory, tile }: {
      readonly memory?: number;
      readonly deviceMemory?: number;
      readonly tile?: NearestTile;
    },
  ): Promise<KMeansWork> {
    const ready = await host.ready(), { open } = ready;
    const memory = new DeviceMemory(open, deviceMemory);
    try {
      const pages = await makePages(memory, ready, width, clusters);
      const { capacity, buffers } = await makeBatch(memory, ready, width, clusters, bytes);
      const chosen = tile ?? nearestTile(ready);
      const settings = new Settings(), depth = strideOf(width) / 4;
      const steps = pages.map((page) => ({
        nearest: nearestStep(chosen, page, buffers, settings, depth),
        sums: sumStep(page, buffers, settings, depth, open.limits.workgroups),
      }));
      const [uniforms, tables] = await memory.allocate("settings of k-means", [
        { label: "settings", bytes: settings.bytes[0] as number, usage: UNIFORM },
        { label: "tables", bytes: settings.bytes[1] as number },
      ]) as [GPUBuffer, GPUBuffer];
      settings.upload(open.device.queue, [uniforms, tables]);
      const dispatches = {
        nearest: await prepare(open.device, ready.kernels, steps.map(({ nearest }) => nearest)),
        sums: await prepare(open.device, ready.kernels, steps.map(({ sums }) => sums)),
      };
      return new KMeansWork(ready, width, clusters, capacity, memory, pages, buffers, dispatches);
    } catch (error) {
      memory.releaseAll();
      throw error;
    }
  }

  /** Gives everything back but the device. */
  close(): void {
    this.#memory.releaseAll();
  }

  /** Sets the centroids, and their sums to zero. */
  begin(directions: Float32Array, bias: Float32Array): void {
    const { queue } = this.ready.open.device, { width } = this;
    const encoder = this.ready.open.device.createCommandEncoder();
    for (const page of this.pages) {
      const end = page.first + page.clusters;
      const rows = directions.subarray(page.first * width, end * width);
      queue.writeBuffer(page.directions, 0, padRows(rows, width, page.clusters));
      queue.writeBuffer(page.bias, 0, bias.slice(page.first, end));
      encoder.clearBuffer(page.sums);
      encoder.clearBuffer(page.lost);
    }
    this.#submit(encoder);
  }

  /** Nearest centroids of at most {@link KMeansWork.capacity} vectors, which stay on the device. */
  async nearest(values: Float32Array, rows: number): Promise<Nearest> {
    const { device } = this.ready.open, { batch, values: target, nearest } = this.buffers;
    device.queue.writeBuffer(batch, 0, Uint32Array.of(rows, rows, 0, 0));
    device.queue.writeBuffer(target, 0, padRows(values, this.width, rows));
    const encoder = device.createCommandEncoder();
    encode(encoder, this.dispatches.nearest, { rows, segments: 0 });
    const [bytes] = await this.#read(encoder, [{ buffer: nearest, offset: 0, size: 8 * rows }]);
    const found = new Float32Array(bytes as ArrayBuffer), words = new Int32Array(bytes as ArrayBuffer);
    return {
      labels: Int32Array.from({ length: rows }, (_, row) => words[2 * row + 1] as number),
      scores: Float32Array.from({ length: rows }, (_, row) => found[2 * row] as number),
    };
  }

  /** Adds the vectors of the last {@link KMeansWork.nearest} to the sums of their clusters. */
  sum(labels: Int32Array, factors: Float64Array | undefined): void {
    const { device } = this.ready.open, { clusters } = this, order = this.#order;
    const rows = labels.length, head = clusters + 1;
    // Sorted by counting: rows of a cluster stay in their order.
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
    // Each start has become the end, which is the start of the next.
    order.copyWithin(1, 0, clusters);
    order[0] = head;
    device.queue.writeBuffer(this.buffers.order, 0, order, 0, head + rows);
    device.queue.writeBuffer(
      this.buffers.factors,
      0,
      factors === undefined ? new Float32Array(rows).fill(1) : Float32Array.from(factors),
    );
    const encoder = device.createCommandEncoder();
    encode(encoder, this.dispatches.sums, { rows, segments: 0 });
    this.#submit(encoder);
  }

  /** `[clusters, width]`. */
  async sums(): Promise<Float64Array> {
    const { width } = this, stride = this.#stride;
    const out = new Float64Array(this.clusters * width);
    for (const { first, clusters, sums, lost } of this.pages) {
      const size = 4 * clusters * stride;
      const [high, low] = (await this.#read(
        this.ready.open.device.createCommandEncoder(),
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

  /** Submits and fetches. */
  async #read(encoder: GPUCommandEncoder, wanted: readonly Wanted[]): Promise<ArrayBuffer[]> {
    const { data } = await this.#readBack.request(encoder, wanted);
    this.#submit(encoder);
    await this.#readBack.flush();
    if (this.#problem !== undefined) throw this.#problem;
    const bytes = await data;
    let at = 0;
    return wanted.map(({ size }) => bytes.slice(at, at += size));
  }

  #submit(encoder: GPUCommandEncoder): void {
    submit(this.ready.open.device, encoder, (problem) => this.#problem ??= problem);
  }
}

function strideOf(width: number): number {
  return Math.ceil(width / 4) * 4;
}

/** Rows padded with zeros to whole fours. */
function padRows(values: Float32Array, width: number, rows: number): Float32Array<ArrayBuffer> {
  const stride = strideOf(width);
  if (stride === width) return values as Float32Array<ArrayBuffer>;
  const out = new Float32Array(rows * stride);
  for (let row = 0; row < rows; row++) {
    out.set(values.subarray(row * width, (row + 1) * width), row * stride);
  }
  return out;
}

/** Centroids cut into what a binding may hold. */
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
