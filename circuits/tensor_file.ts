import { type OpenFile, withFile } from "../foundation/file_system.ts";
import { CircuitError } from "./errors.ts";
import {
  safetensorsHeaderLength,
  safetensorsPlaces,
  type TensorArray,
  type TensorPlace,
} from "./safetensors.ts";

/** Files up to this size are read completely on first access: 256 MiB. */
const IN_MEMORY = 1 << 28;

/**
 * A safetensors file that is read by rows. Small files are read once as a whole; for large ones only the requested rows
 * are read. The file must not change in the meantime.
 */
export class TensorFile {
  readonly #path: string;
  readonly #places: ReadonlyMap<string, TensorPlace>;
  readonly #keep: boolean;
  readonly #kept = new Map<string, TensorArray>();

  private constructor(path: string, places: ReadonlyMap<string, TensorPlace>, keep: boolean) {
    this.#path = path;
    this.#places = places;
    this.#keep = keep;
  }

  /**
   * Reads and checks the header.
   * @param inMemory maximum size in bytes of files to read as a whole
   * @throws {CircuitError} when the file is no whole safetensors file
   */
  static async open(path: string, inMemory: number = IN_MEMORY): Promise<TensorFile> {
    return await withFile(path, async (file) => {
      const { size } = file;
      const first = await readFully(file, 0, Math.min(8, size));
      // An invalid length is found by the check below; until then it must not trigger a huge allocation.
      const header = first.length < 8 ? size : Math.min(size, safetensorsHeaderLength(first), 1 << 27);
      const { places } = safetensorsPlaces(await readFully(file, 0, header), size, path);
      return new TensorFile(path, places, size <= inMemory);
    });
  }

  /** Names of the tensors. */
  get names(): string[] {
    return [...this.#places.keys()];
  }

  /** Whether a tensor of this name exists. */
  has(name: string): boolean {
    return this.#places.has(name);
  }

  /** Shape of a tensor. @throws {CircuitError} when there is none of this name */
  shape(name: string): readonly number[] {
    return this.#place(name).shape;
  }

  /** All values of a tensor; the caller owns the array. */
  async all(name: string): Promise<TensorArray> {
    return this.#keep ? (await this.#whole(name)).slice() : await this.#read(name);
  }

  /** The rows of a tensor (first dimension) at these indices, in this order, `[indices, ...]`. */
  async rows(name: string, indices: Uint32Array): Promise<TensorArray> {
    const { from, to, shape, type } = this.#place(name);
    const [count = 0] = shape;
    const width = count === 0 ? 0 : (to - from) / type.BYTES_PER_ELEMENT / count;
    const out = new type(indices.length * width);
    const bad = indices.find((s) => s >= count);
    if (bad !== undefined) {
      throw new CircuitError(
        "circuit-file/invalid",
        `${this.#path}: there is no row ${bad} of tensor \`${name}\` with ${count} rows`,
      );
    }
    if (this.#keep) {
      const values = await this.#whole(name);
      indices.forEach((s, i) => out.set(values.subarray(s * width, (s + 1) * width), i * width));
      return out;
    }
    const bytes = new Uint8Array(out.buffer), row = width * type.BYTES_PER_ELEMENT;
    await withFile(this.#path, async (file) => {
      for (let i = 0; i < indices.length;) {
        // Adjacent rows are read in one go.
        let run = 1;
        while (i + run < indices.length && indices[i + run] === (indices[i] as number) + run) run++;
        await file.fill(from + (indices[i] as number) * row, bytes.subarray(i * row, (i + run) * row));
        i += run;
      }
    });
    return out;
  }

  #place(name: string): TensorPlace {
    const place = this.#places.get(name);
    if (place === undefined) {
      throw new CircuitError("circuit-file/invalid", `${this.#path}: there is no tensor \`${name}\``);
    }
    return place;
  }

  async #whole(name: string): Promise<TensorArray> {
    const before = this.#kept.get(name);
    if (before !== undefined) return before;
    const values = await this.#read(name);
    this.#kept.set(name, values);
    return values;
  }

  async #read(name: string): Promise<TensorArray> {
    const { from, to, type } = this.#place(name);
    return await withFile(
      this.#path,
      async (file) => new type((await readFully(file, from, to - from)).buffer),
    );
  }
}

async function readFully(file: OpenFile, at: number, length: number): Promise<Uint8Array<ArrayBuffer>> {
  const bytes = new Uint8Array(length);
  await file.fill(at, bytes);
  return bytes;
}
