import { RetortError } from "../../foundation/errors.ts";
import { type Codec, defineCodec } from "../codec.ts";
import type { NpyType } from "./npy.ts";
import { type NewShards, readShards, type Shards, writeShards } from "./shards.ts";

/** Element types of `matrixShards`: half and single precision. */
export type FloatType = "f2" | "f4";
/** Element types of `tokenShards`: whole numbers of four bytes, two bytes and one byte. */
export type IntegerType = "i4" | "u2" | "u1";

/** A matrix in shards as a stage gets it: see `matrixShards`. */
export type MatrixShards = Shards<Float32Array<ArrayBuffer>>;
/** Whole numbers in shards as a stage gets them: see `tokenShards`. */
export type TokenShards = Shards<Int32Array<ArrayBuffer>>;

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
    throw new RetortError("shards/argument", `element type ${String(type)}, expected ${types.join(", ")}`);
  }
}
