type Read = (bytes: DataView, at: number) => number;

/** Element types by numpy's codes without byte order: bytes of a number, how one is read, the array that holds many. */
const TYPES = {
  b1: [1, (view, at) => view.getUint8(at), Uint8Array],
  u1: [1, (view, at) => view.getUint8(at), Uint8Array],
  i1: [1, (view, at) => view.getInt8(at), Int8Array],
  u2: [2, (view, at) => view.getUint16(at, true), Uint16Array],
  i2: [2, (view, at) => view.getInt16(at, true), Int16Array],
  f2: [2, (view, at) => view.getFloat16(at, true), Float16Array],
  u4: [4, (view, at) => view.getUint32(at, true), Uint32Array],
  i4: [4, (view, at) => view.getInt32(at, true), Int32Array],
  f4: [4, (view, at) => view.getFloat32(at, true), Float32Array],
  u8: [8, (view, at) => Number(view.getBigUint64(at, true)), BigUint64Array],
  i8: [8, (view, at) => Number(view.getBigInt64(at, true)), BigInt64Array],
  f8: [8, (view, at) => view.getFloat64(at, true), Float64Array],
} as const satisfies Record<string, readonly [size: number, read: Read, array: unknown]>;

/** An element type: numpy's code without byte order. */
export type NpyCode = keyof typeof TYPES;

/** What the header of a `.npy` file says (https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html). */
export interface NpyHead {
  readonly type: NpyCode;
  /** Length of each dimension; row-major. */
  readonly shape: readonly number[];
  /** Where the numbers begin. */
  readonly offset: number;
}

/**
 * Reads the header of a `.npy` file, of which the beginning will do.
 *
 * @throws TypeError when it is none, or its numbers are big-endian, objects, complex, or in Fortran order.
 */
export function npyHead(bytes: Uint8Array): NpyHead {
  const { fortran, ...head } = headOf(bytes);
  if (fortran) throw new TypeError("it is in Fortran order");
  return head;
}

/**
 * Where the numbers of a `.npy` file begin; undefined where these bytes, its beginning, are too few to tell.
 *
 * @throws TypeError when it is none.
 */
export function npyOffset(bytes: Uint8Array): number | undefined {
  const begun = String.fromCharCode(...bytes.subarray(0, MAGIC.length));
  if (!MAGIC.startsWith(begun)) throw new TypeError("it is no .npy file");
  if (bytes.length < 12) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return bytes[6]! >= 2 ? 12 + view.getUint32(8, true) : 10 + view.getUint16(8, true);
}

/** What a `.npy` file begins with. */
const MAGIC = "\x93NUMPY";

function headOf(bytes: Uint8Array): NpyHead & { readonly fortran: boolean } {
  const offset = npyOffset(bytes);
  if (offset === undefined) throw new TypeError("it is no .npy file");
  if (offset > bytes.length) throw new TypeError("its header is cut off");
  const text = new TextDecoder("latin1").decode(bytes.subarray(bytes[6]! >= 2 ? 12 : 10, offset));
  const found = /['"]descr['"]\s*:\s*['"]([^'"]+)['"]/.exec(text)?.[1];
  const shape = /['"]shape['"]\s*:\s*\(([\d, ]*)\)/.exec(text)?.[1]?.split(",").filter((part) =>
    part.trim() !== ""
  )
    .map(Number);
  if (found === undefined || shape === undefined) {
    throw new TypeError("its header says neither type nor shape");
  }
  const type = found.replace(/^[<|]/, "");
  if (!Object.hasOwn(TYPES, type)) {
    throw new TypeError(
      `its element type is ${found}; expected ${Object.keys(TYPES).join(", ")}, little-endian`,
    );
  }
  const fortran = shape.length > 1 && /['"]fortran_order['"]\s*:\s*True/.test(text);
  return { type: type as NpyCode, shape, offset, fortran };
}

/** Numbers of a `.npy` file, as many as the bytes hold and at most `limit`. */
export function npyNumbers(bytes: Uint8Array, head: NpyHead, limit = Infinity): Float64Array {
  const [size, read] = TYPES[head.type];
  const held = Math.floor((bytes.length - head.offset) / size);
  const wanted = head.shape.reduce((product, n) => product * n, 1);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return Float64Array.from(
    { length: Math.min(held, wanted, limit) },
    (_, i) => read(view, head.offset + i * size),
  );
}

/** The array of an element type. */
export type NpyData<T extends NpyCode = NpyCode> = InstanceType<(typeof TYPES)[T][2]>;

/** A whole array out of a `.npy` file. */
export interface NpyContent {
  readonly type: NpyCode;
  readonly shape: readonly number[];
  /** All numbers that the file holds, a copy; whether they are as many as the shape says is the caller's to check. */
  readonly data: NpyData;
}

/**
 * Reads a `.npy` file whole, a matrix in Fortran order too.
 *
 * @throws TypeError as {@link npyHead}, but only for more than two dimensions in Fortran order, and when the file ends in the
 *   middle of a number.
 */
export function readNpy(bytes: Uint8Array): NpyContent {
  const { type, shape, offset, fortran } = headOf(bytes);
  if (fortran && shape.length > 2) throw new TypeError("it is in Fortran order");
  const [size, , array] = TYPES[type];
  if ((bytes.length - offset) % size !== 0) throw new TypeError("it ends in the middle of a number");
  const data = new array(new Uint8Array(bytes.subarray(offset)).buffer) as NpyData;
  return { type, shape, data: fortran ? transposed(data, shape as [number, number]) : data };
}

/** Columns of a matrix as its rows; what is missing at the end of a cut file stays missing. */
function transposed<T extends NpyData>(data: T, [rows, columns]: readonly [number, number]): T {
  if (data.length !== rows * columns) return data;
  const turned = data.slice() as T;
  for (let r = 0; r < rows; r++) {
    for (let c = 0; c < columns; c++) turned[r * columns + c] = data[c * rows + r]!;
  }
  return turned;
}
