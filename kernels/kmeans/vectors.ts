import { RetortError } from "../../foundation/errors.ts";

/** Consecutive rows. */
export interface VectorBlock {
  /** Index of the first row. */
  readonly first: number;
  /** Number of rows. */
  readonly rows: number;
  /** `[rows, width]`, row-major. */
  readonly values: Float32Array;
}

/**
 * Vectors that can be read in pieces repeatedly, always with the same numbers: shards on disk, an array in memory, or a
 * view of either. k-means does not need all of them in memory.
 */
export interface Vectors {
  /** Number of vectors. */
  readonly rows: number;
  /** Number of components of a vector. */
  readonly width: number;
  /**
   * Iterates over all rows in order, in blocks of at most `rows` rows. A block's values are valid until the next one is
   * requested.
   */
  blocks(options?: { rows?: number }): AsyncIterable<VectorBlock>;
  /** Reads rows `from` to `to` (exclusive) as `[to - from, width]`. */
  read(from: number, to: number): Promise<Float32Array>;
}

/** Default size of a block, in numbers: 16 MiB of float32. */
const BLOCK_NUMBERS = 4 << 20;

/** Number of rows in a block of vectors of this width: about 16 MiB. */
export function rowsOfBlock(width: number): number {
  return Math.max(1, Math.floor(BLOCK_NUMBERS / width));
}

/**
 * Wraps an array in memory, `[values.length / width, width]`, without copying it.
 * @throws {RetortError} when the array does not hold whole rows
 */
export function vectorsOf(values: Float32Array, width: number): Vectors {
  const rows = values.length / width;
  if (!Number.isInteger(rows)) {
    throw new RetortError(
      "kmeans/width",
      `${values.length} numbers do not divide into vectors of width ${width}`,
    );
  }
  return readBy(rows, width, (from, to) => Promise.resolve(values.subarray(from * width, to * width)));
}

/** Copies the vectors into memory if they take at most `bytes` as float32; otherwise returns them unchanged. */
export async function held(vectors: Vectors, bytes: number): Promise<Vectors> {
  const { rows, width } = vectors;
  if (rows * width * 4 > bytes) return vectors;
  const values = new Float32Array(rows * width);
  for await (const block of vectors.blocks()) values.set(block.values, block.first * width);
  return vectorsOf(values, width);
}

/**
 * A view of rows `offset`, `offset + step`, `offset + 2 step`, ...: one position of a matrix whose rows are
 * `[samples, positions]`.
 */
export function everyNth(vectors: Vectors, step: number, offset: number): Vectors {
  const { width } = vectors;
  const rows = Math.max(0, Math.ceil((vectors.rows - offset) / step));
  return readBy(rows, width, async (from, to) => {
    const values = new Float32Array((to - from) * width);
    // Read in pieces: the rows in between are read too and must not accumulate.
    const piece = Math.max(1, Math.floor(rowsOfBlock(width) / step));
    for (let at = from; at < to; at += piece) {
      const end = Math.min(to, at + piece);
      const dense = await vectors.read(offset + at * step, offset + (end - 1) * step + 1);
      for (let row = at; row < end; row++) {
        const source = (row - at) * step * width;
        values.set(dense.subarray(source, source + width), (row - from) * width);
      }
    }
    return values;
  });
}

/** Rows closer together than this are fetched in one read, including the rows in between. */
const GAP = 16;

/**
 * Copies of the rows at `indices`, in that order.
 * @param indices in ascending order; duplicates are allowed
 */
export async function rowsAt(vectors: Vectors, indices: ArrayLike<number>): Promise<Float32Array> {
  const { width } = vectors;
  const out = new Float32Array(indices.length * width);
  const most = rowsOfBlock(width);
  for (let i = 0; i < indices.length;) {
    const from = indices[i]!;
    let end = i + 1;
    while (end < indices.length && indices[end]! - indices[end - 1]! < GAP && indices[end]! - from < most) {
      end++;
    }
    const dense = await vectors.read(from, indices[end - 1]! + 1);
    for (; i < end; i++) {
      const source = (indices[i]! - from) * width;
      out.set(dense.subarray(source, source + width), i * width);
    }
  }
  return out;
}

/** A view of the rows from `from` to `to` (not included). */
export function rowsBetween(vectors: Vectors, from: number, to: number): Vectors {
  return readBy(to - from, vectors.width, (first, end) => vectors.read(from + first, from + end));
}

/** Vectors of which any run of rows can be read. */
function readBy(rows: number, width: number, read: Vectors["read"]): Vectors {
  return {
    rows,
    width,
    read,
    async *blocks({ rows: most = rowsOfBlock(width) } = {}) {
      for (let first = 0; first < rows; first += most) {
        const to = Math.min(rows, first + most);
        yield { first, rows: to - first, values: await read(first, to) };
      }
    },
  };
}

/**
 * Error for a number that is not finite; names row and column.
 *
 * @param at where in `values` the first row begins that may have one
 * @param rowOf what the row that begins at a place in `values` is called
 */
export function notFinite(
  values: Float32Array,
  at: number,
  width: number,
  rowOf: (row: number) => number,
): RetortError {
  const i = values.findIndex((x, i) => i >= at && !Number.isFinite(x));
  return new RetortError(
    "kmeans/vectors",
    `vector ${rowOf(Math.floor(i / width))}, column ${i % width} is ${
      values[i]
    }: only finite numbers can be clustered`,
    { hint: "Look at what made the vectors: an overflow in half precision is a usual cause." },
  );
}

/** Rows scaled to unit length. */
export function unitVectors(centroids: Float32Array | Float64Array, width: number): Float32Array {
  const out = new Float32Array(centroids.length);
  for (let at = 0; at < centroids.length; at += width) {
    let square = 0;
    for (let i = 0; i < width; i++) square += centroids[at + i]! ** 2;
    const scale = square > 0 ? 1 / Math.sqrt(square) : 0;
    for (let i = 0; i < width; i++) out[at + i] = centroids[at + i]! * scale;
  }
  return out;
}
