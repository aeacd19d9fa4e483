/** What the header of a `.npy` file says (https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html). */
export interface NpyHead {
  /** numpy's code without byte order: `f4`, `i4`, `u1`. */
  readonly type: string;
  readonly shape: readonly number[];
  /** Where the numbers begin. */
  readonly offset: number;
}

type View = (bytes: DataView, at: number) => number;

const READERS: Record<string, readonly [size: number, read: View]> = {
  b1: [1, (view, at) => view.getUint8(at)],
  u1: [1, (view, at) => view.getUint8(at)],
  i1: [1, (view, at) => view.getInt8(at)],
  u2: [2, (view, at) => view.getUint16(at, true)],
  i2: [2, (view, at) => view.getInt16(at, true)],
  f2: [2, (view, at) => view.getFloat16(at, true)],
  u4: [4, (view, at) => view.getUint32(at, true)],
  i4: [4, (view, at) => view.getInt32(at, true)],
  f4: [4, (view, at) => view.getFloat32(at, true)],
  u8: [8, (view, at) => Number(view.getBigUint64(at, true))],
  i8: [8, (view, at) => Number(view.getBigInt64(at, true))],
  f8: [8, (view, at) => view.getFloat64(at, true)],
};

/** Reads the head of a `.npy` file; undefined when it is none, or of a kind that is not shown (big-endian, objects). */
export function npyHead(bytes: Uint8Array): NpyHead | undefined {
  if (bytes.length < 12 || String.fromCharCode(...bytes.subarray(0, 6)) !== "\x93NUMPY") return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const long = bytes[6]! >= 2;
  const offset = (long ? 12 : 10) + (long ? view.getUint32(8, true) : view.getUint16(8, true));
  if (offset > bytes.length) return undefined;
  const text = new TextDecoder().decode(bytes.subarray(long ? 12 : 10, offset));
  const type = /['"]descr['"]: *['"][<|]([a-z]\d)['"]/.exec(text)?.[1];
  const shape = /['"]shape['"]: *\(([\d, ]*)\)/.exec(text)?.[1];
  if (type === undefined || shape === undefined || !(type in READERS)) return undefined;
  if (!/['"]fortran_order['"]: *False/.test(text)) return undefined;
  return { type, shape: shape.split(",").filter((part) => part.trim() !== "").map(Number), offset };
}

/** Numbers of a `.npy` file, as many as the bytes hold and at most `limit`. */
export function npyNumbers(bytes: Uint8Array, head: NpyHead, limit = Infinity): Float64Array {
  const [size, read] = READERS[head.type]!;
  const held = Math.floor((bytes.length - head.offset) / size);
  const wanted = head.shape.reduce((product, n) => product * n, 1);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return Float64Array.from(
    { length: Math.min(held, wanted, limit) },
    (_, i) => read(view, head.offset + i * size),
  );
}
