import { RetortError } from "../../foundation/errors.ts";
import { watch } from "./consent.ts";
import type { OpenDevice } from "./device.ts";

/** The device has not the memory that was asked for: smaller batches may do. */
export class DeviceMemoryError extends RetortError {
  /** Bytes of the buffers that were asked for together. */
  readonly bytes: number;

  constructor(what: string, bytes: number, held: number, cause?: unknown) {
    super(
      "gpu/out-of-memory",
      `the device lacks memory for ${what}: ${mebibytes(bytes)} beside the ${
        mebibytes(held)
      } that are in use`,
      {
        cause,
        hint: "Give the engine less memory (smaller batches), or use a smaller model or another device.",
      },
    );
    this.bytes = bytes;
  }
}

/** A buffer to be made. */
export interface BufferSpec {
  /** Name in messages of the device. */
  readonly label: string;
  /** Size in bytes; rounded up to four, at least 16. */
  readonly bytes: number;
  /** Usage beside storage and both directions of copies; for staging buffers all of it. */
  readonly usage?: number;
}

/** All buffers of an engine: made together, counted, given back together. */
export class DeviceMemory {
  readonly #open: OpenDevice;
  readonly #held = new Map<GPUBuffer, number>();
  readonly #limit: number;

  /** Memory of `open`, at most `limit` bytes of it. */
  constructor(open: OpenDevice, limit: number = Infinity) {
    this.#open = open;
    this.#limit = limit;
  }

  /** Bytes of all buffers. */
  get bytes(): number {
    let bytes = 0;
    for (const size of this.#held.values()) bytes += size;
    return bytes;
  }

  /** Number of buffers. */
  get buffers(): number {
    return this.#held.size;
  }

  /**
   * Makes buffers, filled with zeros: all or none.
   * @throws {DeviceMemoryError} when the device or the limit has no room for them
   */
  async allocate(what: string, specs: readonly BufferSpec[]): Promise<GPUBuffer[]> {
    const { device } = this.#open;
    const sizes = specs.map(({ bytes }) => Math.max(16, Math.ceil(bytes / 4) * 4));
    const total = sizes.reduce((a, b) => a + b, 0);
    // Results pass through memory of the host.
    const limited = specs.every(({ usage }) => usage === READ_BACK) ? 0 : total;
    if (
      (limited > 0 && this.bytes + limited > this.#limit) ||
      sizes.some((size) => size > this.#open.limits.buffer)
    ) {
      throw new DeviceMemoryError(what, total, this.bytes);
    }
    const made: GPUBuffer[] = [];
    let error: unknown;
    try {
      error = await watch(device, () =>
        specs.forEach(({ label, usage }, i) => {
          made.push(device.createBuffer({ label, size: sizes[i] as number, usage: usage ?? STORAGE }));
        })).problem;
    } catch (thrown) {
      error = thrown;
    }
    if (error !== undefined) {
      for (const buffer of made) buffer.destroy();
      throw new DeviceMemoryError(what, total, this.bytes, error);
    }
    made.forEach((buffer, i) => this.#held.set(buffer, sizes[i] as number));
    return made;
  }

  /** Gives buffers back. */
  release(buffers: Iterable<GPUBuffer>): void {
    for (const buffer of buffers) {
      if (this.#held.delete(buffer)) buffer.destroy();
    }
  }

  /** Gives all buffers back. */
  releaseAll(): void {
    this.release([...this.#held.keys()]);
  }
}

// The constants of WebGPU's GPUBufferUsage: not every worker has that object.
const MAP_READ = 0x1, COPY_SRC = 0x4, COPY_DST = 0x8, UNIFORM_BIT = 0x40, STORAGE_BIT = 0x80;

/** Usage of buffers that kernels read and write. */
export const STORAGE = STORAGE_BIT | COPY_SRC | COPY_DST;
/** Usage of buffers with the settings of kernels. */
export const UNIFORM = UNIFORM_BIT | COPY_DST;
/** Usage of buffers through which results come back. */
export const READ_BACK = MAP_READ | COPY_DST;

function mebibytes(bytes: number): string {
  return `${(bytes / 2 ** 20).toFixed(bytes < 2 ** 20 ? 2 : 0)} MiB`;
}
