import { RetortError } from "../../foundation/errors.ts";
import { watch } from "./consent.ts";
import type { OpenDevice } from "./device.ts";

/** The device does not have the requested memory; smaller batches may fit. */
export class DeviceMemoryError extends RetortError {
  /** Total bytes of the requested buffers. */
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

/** A buffer to be created. */
export interface BufferSpec {
  /** Label in the device's messages. */
  readonly label: string;
  /** Size in bytes; rounded up to a multiple of four, at least 16. */
  readonly bytes: number;
  /** Usage in addition to storage and copies in both directions; for staging buffers, the entire usage. */
  readonly usage?: number;
}

/** All buffers of an engine: allocated together, accounted for, released together. */
export class DeviceMemory {
  readonly #open: OpenDevice;
  readonly #held = new Map<GPUBuffer, number>();
  readonly #limit: number;

  /** Creates an allocator on `open`, for at most `limit` bytes. */
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
   * Creates zero-filled buffers: all or none.
   * @throws {DeviceMemoryError} when the device or the limit has no room for them
   */
  async allocate(what: string, specs: readonly BufferSpec[]): Promise<GPUBuffer[]> {
    const { device } = this.#open;
    const sizes = specs.map(({ bytes }) => Math.max(16, Math.ceil(bytes / 4) * 4));
    const total = sizes.reduce((a, b) => a + b, 0);
    // Staging buffers are in host memory and do not count.
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

  /** Releases buffers. */
  release(buffers: Iterable<GPUBuffer>): void {
    for (const buffer of buffers) {
      if (this.#held.delete(buffer)) buffer.destroy();
    }
  }

  /** Releases all buffers. */
  releaseAll(): void {
    this.release([...this.#held.keys()]);
  }
}

// The constants of WebGPU's GPUBufferUsage, since not every worker has that object.
const MAP_READ = 0x1, COPY_SRC = 0x4, COPY_DST = 0x8, UNIFORM_BIT = 0x40, STORAGE_BIT = 0x80;

/** Usage of buffers that kernels read and write. */
export const STORAGE = STORAGE_BIT | COPY_SRC | COPY_DST;
/** Usage of kernels' settings buffers. */
export const UNIFORM = UNIFORM_BIT | COPY_DST;
/** Usage of staging buffers for results. */
export const READ_BACK = MAP_READ | COPY_DST;

function mebibytes(bytes: number): string {
  return `${(bytes / 2 ** 20).toFixed(bytes < 2 ** 20 ? 2 : 0)} MiB`;
}
