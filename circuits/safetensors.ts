/**
 * The safetensors format (https://github.com/huggingface/safetensors): an eight-byte length of the JSON header, the
 * header, then the numbers. It contains nothing executable, and most languages can read it.
 */
import { joinedBytes } from "../foundation/joined_bytes.ts";
import { CircuitError } from "./errors.ts";
import { requireList, requireObject } from "./guards.ts";

/** Arrays that can be stored. */
export type TensorArray = Float64Array | Float32Array | Int32Array | Uint8Array;

/** A tensor: row-major values of a shape. */
export interface Tensor {
  /** Sizes of the dimensions, slowest-varying first; empty for a scalar. */
  readonly shape: readonly number[];
  /** Row-major values; their number is the product of the shape. */
  readonly values: TensorArray;
}

/** Contents of a file. */
export interface Safetensors {
  /** Tensors by name. */
  readonly tensors: ReadonlyMap<string, Tensor>;
  /** Free text by key. */
  readonly metadata: Readonly<Record<string, string>>;
}

/** Maximum header size that the format allows. */
const MAX_HEADER = 100_000_000;

const TYPES = {
  F64: Float64Array,
  F32: Float32Array,
  I32: Int32Array,
  U8: Uint8Array,
} as const;
type TypeName = keyof typeof TYPES;

/** Encodes a file. Tensors are stored widest type first, so that all are aligned, and otherwise in the given order. */
export function encodeSafetensors(
  tensors: ReadonlyMap<string, Tensor>,
  metadata: Readonly<Record<string, string>> = {},
): Uint8Array<ArrayBuffer> {
  return joinedBytes(safetensorsPieces(tensors, metadata));
}

/** The bytes of {@link encodeSafetensors} in pieces, to be written one after the other: those of the tensors are not copied. */
export function safetensorsPieces(
  tensors: ReadonlyMap<string, Tensor>,
  metadata: Readonly<Record<string, string>> = {},
): Uint8Array[] {
  requireObject("the tensors", tensors);
  const entries = [...tensors].sort(([, a], [, b]) =>
    b.values.BYTES_PER_ELEMENT - a.values.BYTES_PER_ELEMENT
  );
  const header: Record<string, unknown> = Object.keys(metadata).length > 0 ? { __metadata__: metadata } : {};
  let offset = 0;
  for (const [name, { shape, values }] of entries) {
    if (sizeOfShape(shape) !== values.length) {
      throw new CircuitError(
        "circuit/shape",
        `tensor \`${name}\` of the shape [${shape.join(", ")}] holds ${values.length} numbers`,
      );
    }
    const end = offset + values.byteLength;
    header[name] = { dtype: typeNameOf(values), shape, data_offsets: [offset, end] };
    offset = end;
  }
  const text = new TextEncoder().encode(JSON.stringify(header));
  const length = Math.ceil(text.length / 8) * 8;
  const head = new Uint8Array(8 + length);
  new DataView(head.buffer).setBigUint64(0, BigInt(length), true);
  head.fill(0x20, 8).set(text, 8);
  const pieces = entries.map(([, { values }]) =>
    new Uint8Array(values.buffer, values.byteOffset, values.byteLength)
  );
  return [head, ...pieces];
}

/**
 * Decodes a file. Rejects anything that does not follow the format exactly: a header that does not parse, unknown types,
 * shapes that do not fit the offsets, gaps, overlaps, missing and surplus bytes.
 * @param where how messages name the file
 * @throws {CircuitError} naming the tensor
 */
export function decodeSafetensors(bytes: Uint8Array, where = "safetensors"): Safetensors {
  requireList("the bytes", bytes);
  const { places, metadata } = safetensorsPlaces(bytes, bytes.length, where);
  const tensors = new Map<string, Tensor>();
  for (const [name, { type, shape, from, to }] of places) {
    // A copy: views need an alignment that files do not guarantee. `slice` would give a view of the whole where the bytes are a Buffer.
    tensors.set(name, { shape, values: new type(new Uint8Array(bytes.subarray(from, to)).buffer) });
  }
  return { tensors, metadata };
}

/**
 * {@link decodeSafetensors} without copies, for bytes that nobody else has: arrays lie in `bytes` where these are aligned, as they
 * are in files of {@link encodeSafetensors} that were read whole.
 * @throws {CircuitError} naming the tensor
 */
export function viewSafetensors(bytes: Uint8Array<ArrayBuffer>, where = "safetensors"): Safetensors {
  requireList("the bytes", bytes);
  const { places, metadata } = safetensorsPlaces(bytes, bytes.length, where);
  const tensors = new Map<string, Tensor>();
  for (const [name, { type, shape, from, to }] of places) {
    const start = bytes.byteOffset + from, count = (to - from) / type.BYTES_PER_ELEMENT;
    const values = start % type.BYTES_PER_ELEMENT === 0
      ? new type(bytes.buffer, start, count)
      : new type(bytes.slice(from, to).buffer);
    tensors.set(name, { shape, values });
  }
  return { tensors, metadata };
}

/** Constructor of a storable array type. */
export interface TensorType {
  /** Creates an array of zeros, or one over the bytes of a buffer. */
  new (from: number | ArrayBuffer): TensorArray;
  /** Creates an array over a part of a buffer. */
  new (buffer: ArrayBuffer, byteOffset: number, length: number): TensorArray;
  /** Bytes per number. */
  readonly BYTES_PER_ELEMENT: number;
}

/** Location of a tensor in a file. */
export interface TensorPlace {
  /** Constructor of the array type of its values. */
  readonly type: TensorType;
  /** Sizes of the dimensions, slowest-varying first. */
  readonly shape: readonly number[];
  /** Offset of the first byte of the values in the file. */
  readonly from: number;
  /** Offset after the last byte. */
  readonly to: number;
}

/** Number of bytes up to the end of the header, from the first eight bytes of a file. */
export function safetensorsHeaderLength(start: Uint8Array): number {
  return 8 + Number(new DataView(start.buffer, start.byteOffset, 8).getBigUint64(0, true));
}

/**
 * Locations of the tensors of a file, given its beginning up to the end of the header (`start`, may be longer) and its
 * size in bytes: for reading parts of files that are larger than memory. Checks like {@link decodeSafetensors}.
 */
export function safetensorsPlaces(
  start: Uint8Array,
  size: number,
  where = "safetensors",
): { places: ReadonlyMap<string, TensorPlace>; metadata: Readonly<Record<string, string>> } {
  const fail = (problem: string): never => {
    throw new CircuitError("circuit-file/damaged", `${where}: ${problem}`, {
      hint: "The file is damaged, or is no safetensors file.",
    });
  };
  if (start.length < 8) fail(`it has ${start.length} bytes, too few for a header`);
  const begin = safetensorsHeaderLength(start);
  if (begin - 8 > MAX_HEADER || begin > Math.min(size, start.length)) {
    fail(`its header should have ${begin - 8} bytes, but ${start.length - 8} are there`);
  }
  const length = size - begin;
  const header = parseHeader(start.subarray(8, begin), fail);
  const metadata: Record<string, string> = {};
  const places = new Map<string, TensorPlace>();
  const spans: [number, number, string][] = [];
  for (const [name, entry] of Object.entries(header)) {
    if (name === "__metadata__") {
      for (const [key, value] of Object.entries(entry as object)) metadata[key] = String(value);
      continue;
    }
    const { dtype, shape, data_offsets: offsets } = (entry ?? {}) as Record<string, unknown>;
    if (typeof dtype !== "string" || !(dtype in TYPES)) {
      fail(`tensor \`${name}\` has the type ${String(dtype)}, expected ${Object.keys(TYPES).join(", ")}`);
    }
    if (!isIndexList(shape)) return fail(`tensor \`${name}\` has no shape`);
    if (!isIndexList(offsets) || offsets.length !== 2) return fail(`tensor \`${name}\` has no offsets`);
    const [from, to] = offsets as [number, number];
    const type = TYPES[dtype as TypeName];
    if (to - from !== sizeOfShape(shape) * type.BYTES_PER_ELEMENT || to > length) {
      fail(`tensor \`${name}\` of the shape [${shape.join(", ")}] stands at ${from} to ${to} of ${length}`);
    }
    spans.push([from, to, name]);
    places.set(name, { type, shape, from: begin + from, to: begin + to });
  }
  spans.sort((a, b) => a[0] - b[0] || a[1] - b[1]);
  let end = 0;
  for (const [from, to, name] of spans) {
    if (from !== end) fail(`tensor \`${name}\` starts at ${from}, expected ${end}`);
    end = to;
  }
  if (end !== length) fail(`${length - end} bytes after the last tensor belong to none`);
  return { places, metadata };
}

function parseHeader(bytes: Uint8Array, fail: (problem: string) => never): Record<string, unknown> {
  let parsed: unknown;
  try {
    parsed = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch {
    fail("its header is not JSON");
  }
  if (typeof parsed !== "object" || parsed === null || Array.isArray(parsed)) {
    return fail("its header is no object");
  }
  return parsed as Record<string, unknown>;
}

function typeNameOf(values: TensorArray): TypeName {
  if (values instanceof Float64Array) return "F64";
  if (values instanceof Float32Array) return "F32";
  return values instanceof Int32Array ? "I32" : "U8";
}

function sizeOfShape(shape: readonly number[]): number {
  return shape.reduce((a, b) => a * b, 1);
}

function isIndexList(value: unknown): value is number[] {
  return Array.isArray(value) && value.every((x) => Number.isSafeInteger(x) && x >= 0);
}
