import { RetortError } from "../../foundation/errors.ts";
import type { BlockWeights, ClusterSums, KMeansKernel, Nearest } from "../kmeans/kernel.ts";
import type { CallName, Calls } from "./protocol.ts";
import type { RemoteOptions } from "./remote.ts";
import { type DeviceThread, threadOf } from "./thread.ts";

/**
 * Opens k-means on a GPU in the thread of its device, shared with engines on the same adapter.
 * @throws {RetortError} when there is no adapter, or no memory for the centroids
 */
export async function openRemoteKMeans(
  width: number,
  clusters: number,
  { adapter, memory, onLoss }: RemoteOptions = {},
): Promise<RemoteKMeans> {
  const thread = await threadOf(adapter);
  const number = thread.enter(onLoss);
  try {
    const given = memory === undefined ? {} : { memory };
    const { adapter: name } = await thread.call(number, "openKMeans", width, clusters, given);
    return new RemoteKMeans(name, thread, number);
  } catch (error) {
    await thread.leave(number);
    throw error;
  }
}

/** A k-means kernel whose device is in another thread. */
export class RemoteKMeans implements KMeansKernel {
  /** Which engine it is. */
  readonly engine = "webgpu";
  /** One block can be read while the device processes the previous one. */
  readonly ahead = 1;
  readonly #thread: DeviceThread;
  readonly #number: number;
  #released = false;

  /** Wraps kernel `number` of a thread; see {@link openRemoteKMeans}. */
  constructor(readonly adapter: string, thread: DeviceThread, number: number) {
    this.#thread = thread;
    this.#number = number;
  }

  /** See {@link KMeansKernel.begin}. */
  begin(directions: Float32Array, bias: Float32Array): Promise<void> {
    return this.#call("begin", directions, bias);
  }

  /** See {@link KMeansKernel.add}. */
  add(values: Float32Array, rows: number, weights: BlockWeights = {}): Promise<Nearest> {
    return this.#call("add", values, rows, weights);
  }

  /** See {@link KMeansKernel.sums}. */
  sums(): Promise<ClusterSums> {
    return this.#call("sums");
  }

  /** Destroys the device as a driver fault would, for tests. */
  loseDevice(): Promise<void> {
    return this.#call("loseDevice");
  }

  /** See {@link KMeansKernel.release}. */
  async release(): Promise<void> {
    if (this.#released) return;
    const releasing = this.#call("release");
    this.#released = true;
    try {
      await releasing;
    } finally {
      await this.#thread.leave(this.#number);
    }
  }

  #call<N extends CallName>(name: N, ...args: Parameters<Calls[N]>): Promise<ReturnType<Calls[N]>> {
    if (this.#released) {
      return Promise.reject(new RetortError("engine/closed", "the k-means kernel is released"));
    }
    return this.#thread.call(this.#number, name, ...args);
  }
}
