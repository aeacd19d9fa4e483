import { Turns } from "../../circuits/mod.ts";
import {
  type BlockWeights,
  type ClusterSums,
  type KMeansKernel,
  type Nearest,
  PassLostError,
} from "../kmeans/kernel.ts";
import type { DeviceHost } from "./host.ts";
import { KMeansWork, type KMeansWorkOptions } from "./kmeans_work.ts";
import { secondsAfter } from "./pace.ts";

/** Options of {@link WebGpuKMeans.open}. */
export interface WebGpuKMeansOptions extends KMeansWorkOptions {
  /** Called when the device was lost and the next pass runs on a new one. */
  readonly onLoss?: (reason: string) => void;
}

/**
 * k-means on a device, in the thread that owns it: distances and nearest centroids in one kernel, sums in another that
 * processes the vectors by cluster. Masses and counts are accumulated on the host, which reads the labels anyway.
 *
 * If the device is lost, the current pass fails with {@link PassLostError}; {@link WebGpuKMeans.begin} opens another
 * device.
 */
export class WebGpuKMeans implements KMeansKernel {
  /** Which engine it is. */
  readonly engine = "webgpu";
  readonly #host: DeviceHost;
  readonly #width: number;
  readonly #clusters: number;
  readonly #options: WebGpuKMeansOptions;
  #work: KMeansWork;
  #losses = 0;
  #mass: Float64Array<ArrayBuffer>;
  #counts: Float64Array<ArrayBuffer>;
  /** Calls run one at a time, because they share buffers. */
  readonly #turns = new Turns("k-means kernel");

  private constructor(
    host: DeviceHost,
    width: number,
    clusters: number,
    options: WebGpuKMeansOptions,
    work: KMeansWork,
  ) {
    this.#host = host;
    this.#width = width;
    this.#clusters = clusters;
    this.#options = options;
    this.#work = work;
    this.#mass = new Float64Array(clusters);
    this.#counts = new Float64Array(clusters);
  }

  /**
   * Opens a kernel for vectors of `width` numbers on the device of `host`, which must outlive it.
   * @throws {RetortError} when there is no adapter, or no memory for the centroids
   */
  static async open(
    host: DeviceHost,
    width: number,
    clusters: number,
    options: WebGpuKMeansOptions = {},
  ): Promise<WebGpuKMeans> {
    return new WebGpuKMeans(
      host,
      width,
      clusters,
      options,
      await KMeansWork.open(host, width, clusters, options),
    );
  }

  /** Name of the adapter. */
  get adapter(): string {
    return this.#work.ready.open.adapter.name;
  }

  /** Vectors per batch on the device; larger blocks are split. */
  get capacity(): number {
    return this.#work.capacity;
  }

  /** See {@link KMeansKernel.begin}. */
  begin(directions: Float32Array, bias: Float32Array): Promise<void> {
    return this.#turns.take(async () => {
      const reason = this.#work.ready.lossReason;
      if (reason !== undefined) {
        this.#options.onLoss?.(reason);
        this.#losses++;
      }
      // Errors of the device in the last pass do not concern this one.
      if (reason !== undefined || await this.#work.refused()) {
        this.#work.close();
        const seconds = secondsAfter(this.#losses, this.#options.seconds);
        const options = { ...this.#options, seconds };
        this.#work = await KMeansWork.open(this.#host, this.#width, this.#clusters, options);
      }
      this.#mass = new Float64Array(this.#clusters);
      this.#counts = new Float64Array(this.#clusters);
      await this.#work.begin(directions, bias);
    });
  }

  /** See {@link KMeansKernel.add}. */
  add(values: Float32Array, rows: number, weights: BlockWeights = {}): Promise<Nearest> {
    return this.#turns.take(() => this.#unlessLost(() => this.#add(values, rows, weights)));
  }

  async #add(values: Float32Array, rows: number, { weights, factors }: BlockWeights): Promise<Nearest> {
    const labels = new Int32Array(rows), scores = new Float32Array(rows);
    const { capacity } = this.#work, width = this.#width;
    for (let from = 0; from < rows; from += capacity) {
      const to = Math.min(rows, from + capacity);
      const found = await this.#work.nearest(values.subarray(from * width, to * width), to - from);
      labels.set(found.labels, from);
      scores.set(found.scores, from);
      await this.#work.sum(found.labels, factors?.subarray(from, to));
    }
    for (let row = 0; row < rows; row++) {
      const label = labels[row] as number;
      (this.#mass[label] as number) += weights === undefined ? 1 : weights[row] as number;
      (this.#counts[label] as number) += 1;
    }
    return { labels, scores };
  }

  /** See {@link KMeansKernel.sums}. */
  sums(): Promise<ClusterSums> {
    return this.#turns.take(() =>
      this.#unlessLost(async () => ({
        sums: await this.#work.sums(),
        mass: this.#mass.slice(),
        counts: this.#counts.slice(),
      }))
    );
  }

  /** See {@link KMeansKernel.release}. */
  release(): Promise<void> {
    return this.#turns.close(() => this.#work.close());
  }

  async #unlessLost<T>(body: () => Promise<T>): Promise<T> {
    const { ready } = this.#work;
    try {
      const result = await body();
      if (ready.lossReason === undefined) return result;
    } catch (error) {
      // Gives the runtime time to report a device loss.
      await new Promise((resolve) => setTimeout(resolve));
      if (ready.lossReason === undefined) throw error;
    }
    throw new PassLostError(`the GPU was lost in a pass over the vectors (${ready.lossReason})`);
  }
}
