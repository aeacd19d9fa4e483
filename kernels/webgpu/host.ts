import { type DeviceOptions, type OpenDevice, openDevice } from "./device.ts";
import { Kernels } from "./kernels.ts";

/** An open device and its compiled kernels. */
export interface ReadyDevice {
  /** The device. */
  readonly open: OpenDevice;
  /** Its kernels. */
  readonly kernels: Kernels;
  /** Reason of the device loss, once it has occurred. */
  readonly lossReason: string | undefined;
}

/**
 * One device for any number of circuits, opened for the first one and reopened after a loss. Kernels are compiled once
 * per device.
 */
export class DeviceHost implements AsyncDisposable {
  readonly #gpu: GPU | undefined;
  readonly #options: DeviceOptions;
  #ready: Promise<ReadyDevice> | undefined;
  #closed = false;

  /** Creates a host for devices of `gpu`: `navigator.gpu` of a browser or Deno, or another implementation's. */
  constructor(gpu: GPU | undefined, options: DeviceOptions = {}) {
    this.#gpu = gpu;
    this.#options = options;
  }

  /** The open device. @throws {RetortError} when there is none */
  ready(): Promise<ReadyDevice> {
    if (this.#ready === undefined) {
      const opening = this.#ready = this.#opened();
      // After a loss, or if opening failed, the next caller tries again.
      const forget = () => {
        if (this.#ready === opening) this.#ready = undefined;
      };
      opening.then(({ open }) => open.device.lost).then(forget, forget);
    }
    return this.#ready;
  }

  /** Releases the device once it has finished its work. */
  async close(): Promise<void> {
    this.#closed = true;
    const ready = await this.#ready?.catch(() => undefined);
    if (ready === undefined) return;
    const { device } = ready.open;
    await device.queue.onSubmittedWorkDone().catch(() => {});
    device.destroy();
    await device.lost;
  }

  /** Closes it at the end of an `await using` block. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #opened(): Promise<ReadyDevice> {
    if (this.#closed) throw new TypeError("the host of the device is closed");
    const open = await openDevice(this.#gpu, this.#options);
    const ready = { open, kernels: new Kernels(open), lossReason: undefined as string | undefined };
    open.device.lost.then((info) => ready.lossReason = info.message || info.reason);
    return ready;
  }
}
