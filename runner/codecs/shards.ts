import { join } from "node:path";
import {
  type ArtifactReader,
  type ArtifactWriter,
  type Codec,
  defineCodec,
  type FileEntry,
} from "../codec.ts";
import { type NpyArray, npyHeader, type NpyType, npyTypes } from "./npy.ts";

/** Element types of `matrixShards`: half and single precision. */
export type FloatType = "f2" | "f4";
/** Element types of `tokenShards`: whole numbers of four bytes, two bytes and one byte. */
export type IntegerType = "i4" | "u2" | "u1";

/** Bytes of the numbers in a full shard, about: large enough to read fast, small enough to hold several. */
const SHARD_BYTES = 16 << 20;
/** Bytes that a block holds in memory, about, unless the reader says how many rows. */
const BLOCK_BYTES = 4 << 20;

/** One shard to be written: a finished file, or one that the folder of objects written to holds already. */
export type ShardFile =
  & { readonly rows: number }
  & ({ readonly path: string } | { readonly entry: FileEntry });

/** A matrix as a stage returns it: what `ShardWriter.finish` gives. */
export interface NewShards<T extends NpyType = NpyType> {
  /** Element type on disk. */
  readonly type: T;
  /** Numbers in a row. */
  readonly width: number;
  /** Rows of every shard but the last, which has 1 to `shardRows`. */
  readonly shardRows: number;
  /** In the order of the rows. */
  readonly shards: readonly ShardFile[];
}

/** Rows that follow each other. */
export interface Block<V> {
  /** Index of the first row. */
  readonly first: number;
  /** Number of rows. */
  readonly rows: number;
  /** `[rows, width]`, row-major; belongs to whoever asked for it. */
  readonly values: V;
}

/** A matrix in shards as a stage gets it: see `matrixShards`. */
export type MatrixShards = Shards<Float32Array<ArrayBuffer>>;
/** Whole numbers in shards as a stage gets them: see `tokenShards`. */
export type TokenShards = Shards<Int32Array<ArrayBuffer>>;

/**
 * A matrix in shards that is read piece by piece: nothing is in memory but what was asked for. The bytes
 * of a shard are checked against their digest when it is read for the first time.
 */
export class Shards<V extends Float32Array<ArrayBuffer> | Int32Array<ArrayBuffer>> {
  readonly #artifact: ArtifactReader;
  readonly #make: (length: number) => V;
  /** Element type on disk. */
  readonly type: NpyType;
  /** Number of rows. */
  readonly rows: number;
  /** Numbers in a row. */
  readonly width: number;
  /** Rows of every shard but the last. */
  readonly shardRows: number;

  /** For codecs. `make`: an array of the kind that readers get. */
  constructor(artifact: ArtifactReader, make: (length: number) => V, facts: ShardFacts) {
    this.#artifact = artifact;
    this.#make = make;
    this.type = facts.type;
    this.rows = facts.rows;
    this.width = facts.width;
    this.shardRows = facts.shardRows;
  }

  /** The files with their rows, in order. */
  get shards(): { readonly rows: number; readonly entry: FileEntry }[] {
    return Array.from({ length: Math.ceil(this.rows / this.shardRows) }, (_, shard) => ({
      rows: Math.min(this.shardRows, this.rows - shard * this.shardRows),
      entry: this.#artifact.artifact.files.find((file) => file.name === shardName(shard))!,
    }));
  }

  /** The absolute path of a shard, a `.npy` file whose bytes were checked; read-only. */
  path(shard: number): Promise<string> {
    return this.#artifact.path(shardName(shard));
  }

  /**
   * The rows from `from` to `to` (not included), `[to - from, width]`.
   *
   * @throws RangeError when there are no such rows.
   */
  async read(from: number, to: number): Promise<V> {
    const values = this.#make(this.#checkedRows(from, to) * this.width);
    await this.#pieces(from, to, (piece, at) => values.set(piece, at));
    return values;
  }

  /**
   * As `read`, in the element type on disk: cheaper where half precision or narrow numbers will do.
   *
   * @throws RangeError when there are no such rows.
   */
  async readStored(from: number, to: number): Promise<NpyArray> {
    const values = new npyTypes[this.type](this.#checkedRows(from, to) * this.width);
    await this.#pieces(from, to, (piece, at) => values.set(piece, at));
    return values;
  }

  /** All rows; for what is known to be small. */
  all(): Promise<V> {
    return this.read(0, this.rows);
  }

  /**
   * The rows from `from` to `to` (default: all) in blocks of `rows` (default: about 4 MiB in memory), in
   * order. A block may span shards; only the last one is shorter. The next one is read meanwhile.
   */
  async *blocks(options: { rows?: number; from?: number; to?: number } = {}): AsyncGenerator<Block<V>> {
    const { rows = Math.max(1, Math.floor(BLOCK_BYTES / (4 * this.width))), from = 0, to = this.rows } =
      options;
    if (!(Number.isInteger(rows) && rows > 0)) throw new RangeError(`blocks of ${rows} rows`);
    const start = (first: number) => {
      const reading = first < to ? this.read(first, Math.min(to, first + rows)) : undefined;
      reading?.catch(() => {}); // A reader that stops early never awaits it.
      return reading;
    };
    let next = start(from);
    for (let first = from; next !== undefined; first += rows) {
      const values = await next;
      next = start(first + rows);
      yield { first, rows: values.length / this.width, values };
    }
  }

  #checkedRows(from: number, to: number): number {
    if (Number.isInteger(from) && Number.isInteger(to) && 0 <= from && from <= to && to <= this.rows) {
      return to - from;
    }
    throw new RangeError(`rows ${from} to ${to} of a matrix with ${this.rows} rows`);
  }

  async #pieces(
    from: number,
    to: number,
    take: (piece: NpyArray, at: number) => void,
  ): Promise<void> {
    for (let row = from; row < to;) {
      const shard = Math.floor(row / this.shardRows);
      const end = Math.min(to, (shard + 1) * this.shardRows);
      take(await this.#piece(shard, row - shard * this.shardRows, end - row), (row - from) * this.width);
      row = end;
    }
  }

  async #piece(shard: number, row: number, rows: number): Promise<NpyArray> {
    const piece = new npyTypes[this.type](rows * this.width);
    const bytes = new Uint8Array(piece.buffer);
    const shardLength = Math.min(this.shardRows, this.rows - shard * this.shardRows);
    const header = npyHeader(this.type, shardLength, this.width);
    using file = await Deno.open(await this.path(shard), { read: true });
    await file.seek(header.length + row * this.width * piece.BYTES_PER_ELEMENT, Deno.SeekMode.Start);
    for (let have = 0; have < bytes.length;) {
      const n = await file.read(bytes.subarray(have));
      if (n === null) throw new TypeError(`${shardName(shard)} ends too early`);
      have += n;
    }
    return piece;
  }
}

/** What the facts of an artifact say of its shards. */
export interface ShardFacts {
  /** Element type on disk. */
  readonly type: NpyType;
  /** Number of rows. */
  readonly rows: number;
  /** Numbers in a row. */
  readonly width: number;
  /** Rows of every shard but the last. */
  readonly shardRows: number;
}

/**
 * Writes a matrix of any size into shards, files of a folder, as rows come. What the shards hold does not
 * depend on how many rows come at a time.
 *
 * @example
 * ```ts
 * import { ShardWriter } from "./shards.ts";
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
   * @throws RangeError when width or rows are no positive whole numbers.
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
    if (!(Number.isSafeInteger(width) && width > 0)) throw new RangeError(`a matrix of width ${width}`);
    if (!(Number.isSafeInteger(shardRows) && shardRows > 0)) {
      throw new RangeError(`shards of ${shardRows} rows`);
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
      throw new RangeError(`expected full shards, of ${this.#shardRows} rows`);
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
   * @throws RangeError when they are not whole rows.
   */
  async append(values: ArrayLike<number>): Promise<void> {
    if (values.length % this.#width !== 0) {
      throw new RangeError(`${values.length} numbers are not whole rows of ${this.#width}`);
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
    const path = join(this.#folder, shardName(this.#shards.length));
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
    const path = join(folder, `taken-${shardName(i)}`);
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

/**
 * A codec of matrices larger than memory: `shard-00000.npy`, … in half (`f2`) or single precision (`f4`),
 * which numpy and most others read. A stage returns what `ShardWriter.finish` gives; a reader gets a handle
 * that reads rows as single precision. Facts: element type, rows, width, rows of a shard.
 */
export const matrixShards: Codec<MatrixShards, NewShards<FloatType>, "matrix-shards"> = shardsCodec(
  "matrix-shards",
  ["f2", "f4"],
  (length) => new Float32Array(length),
);

/**
 * As `matrixShards`, for whole numbers: token ids in a row (`width` 1) or rows of a fixed width. Stored in four
 * bytes (`i4`), two (`u2`) or one (`u1`), read as `Int32Array`.
 */
export const tokenShards: Codec<TokenShards, NewShards<IntegerType>, "token-shards"> = shardsCodec(
  "token-shards",
  ["i4", "u2", "u1"],
  (length) => new Int32Array(length),
);

function shardsCodec<
  V extends Float32Array<ArrayBuffer> | Int32Array<ArrayBuffer>,
  T extends NpyType,
  Name extends string,
>(
  name: Name,
  types: readonly T[],
  make: (length: number) => V,
): Codec<Shards<V>, NewShards<T>, Name> {
  return defineCodec<Shards<V>, NewShards<T>, Name>({
    name,
    version: 1,
    async write(value, out) {
      checkType(value.type, types);
      return { ...await writeShards(value, out) };
    },
    // deno-lint-ignore require-await -- shards are read lazily
    async read(artifact) {
      const shards = readShards(artifact, make);
      checkType(shards.type, types);
      return shards;
    },
  });
}

function checkType(type: NpyType, types: readonly NpyType[]): void {
  if (!types.includes(type)) {
    throw new TypeError(`element type ${String(type)}, expected ${types.join(", ")}`);
  }
}

/** Writes the files of shards; gives the facts to be kept of them. For codecs. */
export async function writeShards(value: NewShards, out: ArtifactWriter): Promise<ShardFacts> {
  const { type, width, shardRows, shards } = value;
  let rows = 0;
  for (const [i, shard] of shards.entries()) {
    const last = i === shards.length - 1;
    if (shard.rows !== shardRows && !(last && 0 < shard.rows && shard.rows < shardRows)) {
      throw new TypeError(`shard ${i} has ${shard.rows} rows, expected ${shardRows}`);
    }
    if ("path" in shard) await out.adopt(shardName(i), shard.path);
    else out.keep(shardName(i), shard.entry);
    rows += shard.rows;
  }
  return { type, rows, width, shardRows };
}

/** A handle on the shards of an artifact, once its facts and the sizes of its files fit. For codecs. */
export function readShards<V extends Float32Array<ArrayBuffer> | Int32Array<ArrayBuffer>>(
  artifact: ArtifactReader,
  make: (length: number) => V,
): Shards<V> {
  const { type, rows, width, shardRows } = artifact.artifact.facts as unknown as ShardFacts;
  if (!(type in npyTypes)) throw new TypeError(`unknown element type ${String(type)}`);
  const size = npyTypes[type].BYTES_PER_ELEMENT;
  for (let shard = 0; shard * shardRows < rows; shard++) {
    const here = Math.min(shardRows, rows - shard * shardRows);
    const expected = npyHeader(type, here, width).length + here * width * size;
    const file = artifact.artifact.files.find(({ name }) => name === shardName(shard));
    if (file?.size !== expected) {
      throw new TypeError(`${shardName(shard)} has ${file?.size ?? "no"} bytes, expected ${expected}`);
    }
  }
  return new Shards(artifact, make, { type, rows, width, shardRows });
}

function shardName(shard: number): string {
  return `shard-${String(shard).padStart(5, "0")}.npy`;
}
