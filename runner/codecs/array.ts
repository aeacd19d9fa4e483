import { RetortError } from "../../foundation/errors.ts";
import { dump } from "npyjs";
import { readNpy } from "../../foundation/npy.ts";
import { type Codec, defineCodec } from "../codec.ts";

/** Element types of stored arrays, by their numpy codes without byte order. */
const TYPES = {
  f4: Float32Array,
  f8: Float64Array,
  i4: Int32Array,
  u4: Uint32Array,
  u2: Uint16Array,
  u1: Uint8Array,
} as const;

/** The code of an element type: `f4` is a 4-byte float, `i4` a 4-byte whole number, `u1` a byte, ... */
export type ElementType = keyof ArrayOf;

/** The typed array of each element type. */
export interface ArrayOf {
  /** 4-byte floats. */
  f4: Float32Array;
  /** 8-byte floats. */
  f8: Float64Array;
  /** 4-byte whole numbers with sign. */
  i4: Int32Array;
  /** 4-byte whole numbers without sign. */
  u4: Uint32Array;
  /** 2-byte whole numbers without sign. */
  u2: Uint16Array;
  /** Bytes. */
  u1: Uint8Array;
}

/** A dense array in row-major order. */
export interface NumericArray<T extends ElementType = ElementType> {
  /** `shape[0] * shape[1] * ...` elements. */
  readonly data: ArrayOf[T];
  /** Length of each dimension. */
  readonly shape: readonly number[];
}

/**
 * A codec of dense arrays of one element type and number of dimensions: one file, `array.npy`, that
 * numpy and most others read. Facts: element type and shape.
 *
 * @example
 * ```ts
 * import { array } from "./array.ts";
 * const labels = array("labels", "i4", 1);
 * ```
 */
export function array<T extends ElementType, const Name extends string>(
  name: Name,
  type: T,
  dimensions: number,
): Codec<NumericArray<T>, NumericArray<T>, Name> {
  const check = (value: NumericArray<T>): NumericArray<T> => {
    if (!(value?.data instanceof TYPES[type])) {
      throw new RetortError(
        "artifact/value",
        `expected { data: ${TYPES[type].name}, shape }, got ${describe(value)}`,
      );
    }
    const { data, shape } = value;
    if (shape.length !== dimensions) {
      throw new RetortError(
        "artifact/value",
        `expected ${dimensions} dimensions, got shape [${shape.join(", ")}]`,
      );
    }
    if (shape.reduce((product, n) => product * n, 1) !== data.length) {
      throw new RetortError(
        "artifact/value",
        `shape [${shape.join(", ")}] does not fit ${data.length} elements`,
      );
    }
    return value;
  };
  return defineCodec<NumericArray<T>, NumericArray<T>, Name>({
    name,
    version: 1,
    async write(value, out) {
      const { data, shape } = check(value);
      await out.bytes("array.npy", new Uint8Array(dump(data, [...shape])));
      return { type, shape: [...shape] };
    },
    async read(artifact) {
      const { data, shape } = readNpy(await artifact.bytes("array.npy"));
      return check({ data: data as NumericArray<T>["data"], shape });
    },
  });
}

function describe(value: unknown): string {
  if (typeof value !== "object" || value === null) return String(value);
  const data = (value as { data?: unknown }).data;
  return data === undefined ? "an object without data" : `data: ${data?.constructor?.name ?? typeof data}`;
}
