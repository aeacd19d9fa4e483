/** Element types by their numpy codes without byte order, with the arrays that hold them. */
export const npyTypes: {
  readonly f2: Float16ArrayConstructor;
  readonly f4: Float32ArrayConstructor;
  readonly i4: Int32ArrayConstructor;
  readonly u2: Uint16ArrayConstructor;
  readonly u1: Uint8ArrayConstructor;
} = {
  f2: Float16Array,
  f4: Float32Array,
  i4: Int32Array,
  u2: Uint16Array,
  u1: Uint8Array,
} as const;

/** The code of an element type. */
export type NpyType = "f2" | "f4" | "i4" | "u2" | "u1";

/** The array that holds numbers of an element type. */
export type NpyArray =
  | Float16Array<ArrayBuffer>
  | Float32Array<ArrayBuffer>
  | Int32Array<ArrayBuffer>
  | Uint16Array<ArrayBuffer>
  | Uint8Array<ArrayBuffer>;

/**
 * The header of a `.npy` file of a matrix: little-endian, row-major, format 1.0
 * (https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html). The numbers follow at once.
 */
export function npyHeader(type: NpyType, rows: number, width: number): Uint8Array<ArrayBuffer> {
  const order = type === "u1" ? "|" : "<";
  const facts = `{'descr': '${order}${type}', 'fortran_order': False, 'shape': (${rows}, ${width}), }`;
  // Magic number, version and length of the rest make 10 bytes; all of it is padded to 64.
  const length = Math.ceil((10 + facts.length + 1) / 64) * 64;
  const bytes = new Uint8Array(length).fill(0x20);
  bytes.set([0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, 1, 0, (length - 10) & 255, (length - 10) >> 8]);
  bytes.set(new TextEncoder().encode(facts), 10);
  bytes[length - 1] = 0x0a;
  return bytes;
}
