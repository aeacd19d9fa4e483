import { joinedBytes } from "../../foundation/joined_bytes.ts";
import { badFileName } from "../../foundation/file_names.ts";
import { type ExportedFile, exportedId, type ExportedRun } from "./exported_run.ts";

/**
 * The curves of a run as event files of TensorBoard, a folder for each node that has some. Read by `tensorboard --logdir
 * FOLDER`. A file is a sequence of records, each its length, its bytes and their checksums (TFRecord), and each record an
 * `Event` of TensorFlow's protocol buffers.
 */
export function tensorboardFiles({ run, nodes }: ExportedRun): ExportedFile[] {
  return nodes.flatMap(({ node, metrics }) => {
    const points = metrics.filter((one) => one.step !== null && one.value !== null);
    if (points.length === 0) return [];
    const events = points.map((one) =>
      record([
        ...double(1, one.time),
        ...integer(2, Math.round(one.step!)),
        ...bytes(5, bytes(1, [...text(1, one.name), ...float(2, one.value!)])),
      ])
    );
    const version = record([...double(1, run.started), ...text(3, "brain.Event:2")]);
    const folder = badFileName(node.name) === undefined && !node.name.includes("/")
      ? node.name
      : `node-${node.position + 1}`;
    const seconds = String(Math.floor(run.started)).padStart(10, "0");
    return [{
      path: `${folder}/events.out.tfevents.${seconds}.${exportedId(run.id, node.name).slice(0, 8)}`,
      content: joinedBytes([version, ...events]),
    }];
  });
}

function record(data: readonly number[]): Uint8Array {
  const out = new Uint8Array(16 + data.length);
  const view = new DataView(out.buffer);
  view.setBigUint64(0, BigInt(data.length), true);
  view.setUint32(8, masked(out.subarray(0, 8)), true);
  out.set(data, 12);
  view.setUint32(12 + data.length, masked(out.subarray(12, 12 + data.length)), true);
  return out;
}

/** CRC-32C (RFC 3720, appendix B.4), reflected, by table. */
const TABLE = Uint32Array.from({ length: 256 }, (_, n) => {
  let c = n;
  for (let bit = 0; bit < 8; bit++) c = c & 1 ? 0x82f63b78 ^ (c >>> 1) : c >>> 1;
  return c;
});

/** The checksum as TFRecord masks it. */
function masked(data: Uint8Array): number {
  let crc = 0xffffffff;
  for (const byte of data) crc = TABLE[(crc ^ byte) & 0xff]! ^ (crc >>> 8);
  crc = (crc ^ 0xffffffff) >>> 0;
  return (((crc >>> 15) | (crc << 17)) + 0xa282ead8) >>> 0;
}

// Fields of protocol buffers: a number and a wire type, then the value.

function varint(value: bigint): number[] {
  const out: number[] = [];
  for (value = BigInt.asUintN(64, value); value > 127n; value >>= 7n) out.push(Number(value & 127n) | 128);
  return [...out, Number(value)];
}

function integer(field: number, value: number): number[] {
  return [field << 3, ...varint(BigInt(value))];
}

function double(field: number, value: number): number[] {
  return [field << 3 | 1, ...new Uint8Array(Float64Array.of(value).buffer)];
}

function float(field: number, value: number): number[] {
  return [field << 3 | 5, ...new Uint8Array(Float32Array.of(value).buffer)];
}

function bytes(field: number, value: readonly number[]): number[] {
  return [field << 3 | 2, ...varint(BigInt(value.length)), ...value];
}

function text(field: number, value: string): number[] {
  return bytes(field, [...new TextEncoder().encode(value)]);
}
