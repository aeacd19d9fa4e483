import { consented } from "./consent.ts";
import type { OpenDevice } from "./device.ts";
import { READ_BACK } from "./memory.ts";

/** Time that a kernel took. */
export interface KernelTime {
  /** Name of the kernel, with its constants. */
  readonly name: string;
  /** Dispatches. */
  readonly dispatches: number;
  /** Seconds on the device. */
  readonly seconds: number;
}

const QUERY_RESOLVE = 0x200, COPY_SRC = 0x4, MAP_MODE_READ = 0x1;

/** Queries that one set may have. */
const MOST_QUERIES = 4096;

/**
 * Measures how long every kernel takes, by timestamps around passes of one dispatch each. What is measured is slower
 * than the same work in one pass.
 */
export class Profiler {
  readonly #device: GPUDevice;
  readonly #queries: GPUQuerySet;
  readonly #resolved: GPUBuffer;
  readonly #staging: GPUBuffer;
  readonly #names: string[] = [];
  readonly #totals = new Map<string, { dispatches: number; nanoseconds: number }>();

  /** A profiler for a device with timestamps. @throws {TypeError} where the device has none */
  constructor({ device, features }: OpenDevice) {
    if (!features.timestamps) throw new TypeError("this device has no timestamps");
    this.#device = device;
    this.#queries = device.createQuerySet({ type: "timestamp", count: MOST_QUERIES });
    const size = 8 * MOST_QUERIES;
    this.#resolved = device.createBuffer({ size, usage: QUERY_RESOLVE | COPY_SRC });
    this.#staging = device.createBuffer({ size, usage: READ_BACK });
  }

  /** Where the times of the next pass, one dispatch of a kernel, go; undefined when there is no more room. */
  timestamps(name: string): GPUComputePassTimestampWrites | undefined {
    const first = 2 * this.#names.length;
    if (first + 2 > MOST_QUERIES) return undefined;
    this.#names.push(name);
    return { querySet: this.#queries, beginningOfPassWriteIndex: first, endOfPassWriteIndex: first + 1 };
  }

  /** Reads the times of what was recorded and submitted since the last call. */
  async collect(): Promise<void> {
    const count = 2 * this.#names.length;
    if (count === 0) return;
    await consented(this.#device, "the device refuses to tell the times of kernels", () => {
      const encoder = this.#device.createCommandEncoder();
      encoder.resolveQuerySet(this.#queries, 0, count, this.#resolved, 0);
      encoder.copyBufferToBuffer(this.#resolved, 0, this.#staging, 0, 8 * count);
      this.#device.queue.submit([encoder.finish()]);
    });
    await this.#staging.mapAsync(MAP_MODE_READ);
    const times = new BigUint64Array(this.#staging.getMappedRange());
    this.#names.forEach((name, i) => {
      const total = this.#totals.getOrInsertComputed(name, () => ({ dispatches: 0, nanoseconds: 0 }));
      total.dispatches++;
      total.nanoseconds += Number((times[2 * i + 1] as bigint) - (times[2 * i] as bigint));
    });
    this.#staging.unmap();
    this.#names.length = 0;
  }

  /** Times so far by kernel, the longest first. */
  times(): KernelTime[] {
    return [...this.#totals].map(([name, { dispatches, nanoseconds }]) => ({
      name,
      dispatches,
      seconds: nanoseconds / 1e9,
    })).sort((a, b) => b.seconds - a.seconds);
  }

  /** Gives its buffers back. */
  close(): void {
    this.#queries.destroy();
    this.#resolved.destroy();
    this.#staging.destroy();
  }
}
