import { getOrMake } from "../../foundation/newer.ts";
import { consented } from "./consent.ts";
import type { OpenDevice } from "./device.ts";
import { READ_BACK } from "./memory.ts";

/** Time spent in a kernel. */
export interface KernelTime {
  /** Name of the kernel, with its constants. */
  readonly name: string;
  /** Number of dispatches. */
  readonly dispatches: number;
  /** Total seconds on the device. */
  readonly seconds: number;
  /** Seconds of the longest dispatch. */
  readonly longest: number;
  /** Estimated total seconds when work was split; see pace.ts. */
  readonly estimate: number;
}

/** Totals of a kernel so far. */
type Total = { -readonly [key in Exclude<keyof KernelTime, "name">]: number };

const QUERY_RESOLVE = 0x200, COPY_SRC = 0x4, MAP_MODE_READ = 0x1;

/** Maximum queries of a query set. */
const MOST_QUERIES = 4096;

/**
 * Measures every kernel's time with timestamps around passes of a single dispatch each, which is slower than the same
 * work in one pass.
 */
export class Profiler {
  readonly #device: GPUDevice;
  readonly #queries: GPUQuerySet;
  readonly #resolved: GPUBuffer;
  readonly #staging: GPUBuffer;
  readonly #passes: { readonly name: string; readonly estimate: number; readonly submission: number }[] = [];
  readonly #totals = new Map<string, Total>();
  #submission = 0;
  #longestSubmission = 0;

  /** Creates a profiler for a device with timestamps. @throws {TypeError} where the device has none */
  constructor({ device, features }: OpenDevice) {
    if (!features.timestamps) throw new TypeError("this device has no timestamps");
    this.#device = device;
    this.#queries = device.createQuerySet({ type: "timestamp", count: MOST_QUERIES });
    const size = 8 * MOST_QUERIES;
    this.#resolved = device.createBuffer({ size, usage: QUERY_RESOLVE | COPY_SRC });
    this.#staging = device.createBuffer({ size, usage: READ_BACK });
  }

  /** Starts a new submission: later passes belong to it. */
  submission(): void {
    this.#submission++;
  }

  /**
   * Timestamp destination for the next pass, one dispatch of a kernel; undefined when there is no more room. `estimate`
   * is the dispatch's estimated time in seconds.
   */
  timestamps(name: string, estimate: number): GPUComputePassTimestampWrites | undefined {
    const first = 2 * this.#passes.length;
    if (first + 2 > MOST_QUERIES) return undefined;
    this.#passes.push({ name, estimate, submission: this.#submission });
    return { querySet: this.#queries, beginningOfPassWriteIndex: first, endOfPassWriteIndex: first + 1 };
  }

  /** Reads the timestamps recorded and submitted since the last call. */
  async collect(): Promise<void> {
    const count = 2 * this.#passes.length;
    if (count === 0) return;
    await consented(this.#device, "the device refuses to tell the times of kernels", () => {
      const encoder = this.#device.createCommandEncoder();
      encoder.resolveQuerySet(this.#queries, 0, count, this.#resolved, 0);
      encoder.copyBufferToBuffer(this.#resolved, 0, this.#staging, 0, 8 * count);
      this.#device.queue.submit([encoder.finish()]);
    });
    await this.#staging.mapAsync(MAP_MODE_READ);
    const times = new BigUint64Array(this.#staging.getMappedRange());
    const submissions = new Map<number, number>();
    this.#passes.forEach(({ name, estimate, submission }, i) => {
      const total = getOrMake(
        this.#totals,
        name,
        () => ({ dispatches: 0, seconds: 0, longest: 0, estimate: 0 }),
      );
      const seconds = Number((times[2 * i + 1] as bigint) - (times[2 * i] as bigint)) / 1e9;
      total.dispatches++;
      total.seconds += seconds;
      total.longest = Math.max(total.longest, seconds);
      total.estimate += estimate;
      submissions.set(submission, (submissions.get(submission) ?? 0) + seconds);
    });
    this.#longestSubmission = Math.max(this.#longestSubmission, ...submissions.values());
    this.#staging.unmap();
    this.#passes.length = 0;
  }

  /** Seconds of the longest submission so far, summed over its kernels. */
  get longestSubmission(): number {
    return this.#longestSubmission;
  }

  /** Times so far by kernel, longest first. */
  times(): KernelTime[] {
    return [...this.#totals].map(([name, total]) => ({ name, ...total })).sort((a, b) =>
      b.seconds - a.seconds
    );
  }

  /** Releases its buffers. */
  close(): void {
    this.#queries.destroy();
    this.#resolved.destroy();
    this.#staging.destroy();
  }
}
