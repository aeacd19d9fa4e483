import { messageOf } from "../../foundation/errors.ts";
import type { Commands } from "./commands.ts";
import { type Refusal, RefusedError } from "./consent.ts";
import type { DeviceMemory } from "./memory.ts";
import { READ_BACK } from "./memory.ts";

/** Part of a buffer to be read by the host. */
export interface Wanted {
  /** The buffer. */
  readonly buffer: GPUBuffer;
  /** First byte; a multiple of four. */
  readonly offset: number;
  /** Number of bytes; a multiple of four. */
  readonly size: number;
}

/** Pending copies in staging buffers for one owner. */
interface Pending {
  readonly owner: number;
  readonly staging: readonly Staging[];
  readonly deliver: (data: ArrayBuffer) => void;
  readonly fail: (reason: unknown) => void;
}

/** A staging buffer and the bytes in use. */
interface Staging {
  readonly buffer: GPUBuffer;
  readonly size: number;
}

const MAP_MODE_READ = 0x1;

/**
 * Reads results back. Waiting for the device costs milliseconds each time and blocks the thread on some runtimes, so
 * results are held until {@link ReadBack.flush} fetches all of them together. Staging buffers are reused.
 *
 * Nothing is delivered before the device has accepted all the work it may depend on: after refused work, a staging
 * buffer still holds the numbers of an earlier call.
 */
export class ReadBack {
  readonly #commands: Commands;
  readonly #memory: DeviceMemory;
  readonly #most: number;
  readonly #free: GPUBuffer[] = [];
  #pending: Pending[] = [];

  /** Reads the results of `commands` through buffers of at most `most` bytes. */
  constructor(commands: Commands, memory: DeviceMemory, most: number) {
    this.#commands = commands;
    this.#memory = memory;
    this.#most = Math.floor(most / 8) * 8;
  }

  /** Number of results that {@link ReadBack.flush} would fetch. */
  get waiting(): number {
    return this.#pending.length;
  }

  /**
   * Records copies of `wanted` and returns their bytes, in order, once they are fetched. The commands must be submitted
   * before the next flush.
   */
  async request(wanted: readonly Wanted[]): Promise<{ data: Promise<ArrayBuffer> }> {
    const owner = this.#commands.consent.owner;
    const total = wanted.reduce((sum, part) => sum + part.size, 0);
    const staging: Staging[] = [];
    for (let left = total; left > 0 || staging.length === 0; left -= this.#most) {
      const size = Math.max(0, Math.min(left, this.#most));
      staging.push({ buffer: await this.#staging(size), size });
    }
    let at = 0;
    for (const { buffer, offset, size } of wanted) {
      for (let done = 0; done < size;) {
        const to = at % this.#most, bytes = Math.min(size - done, this.#most - to);
        const target = staging[Math.floor(at / this.#most)] as Staging;
        this.#commands.copy(buffer, offset + done, target.buffer, to, bytes);
        done += bytes;
        at += bytes;
      }
    }
    const data = new Promise<ArrayBuffer>((deliver, fail) => {
      this.#pending.push({ owner, staging, deliver, fail });
    });
    // The rejection is handled where it is awaited; after a device loss, some results are never awaited.
    data.catch(() => {});
    return { data };
  }

  /**
   * Fetches all pending results, and delivers those of owners before the first whose work was refused.
   * @returns that owner, if there is one
   */
  async flush(): Promise<Refusal | undefined> {
    const { consent } = this.#commands;
    const pending = this.#pending;
    this.#pending = [];
    await Promise.all(pending.flatMap(({ owner, staging }) =>
      staging.map(async ({ buffer, size }) => {
        try {
          await consent.hand(() => buffer.mapAsync(MAP_MODE_READ, 0, mapped(size)), owner);
        } catch (error) {
          consent.refuse(owner, new RefusedError(messageOf(error)));
        }
      })
    ));
    const refusal = await consent.settled();
    for (const { owner, staging, deliver, fail } of pending) {
      if (refusal !== undefined && owner >= refusal.owner) {
        this.#memory.release(staging.map(({ buffer }) => buffer));
        fail(refusal.error);
        continue;
      }
      deliver(this.#take(staging));
    }
    this.#trim();
    return refusal;
  }

  /** Takes the bytes of mapped staging buffers, and frees these for reuse. */
  #take(staging: readonly Staging[]): ArrayBuffer {
    const [only] = staging;
    const whole = staging.length === 1
      ? undefined
      : new Uint8Array(staging.reduce((sum, { size }) => sum + size, 0));
    let data = new ArrayBuffer(0), at = 0;
    for (const { buffer, size } of staging) {
      const range = buffer.getMappedRange(0, mapped(size));
      if (whole === undefined) data = range.slice(0, (only as Staging).size);
      else whole.set(new Uint8Array(range, 0, size), at);
      at += size;
      buffer.unmap();
      this.#free.push(buffer);
    }
    return whole === undefined ? data : whole.buffer;
  }

  /** A free staging buffer of suitable size, or a new one. */
  async #staging(size: number): Promise<GPUBuffer> {
    const wanted = Math.max(4096, 2 ** Math.ceil(Math.log2(Math.max(1, size))));
    const found = this.#free.findIndex((buffer) => buffer.size >= mapped(size) && buffer.size <= 4 * wanted);
    if (found >= 0) return this.#free.splice(found, 1)[0] as GPUBuffer;
    const bytes = wanted > 2 ** 24 ? Math.ceil(size / 8) * 8 : wanted;
    const [buffer] = await this.#memory.allocate("results", [{
      label: "results",
      bytes: Math.min(Math.max(8, this.#most), bytes),
      usage: READ_BACK,
    }]);
    return buffer as GPUBuffer;
  }

  /** Releases large staging buffers: they are for parameters, which are rarely read. */
  #trim(): void {
    const large = this.#free.filter((buffer) => buffer.size > 2 ** 22);
    if (large.length === 0) return;
    this.#memory.release(large);
    for (const buffer of large) this.#free.splice(this.#free.indexOf(buffer), 1);
  }
}

/** Size of the mapped range for a number of bytes: a multiple of eight. */
function mapped(size: number): number {
  return Math.max(8, Math.ceil(size / 8) * 8);
}
