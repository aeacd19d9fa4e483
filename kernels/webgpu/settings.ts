import type { Commands } from "./commands.ts";

/**
 * Small tables that kernels read: shapes (uniform) and offsets (storage), collected while steps are built and uploaded
 * as one buffer each. The bindings that `shape` and `table` return can be used after {@link Settings.upload}.
 */
export class Settings {
  readonly #alignment: number;
  readonly #uniforms: Part[] = [];
  readonly #tables: Part[] = [];
  #uniformBytes = 0;
  #tableBytes = 0;
  #buffers: readonly [GPUBuffer, GPUBuffer] | undefined;

  /** Creates settings for a device with buffer offset alignment `alignment`, in bytes. */
  constructor(alignment = 256) {
    this.#alignment = alignment;
  }

  /** Adds the settings of one step, laid out as the kernel's `Shape`: u32 each. */
  shape(...values: readonly number[]): GPUBufferBinding {
    const words = Uint32Array.from(values);
    const part = { offset: this.#uniformBytes, words };
    this.#uniforms.push(part);
    const size = Math.max(16, Math.ceil(words.byteLength / 16) * 16);
    this.#uniformBytes += this.#aligned(size);
    return this.#binding(0, part.offset, size);
  }

  /** Adds a table of u32. */
  table(values: ArrayLike<number>): GPUBufferBinding {
    const words = Uint32Array.from(values);
    const part = { offset: this.#tableBytes, words };
    this.#tables.push(part);
    const size = Math.max(32, Math.ceil(words.byteLength / 16) * 16);
    this.#tableBytes += this.#aligned(size);
    return this.#binding(1, part.offset, size);
  }

  /** Bytes of the uniform buffer and of the storage buffer. */
  get bytes(): readonly [number, number] {
    return [this.#uniformBytes, this.#tableBytes];
  }

  /** Writes everything into buffers of at least {@link Settings.bytes}. */
  upload(commands: Commands, buffers: readonly [GPUBuffer, GPUBuffer]): void {
    this.#buffers = buffers;
    for (const [i, parts] of [this.#uniforms, this.#tables].entries()) {
      const all = new Uint32Array((this.bytes[i] as number) / 4);
      for (const { offset, words } of parts) all.set(words, offset / 4);
      commands.write(buffers[i] as GPUBuffer, 0, all);
    }
  }

  #aligned(size: number): number {
    return Math.ceil(size / this.#alignment) * this.#alignment;
  }

  #binding(which: 0 | 1, offset: number, size: number): GPUBufferBinding {
    const buffer = () => {
      const made = this.#buffers?.[which];
      if (made === undefined) throw new TypeError("settings are bound before they were uploaded");
      return made;
    };
    return {
      get buffer() {
        return buffer();
      },
      offset,
      size,
    };
  }
}

interface Part {
  readonly offset: number;
  readonly words: Uint32Array;
}
