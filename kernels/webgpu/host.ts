import { type DeviceOptions, type OpenDevice, openDevice } from "./device.ts";
import { Kernels } from "./kernels.ts";

/** An open device with the kernels compiled for it. */
export interface ReadyDevice {
  /** The device. */
  readonly open: OpenDevice;
  /** Its kernels. */
  readonly kernels: Kernels;
  /** Why it was lost, once it is. */
  readonly lossReason: string | undefined;
}

/**
 * One device for any number of circuits, opened when the first is put on it and again after a loss. Kernels are
 * compiled once a device.
 */
export class DeviceHost implements AsyncDisposable {
  readonly #gpu: GPU | undefined;
  readonly #options: DeviceOptions;
  #ready: Promise<ReadyDevice> | undefined;
  #closed = false;

  /** A host for devices of `gpu`: a browser's or Deno's `navigator.gpu`, or another implementation's. */
  constructor(gpu: GPU | undefined, options: DeviceOptions = {}) {
    this.#gpu = gpu;
    this.#options = options;
  }

  /** The device. @throws {RetortError} when there is none */
  ready(): Promise<ReadyDevice> {
    if (this.#ready === undefined) {
      const opening = this.#ready = this.#opened();
      // Until it is lost, or if it could not be opened: the next caller tries again.
      const forget = () => {
        if (this.#ready === opening) this.#ready = undefined;
      };
      opening.then(({ open }) => open.device.lost).then(forget, forget);
    }
    return this.#ready;
  }

  /** Gives the device back, once it has done what it was given. */
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
