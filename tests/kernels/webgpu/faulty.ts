/** Devices that refuse one thing that they are asked to do, each in its own way, and do not do it. */

/** What is refused. */
export type DeviceFault =
  /** A submission: the device says that it is invalid. */
  | "submit"
  /** A submission: the device has not the memory. */
  | "memory"
  /** A submission: something broke inside. */
  | "internal"
  /** A submission: the device says so to whom it may concern. */
  | "uncaptured"
  /** A write into a buffer. */
  | "write"
  /** A buffer. */
  | "buffer"
  /** A result is not handed over. */
  | "map";

/** A `GPU` whose devices refuse what they are told to. */
export class FaultyGpu {
  /** What is asked for, by kind, since the last {@link FaultyGpu.refuse}. */
  readonly asked = new Map<DeviceFault, number>();
  #fault: DeviceFault | undefined;
  #at = 0;
  /** How often something was refused. */
  refused = 0;
  readonly #gpu: GPU;

  constructor(gpu: GPU) {
    this.#gpu = gpu;
  }

  /** From here on the `at`th request of a kind, from 0, is refused, once. */
  refuse(fault: DeviceFault | undefined, at = 0): void {
    this.#fault = fault;
    this.#at = at;
    this.refused = 0;
    this.asked.clear();
  }

  async requestAdapter(options?: GPURequestAdapterOptions): Promise<GPUAdapter | null> {
    const adapter = await this.#gpu.requestAdapter(options);
    if (adapter === null) return null;
    const request = adapter.requestDevice.bind(adapter);
    adapter.requestDevice = async (descriptor) => this.#spoil(await request(descriptor));
    return adapter;
  }

  #now(...faults: DeviceFault[]): DeviceFault | undefined {
    for (const fault of faults) {
      const count = this.asked.get(fault) ?? 0;
      this.asked.set(fault, count + 1);
      if (fault !== this.#fault || count !== this.#at) continue;
      this.refused++;
      return fault;
    }
    return undefined;
  }

  #spoil(device: GPUDevice): GPUDevice {
    const { queue } = device;
    const scopes: { filter: GPUErrorFilter; error?: GPUError }[] = [];
    const push = device.pushErrorScope.bind(device), pop = device.popErrorScope.bind(device);
    device.pushErrorScope = (filter) => {
      scopes.push({ filter });
      return push(filter);
    };
    device.popErrorScope = async () => {
      const scope = scopes.pop();
      return await pop() ?? scope?.error ?? null;
    };
    const invalid = () =>
      void queue.writeBuffer(device.createBuffer({ size: 4, usage: 0x8 }), 0, new Uint32Array(4));
    const create = device.createBuffer.bind(device), write = queue.writeBuffer.bind(queue);
    const submit = queue.submit.bind(queue);
    device.createBuffer = (descriptor) => {
      if (this.#now("buffer") !== undefined) return create({ ...descriptor, size: 2 ** 45 });
      const buffer = create(descriptor), map = buffer.mapAsync.bind(buffer);
      buffer.mapAsync = (...given) =>
        this.#now("map") === undefined ? map(...given) : Promise.reject(new Error("not mapped"));
      return buffer;
    };
    queue.writeBuffer = (buffer: GPUBuffer, ...given: unknown[]) =>
      this.#now("write") === undefined
        ? (write as (...given: unknown[]) => undefined)(buffer, ...given)
        : (write as (...given: unknown[]) => undefined)(buffer, buffer.size, new Uint32Array(2));
    queue.submit = (buffers) => {
      const fault = this.#now("submit", "memory", "internal", "uncaptured");
      if (fault === undefined) return submit(buffers);
      if (fault === "submit") return invalid();
      const error = { message: `${fault} error of a test` } as GPUError;
      if (fault === "uncaptured") {
        device.dispatchEvent(Object.assign(new Event("uncapturederror"), { error }));
        return;
      }
      const scope = scopes.findLast(({ filter }) =>
        filter === (fault === "memory" ? "out-of-memory" : fault)
      );
      if (scope === undefined) device.dispatchEvent(Object.assign(new Event("uncapturederror"), { error }));
      else scope.error = error;
    };
    return device;
  }
}
