import { decodeSafetensors, encodeSafetensors } from "../../circuits/safetensors.ts";
import type { ParameterArray } from "../../circuits/circuit.ts";
import type { TablePart } from "../../circuits/learning/shards.ts";
import { type Codec, defineCodec } from "../../runner/codec.ts";

/** Parts of expected counts as a stage gets them: each is read when it is asked for. */
export interface StoredCounts {
  /** A part. */
  part(index: number): Promise<TablePart>;
}

function encode(part: TablePart): Uint8Array<ArrayBuffer> {
  return encodeSafetensors(
    new Map([...part].map(([id, values]) => [id, { shape: [values.length], values }])),
  );
}

function decode(bytes: Uint8Array<ArrayBuffer>, where: string): TablePart {
  const { tensors } = decodeSafetensors(bytes, where);
  return new Map([...tensors].map(([id, { values }]) => [id, values as ParameterArray]));
}

const fileOf = (part: number) => `part-${part}.safetensors`;

/** Expected counts of a shard: a safetensors file for each part of the parameters. */
export const shardCounts: Codec<StoredCounts, readonly TablePart[], "shard-counts"> = defineCodec<
  StoredCounts,
  readonly TablePart[],
  "shard-counts"
>({
  name: "shard-counts",
  version: 1,
  async write(parts, out) {
    for (const [i, part] of parts.entries()) await out.bytes(fileOf(i), encode(part));
    return { parts: parts.length };
  },
  read: (artifact) =>
    Promise.resolve({
      part: async (index) => decode(await artifact.bytes(fileOf(index)), `part ${index} of the counts`),
    }),
});

/** A part of the parameters of a circuit: one safetensors file. */
export const parameterPart: Codec<TablePart, TablePart, "parameter-part"> = defineCodec<
  TablePart,
  TablePart,
  "parameter-part"
>({
  name: "parameter-part",
  version: 1,
  async write(part, out) {
    await out.bytes(fileOf(0), encode(part));
    return { parameters: [...part.values()].reduce((sum, { length }) => sum + length, 0) };
  },
  read: async (artifact) => decode(await artifact.bytes(fileOf(0)), "the part of the parameters"),
});
