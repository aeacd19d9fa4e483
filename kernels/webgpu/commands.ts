import type { Consent } from "./consent.ts";
import type { BatchShape, Dispatch } from "./dispatch.ts";
import type { ReadyDevice } from "./host.ts";
import { type Load, type Pace, type Piece, piecesOf } from "./pace.ts";
import type { Profiler } from "./profile.ts";

/** A command of a submission. */
type Command =
  | { readonly kind: "dispatch"; readonly dispatch: Dispatch; readonly piece: Piece }
  | { readonly kind: "copy"; readonly from: Span; readonly to: Span; readonly bytes: number }
  | { readonly kind: "clear"; readonly span: Span; readonly bytes: number };

/** A range of a buffer, in bytes. */
interface Span {
  readonly buffer: GPUBuffer;
  readonly at: number;
}

/** A command with its estimated time in seconds. */
interface Timed {
  readonly seconds: number;
}

/** Groups commands, in order, so that no group exceeds the time limit. */
export function submissionsOf<T extends Timed>(commands: readonly T[], most: number): T[][] {
  const groups: T[][] = [];
  let total = Infinity;
  for (const command of commands) {
    if (total + command.seconds > most) {
      groups.push([]);
      total = 0;
    }
    groups.at(-1)?.push(command);
    total += command.seconds;
  }
  return groups;
}

/** Splits each load into pieces such that dispatches are neither too large nor too long. */
export function planned(loads: readonly Load[], pace: Pace, most: number): Piece[][] {
  return submissionsOf(loads.flatMap((load) => piecesOf(load, pace, most)), pace.seconds);
}

/**
 * Command queue of a device; all of an engine's work goes through it. Grids are split to fit the limits of a dispatch,
 * and work to fit the time limit; errors of the device are attributed to the work's owner.
 */
export class Commands {
  readonly #ready: ReadyDevice;
  readonly #commands: (Command & Timed)[] = [];
  #written = 0;
  /** If set, measures kernels. */
  profiler: Profiler | undefined;

  /** Creates a queue for a device, with submissions of at most `pace.seconds`. */
  constructor(ready: ReadyDevice, readonly consent: Consent, readonly pace: Pace) {
    this.#ready = ready;
  }

  /** Records kernels, run in sequence: each sees the writes of those before it. */
  run(dispatches: readonly Dispatch[], batch: BatchShape): void {
    const { workgroups } = this.#ready.open.limits;
    for (const dispatch of dispatches) {
      for (const piece of piecesOf(dispatch.load(batch), this.pace, workgroups)) {
        this.#commands.push({ kind: "dispatch", dispatch, piece, seconds: piece.seconds });
      }
    }
  }

  /** Records a copy. */
  copy(from: GPUBuffer, fromAt: number, to: GPUBuffer, toAt: number, bytes: number): void {
    for (const { at, size, seconds } of this.#stretches(bytes, 2)) {
      this.#commands.push({
        kind: "copy",
        from: { buffer: from, at: fromAt + at },
        to: { buffer: to, at: toAt + at },
        bytes: size,
        seconds,
      });
    }
  }

  /** Records zero-filling of buffers. */
  clear(...buffers: readonly GPUBuffer[]): void {
    for (const buffer of buffers) {
      for (const { at, size, seconds } of this.#stretches(buffer.size, 1)) {
        this.#commands.push({ kind: "clear", span: { buffer, at }, bytes: size, seconds });
      }
    }
  }

  /** Writes numbers into a buffer before anything submitted later; `from` and `length` are in numbers. */
  write(
    buffer: GPUBuffer,
    at: number,
    data: Float32Array | Int32Array | Uint32Array,
    from = 0,
    length: number = data.length - from,
  ): void {
    // Deno 2.9.6 panics on empty writes.
    if (length === 0) return;
    const { queue } = this.#ready.open.device;
    this.consent.hand(() => queue.writeBuffer(buffer, at, data as Float32Array<ArrayBuffer>, from, length));
    // Writes are executed with the next submission, so their bytes count toward it.
    this.#written += 4 * length;
    if (this.#written / this.pace.rate.bytes < this.pace.seconds / 2) return;
    this.#written = 0;
    this.consent.hand(() => queue.submit([]));
  }

  /** Submits the recorded commands. */
  submit(): void {
    const { queue } = this.#ready.open.device;
    for (const group of this.#groups()) this.consent.hand(() => queue.submit([this.#encode(group)]));
    this.#written = 0;
  }

  /**
   * Submits the recorded commands and waits until they are done. @returns the seconds that this took, without preparation
   * @throws {RetortError} when the device refuses it
   */
  async timed(): Promise<number> {
    const { queue } = this.#ready.open.device;
    const buffers = this.#groups().map((group) => this.consent.hand(() => this.#encode(group)));
    const began = performance.now();
    for (const buffer of buffers) this.consent.hand(() => queue.submit([buffer]));
    await queue.onSubmittedWorkDone();
    const seconds = (performance.now() - began) / 1000;
    await this.consented();
    return seconds;
  }

  /** Waits for the device's response to all submitted work. @throws {RetortError} what it has refused, ever since */
  async consented(): Promise<void> {
    const refusal = await this.consent.settled();
    if (refusal !== undefined) throw refusal.error;
  }

  /** Discards recorded commands that were not submitted. */
  drop(): void {
    this.#commands.length = 0;
  }

  #groups(): Command[][] {
    return submissionsOf(this.#commands.splice(0), this.pace.seconds);
  }

  #encode(commands: readonly Command[]): GPUCommandBuffer {
    const { open: { device }, kernels: { portions } } = this.#ready;
    const encoder = device.createCommandEncoder();
    this.profiler?.submission();
    let pass: GPUComputePassEncoder | undefined;
    const end = () => {
      pass?.end();
      pass = undefined;
    };
    for (const command of commands) {
      if (command.kind === "dispatch") {
        const { dispatch: { name, pipeline, group }, piece } = command;
        const timestampWrites = this.profiler?.timestamps(name, piece.seconds);
        if (timestampWrites !== undefined) end();
        pass ??= encoder.beginComputePass(timestampWrites && { timestampWrites });
        pass.setPipeline(pipeline);
        pass.setBindGroup(0, group);
        pass.setBindGroup(1, portions.of(piece));
        pass.dispatchWorkgroups(...piece.size);
        if (timestampWrites !== undefined) end();
        continue;
      }
      end();
      if (command.kind === "clear") encoder.clearBuffer(command.span.buffer, command.span.at, command.bytes);
      else {
        const { from, to, bytes } = command;
        encoder.copyBufferToBuffer(from.buffer, from.at, to.buffer, to.at, bytes);
      }
    }
    end();
    return encoder.finish();
  }

  /** Splits `bytes` bytes, each crossing the bus `times` times, into ranges within the time limit. */
  #stretches(bytes: number, times: number): { at: number; size: number; seconds: number }[] {
    const { rate, seconds } = this.pace;
    const most = Math.max(4, Math.floor(rate.bytes * seconds / times / 4) * 4);
    return Array.from({ length: Math.ceil(bytes / most) }, (_, i) => {
      const size = Math.min(most, bytes - i * most);
      return { at: i * most, size, seconds: size * times / rate.bytes };
    });
  }
}
