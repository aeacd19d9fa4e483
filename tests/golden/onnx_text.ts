/** ONNX models as text that people compare: a line for each input, constant, node and output. */
import { ELEMENT_TYPES } from "../../kernels/onnx/graph.ts";
import { hashOf } from "../golden.ts";

/** A field of a protocol buffer as it stands in the bytes. */
type Field = { readonly id: number; readonly value: number | Uint8Array };

function fieldsOf(bytes: Uint8Array): Field[] {
  const fields: Field[] = [];
  let at = 0;
  const varint = () => {
    let value = 0n, shift = 0n;
    for (;; shift += 7n) {
      const byte = bytes[at++]!;
      value |= BigInt(byte & 127) << shift;
      if (byte < 128) return Number(BigInt.asIntN(64, value));
    }
  };
  while (at < bytes.length) {
    const key = varint(), id = key >>> 3;
    if ((key & 7) === 0) fields.push({ id, value: varint() });
    else if ((key & 7) === 5) {
      fields.push({ id, value: new DataView(bytes.buffer, bytes.byteOffset + at).getFloat32(0, true) });
      at += 4;
    } else {
      const length = varint();
      fields.push({ id, value: bytes.subarray(at, at + length) });
      at += length;
    }
  }
  return fields;
}

/** The fields of a message by number. */
function message(bytes: Uint8Array) {
  const fields = fieldsOf(bytes);
  const all = (id: number) => fields.filter((field) => field.id === id).map(({ value }) => value);
  return {
    numbers: (id: number) => all(id) as number[],
    messages: (id: number) => (all(id) as Uint8Array[]).map(message),
    texts: (id: number) => (all(id) as Uint8Array[]).map((text) => new TextDecoder().decode(text)),
    bytes: (id: number) => all(id)[0] as Uint8Array,
    has: (id: number) => all(id).length > 0,
  };
}

type Message = ReturnType<typeof message>;

const TYPES = new Map(Object.entries(ELEMENT_TYPES).map(([name, number]) => [number as number, name]));

/** `x: float32 [3, batch, 4]`. */
function described(value: Message): string {
  const tensor = value.messages(2)[0]!.messages(1)[0]!;
  const sizes = tensor.messages(2)[0]!.messages(1).map((size) => size.numbers(1)[0] ?? size.texts(2)[0]);
  return `${value.texts(1)[0]}: ${TYPES.get(tensor.numbers(1)[0]!)} [${sizes.join(", ")}]`;
}

/** The numbers of a constant where they are few, else what tells others from them. */
async function constant(tensor: Message): Promise<string> {
  const type = TYPES.get(tensor.numbers(2)[0]!)!, bytes = tensor.bytes(9).slice();
  const few = bytes.length <= 64;
  const numbers = () =>
    type === "float32"
      ? new Float32Array(bytes.buffer)
      : type === "float64"
      ? new Float64Array(bytes.buffer)
      : type === "int64"
      ? new BigInt64Array(bytes.buffer)
      : type === "int32"
      ? new Int32Array(bytes.buffer)
      : bytes;
  const value = few ? numbers().join(" ") : `sha256 ${(await hashOf(bytes)).slice(0, 16)}`;
  return `${tensor.texts(8)[0]} = ${type} [${tensor.numbers(1).join(", ")}] ${value}`;
}

function attribute(one: Message): string {
  const value = one.has(2)
    ? one.numbers(2)[0]
    : one.has(3)
    ? one.numbers(3)[0]
    : one.has(4)
    ? one.texts(4)[0]
    : `[${one.numbers(8).join(", ")}]`;
  return `${one.texts(1)[0]}=${value}`;
}

/** The text of a model. */
export async function onnxText(model: Uint8Array): Promise<string> {
  const graph = message(message(model).bytes(7));
  const constants = await Promise.all(graph.messages(5).map(constant));
  const nodes = graph.messages(1).map((node) => {
    const given = [...node.texts(1), ...node.messages(5).map(attribute)].join(", ");
    const domain = node.has(7) ? `${node.texts(7)[0]}.` : "";
    return `${node.texts(2).join(", ")} = ${domain}${node.texts(4)[0]}(${given})`;
  });
  return [
    ...graph.messages(11).map((value) => `input ${described(value)}`),
    ...constants,
    ...nodes,
    ...graph.messages(12).map((value) => `output ${described(value)}`),
  ].join("\n");
}
