import type { DeviceMemory } from "./memory.ts";
import { READ_BACK } from "./memory.ts";

/** Part of a buffer that is wanted on the host. */
export interface Wanted {
  /** The buffer. */
  readonly buffer: GPUBuffer;
  /** First byte; a multiple of four. */
  readonly offset: number;
  /** Number of bytes; a multiple of four. */
  readonly size: number;
}

interface Pending {
  readonly staging: GPUBuffer;
  readonly size: number;
  readonly deliver: (data: ArrayBuffer) => void;
  readonly fail: (reason: unknown) => void;
}

const MAP_MODE_READ = 0x1;

/**
 * Brings results back. Waiting for the device costs milliseconds each time and blocks the thread on some runtimes,
 * so results wait until {@link ReadBack.flush} fetches all of them together. Staging buffers are used again.
 */
export class ReadBack {
  readonly #memory: DeviceMemory;
  readonly #free: GPUBuffer[] = [];
  #pending: Pending[] = [];

  /** Reads from the device of `memory`. */
  constructor(memory: DeviceMemory) {
    this.#memory = memory;
  }

  /** Results that {@link ReadBack.flush} would fetch. */
  get waiting(): number {
    return this.#pending.length;
  }

  /**
   * Records copies of `wanted` and returns their bytes, in order, once they are fetched. The encoder must be
   * submitted before the next flush.
   */
  async request(
    encoder: GPUCommandEncoder,
    wanted: readonly Wanted[],
  ): Promise<{ data: Promise<ArrayBuffer> }> {
    const size = wanted.reduce((total, part) => total + part.size, 0);
    const staging = await this.#staging(size);
    let at = 0;
    for (const part of wanted) {
      if (part.size > 0) encoder.copyBufferToBuffer(part.buffer, part.offset, staging, at, part.size);
      at += part.size;
    }
    const data = new Promise<ArrayBuffer>((deliver, fail) => {
      this.#pending.push({ staging, size, deliver, fail });
    });
    // Whoever waits is told; a lost device may leave results that nobody waits for any more.
    data.catch(() => {});
    return { data };
  }

  /** Fetches all results that wait. @throws what the device reports when it is lost */
  async flush(): Promise<void> {
    const pending = this.#pending;
    this.#pending = [];
    try {
      await Promise.all(
        pending.map(({ staging, size }) =>
          staging.mapAsync(MAP_MODE_READ, 0, Math.max(8, Math.ceil(size / 8) * 8))
        ),
      );
    } catch (error) {
      for (const { fail } of pending) fail(error);
      throw error;
    }
    for (const { staging, size, deliver } of pending) {
      const data = staging.getMappedRange(0, Math.max(8, Math.ceil(size / 8) * 8)).slice(0, size);
      staging.unmap();
      this.#free.push(staging);
      deliver(data);
    }
    this.#trim();
  }

  /** A free staging buffer that is large enough and not far too large, or a new one. */
  async #staging(size: number): Promise<GPUBuffer> {
    const wanted = Math.max(4096, 2 ** Math.ceil(Math.log2(Math.max(1, size))));
    const found = this.#free.findIndex((buffer) => buffer.size >= wanted && buffer.size <= 4 * wanted);
    if (found >= 0) return this.#free.splice(found, 1)[0] as GPUBuffer;
    const bytes = wanted > 2 ** 24 ? Math.ceil(size / 8) * 8 : wanted;
    const [buffer] = await this.#memory.allocate("results", [{ label: "results", bytes, usage: READ_BACK }]);
    return buffer as GPUBuffer;
  }

  /** Large staging buffers are given back: they are for parameters, which are rarely read. */
  #trim(): void {
    const large = this.#free.filter((buffer) => buffer.size > 2 ** 22);
    if (large.length === 0) return;
    this.#memory.release(large);
    for (const buffer of large) this.#free.splice(this.#free.indexOf(buffer), 1);
  }
}
