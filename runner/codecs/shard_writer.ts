import { RetortError } from "../../foundation/errors.ts";
import { nodeModule } from "../../foundation/node_module.ts";
import { type NpyArray, npyHeader, type NpyType, npyTypes } from "./npy.ts";
import { type NewShards, type ShardFile, shardName, type Shards } from "./shards.ts";

/** Bytes of the numbers in a full shard, about: large enough to read fast, small enough to hold several. */
const SHARD_BYTES = 16 << 20;
/**
 * Writes a matrix of any size into shards, files of a folder, as rows come. What the shards hold does not
 * depend on how many rows come at a time.
 *
 * @example
 * ```ts
 * import { ShardWriter } from "./shard_writer.ts";
 * const folder = await Deno.makeTempDir();
 * const writer = new ShardWriter({ folder, type: "f2", width: 2 });
 * await writer.append(Float32Array.of(1, 2, 3, 4));
 * const shards = await writer.finish();
 * ```
 */
export class ShardWriter<T extends NpyType> {
  readonly #folder: string;
  readonly #type: T;
  readonly #width: number;
  readonly #shardRows: number;
  #shards: ShardFile[] = [];
  readonly #buffer: NpyArray;
  #filled = 0;

  /**
   * A writer of no rows yet, or of those to go on from.
   *
   * @param options `folder`: where the files are put, usually `context.scratch()`; `shardRows`: rows of a
   * shard, by default so many that it has about 16 MiB; `full` and `pending`: what to go on from.
   * @throws RetortError when width or rows are no positive whole numbers.
   */
  constructor(options: {
    folder: string;
    type: T;
    width: number;
    shardRows?: number;
    full?: readonly ShardFile[];
    pending?: NpyArray;
  }) {
    const { folder, type, width } = options;
    const size = npyTypes[type].BYTES_PER_ELEMENT;
    const shardRows = options.shardRows ?? Math.max(1, Math.floor(SHARD_BYTES / (size * width)));
    if (!(Number.isSafeInteger(width) && width > 0)) {
      throw new RetortError("shards/argument", `a matrix of width ${width}`);
    }
    if (!(Number.isSafeInteger(shardRows) && shardRows > 0)) {
      throw new RetortError("shards/argument", `shards of ${shardRows} rows`);
    }
    this.#folder = folder;
    this.#type = type;
    this.#width = width;
    this.#shardRows = shardRows;
    this.#buffer = new npyTypes[type](shardRows * width);
    this.full = { type, width, shardRows, shards: options.full ?? [] };
    if (options.pending !== undefined) {
      this.#buffer.set(options.pending);
      this.#filled = options.pending.length;
    }
  }

  /** Rows so far. */
  get rows(): number {
    return this.#shards.length * this.#shardRows + this.#filled / this.#width;
  }

  /** The full shards so far; `pending` has the rows after them. Set it when their files have moved. */
  get full(): NewShards<T> {
    return { type: this.#type, width: this.#width, shardRows: this.#shardRows, shards: [...this.#shards] };
  }
  set full({ shards }: NewShards<T>) {
    if (shards.some(({ rows }) => rows !== this.#shardRows)) {
      throw new RetortError("shards/argument", `expected full shards, of ${this.#shardRows} rows`);
    }
    this.#shards = [...shards];
  }

  /** A copy of the rows that no file holds yet, in the element type on disk. */
  get pending(): NpyArray {
    return this.#buffer.slice(0, this.#filled);
  }

  /**
   * Adds rows, `[any, width]`. Numbers are rounded to the element type.
   *
   * @throws RetortError when they are not whole rows.
   */
  async append(values: ArrayLike<number>): Promise<void> {
    if (values.length % this.#width !== 0) {
      throw new RetortError(
        "shards/argument",
        `${values.length} numbers are not whole rows of ${this.#width}`,
      );
    }
    for (let at = 0; at < values.length;) {
      const n = Math.min(values.length - at, this.#buffer.length - this.#filled);
      const piece = at === 0 && n === values.length
        ? values
        : (values as Float32Array).subarray?.(at, at + n) ?? Array.prototype.slice.call(values, at, at + n);
      this.#buffer.set(piece, this.#filled);
      this.#filled += n;
      at += n;
      if (this.#filled === this.#buffer.length) await this.#flush();
    }
  }

  /** Writes what is left and gives the matrix, as the codecs take it. */
  async finish(): Promise<NewShards<T>> {
    if (this.#filled > 0) await this.#flush();
    return this.full;
  }

  async #flush(): Promise<void> {
    const rows = this.#filled / this.#width;
    const path = nodeModule("node:path").join(this.#folder, shardName(this.#shards.length));
    using file = await Deno.open(path, { write: true, create: true, truncate: true });
    const numbers = new Uint8Array(this.#buffer.buffer, 0, this.#filled * this.#buffer.BYTES_PER_ELEMENT);
    for (const bytes of [npyHeader(this.#type, rows, this.#width), numbers]) {
      for (let at = 0; at < bytes.length;) at += await file.write(bytes.subarray(at));
    }
    this.#shards.push({ rows, path });
    this.#filled = 0;
  }
}

/**
 * Puts the shards of one artifact into a folder as files that another one can take over: linked where
 * the file system can, else copied. For the end of a stage whose shards lie in its checkpoint.
 */
export async function takeOver(
  shards: Shards<Float32Array<ArrayBuffer>> | Shards<Int32Array<ArrayBuffer>>,
  folder: string,
): Promise<ShardFile[]> {
  const files: ShardFile[] = [];
  for (const [i, { rows }] of shards.shards.entries()) {
    const from = await shards.path(i);
    const path = nodeModule("node:path").join(folder, `taken-${shardName(i)}`);
    try {
      await Deno.link(from, path);
    } catch {
      await Deno.copyFile(from, path); // Not every file system has links.
    }
    await Deno.chmod(path, 0o644).catch(() => {}); // Objects are read-only; whoever takes it over syncs it first.
    files.push({ rows, path });
  }
  return files;
}
