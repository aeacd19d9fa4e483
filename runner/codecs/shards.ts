import { RetortError } from "../../foundation/errors.ts";
import type { ArtifactReader, ArtifactWriter, FileEntry } from "../codec.ts";
import { type NpyArray, npyHeader, type NpyType, npyTypes } from "./npy.ts";

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
   * @throws RetortError when there are no such rows.
   */
  async read(from: number, to: number): Promise<V> {
    const values = this.#make(this.#checkedRows(from, to) * this.width);
    await this.#pieces(from, to, (piece, at) => values.set(piece, at));
    return values;
  }

  /**
   * As `read`, in the element type on disk: cheaper where half precision or narrow numbers will do.
   *
   * @throws RetortError when there are no such rows.
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
    if (!(Number.isInteger(rows) && rows > 0)) {
      throw new RetortError("shards/argument", `blocks of ${rows} rows`);
    }
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
    throw new RetortError("shards/argument", `rows ${from} to ${to} of a matrix with ${this.rows} rows`);
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
      if (n === null) throw new RetortError("artifact/unreadable", `${shardName(shard)} ends too early`);
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

/** Writes the files of shards; gives the facts to be kept of them. For codecs. */
export async function writeShards(value: NewShards, out: ArtifactWriter): Promise<ShardFacts> {
  const { type, width, shardRows, shards } = value;
  let rows = 0;
  for (const [i, shard] of shards.entries()) {
    const last = i === shards.length - 1;
    if (shard.rows !== shardRows && !(last && 0 < shard.rows && shard.rows < shardRows)) {
      throw new RetortError("shards/argument", `shard ${i} has ${shard.rows} rows, expected ${shardRows}`);
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
  if (!(type in npyTypes)) {
    throw new RetortError("artifact/unreadable", `unknown element type ${String(type)}`);
  }
  const size = npyTypes[type].BYTES_PER_ELEMENT;
  for (let shard = 0; shard * shardRows < rows; shard++) {
    const here = Math.min(shardRows, rows - shard * shardRows);
    const expected = npyHeader(type, here, width).length + here * width * size;
    const file = artifact.artifact.files.find(({ name }) => name === shardName(shard));
    if (file?.size !== expected) {
      throw new RetortError(
        "artifact/unreadable",
        `${shardName(shard)} has ${file?.size ?? "no"} bytes, expected ${expected}`,
      );
    }
  }
  return new Shards(artifact, make, { type, rows, width, shardRows });
}

/** The name of a shard's file in its artifact. */
export function shardName(shard: number): string {
  return `shard-${String(shard).padStart(5, "0")}.npy`;
}
