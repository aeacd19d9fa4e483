/**
 * The part of the protocol buffer wire format that ONNX models need: integer, 32-bit float and bytes fields. Source:
 * https://protobuf.dev/programming-guides/encoding.
 */
const encoder = new TextEncoder();

/** A message field: its number in the schema and its value; a list is a nested message. */
export type Field = readonly [number, FieldValue];
/** Value of a field. `number` and `bigint` are integers; a float is `{ float }`. */
export type FieldValue =
  | number
  | bigint
  | string
  | Uint8Array
  | { readonly float: number }
  | readonly Field[];

function varint(value: number | bigint): Uint8Array {
  let left = BigInt.asUintN(64, BigInt(value));
  const bytes: number[] = [];
  do {
    const low = Number(left & 127n);
    left >>= 7n;
    bytes.push(left > 0n ? low | 128 : low);
  } while (left > 0n);
  return Uint8Array.from(bytes);
}

/** Collects a message's bytes as pieces in order, so that large tensors are copied only once, at the end. */
function pieces(fields: readonly Field[], out: Uint8Array[]): number {
  let size = 0;
  const push = (bytes: Uint8Array) => {
    out.push(bytes);
    size += bytes.length;
  };
  for (const [number, value] of fields) {
    if (typeof value === "number" || typeof value === "bigint") {
      push(varint(number << 3));
      push(varint(value));
    } else if (typeof value === "object" && "float" in value) {
      push(varint(number << 3 | 5));
      push(new Uint8Array(new Float32Array([value.float]).buffer));
    } else {
      push(varint(number << 3 | 2));
      if (typeof value === "string" || value instanceof Uint8Array) {
        const bytes = typeof value === "string" ? encoder.encode(value) : value;
        push(varint(bytes.length));
        push(bytes);
      } else {
        const inner: Uint8Array[] = [];
        const length = pieces(value as readonly Field[], inner);
        push(varint(length));
        for (const bytes of inner) out.push(bytes);
        size += length;
      }
    }
  }
  return size;
}

/** Encodes a message. */
export function message(fields: readonly Field[]): Uint8Array {
  const parts: Uint8Array[] = [];
  const bytes = new Uint8Array(pieces(fields, parts));
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}
