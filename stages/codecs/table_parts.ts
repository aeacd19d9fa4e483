import { decodeSafetensors, encodeSafetensors, type Tensor } from "../../circuits/safetensors.ts";
import type { ParameterArray } from "../../circuits/circuit.ts";
import type { ParameterSettings, UpdateRule } from "../../circuits/learner.ts";
import type { ShardCounts, TablePart } from "../../circuits/learning/shards.ts";
import { inOneRow } from "../../circuits/nested.ts";
import type { JsonObject } from "../../foundation/canonical.ts";
import { type Codec, defineCodec } from "../../runner/codec.ts";

/** Expected counts of a shard as a stage gets them: each part is read when it is asked for. */
export interface StoredCounts {
  /** A part of the counts. */
  part(index: number): Promise<TablePart>;
  /** Weight of the counted samples. */
  weight(): Promise<Float64Array>;
}

function encode(part: ReadonlyMap<string, Tensor["values"]>): Uint8Array<ArrayBuffer> {
  return encodeSafetensors(
    new Map([...part].map(([id, values]) => [id, { shape: [values.length], values }])),
  );
}

function decode(bytes: Uint8Array<ArrayBuffer>, where: string): TablePart {
  const { tensors } = decodeSafetensors(bytes, where);
  return new Map([...tensors].map(([id, { values }]) => [id, values as ParameterArray]));
}

/** Counts without their zeros, with a bit for each that says where the others stand: in a shard most words of a vocabulary are rare. */
function encodeCounts(part: TablePart): Uint8Array<ArrayBuffer> {
  const tensors = new Map<string, Tensor>(), lengths: Record<string, number> = {};
  for (const [id, values] of part) {
    const there = new Uint8Array(Math.ceil(values.length / 8));
    let count = 0;
    for (let i = 0; i < values.length; i++) {
      if (values[i] === 0) continue;
      there[i >>> 3]! |= 1 << (i & 7);
      count++;
    }
    const some = new Float64Array(count);
    for (let i = 0, at = 0; at < count; i++) if (values[i] !== 0) some[at++] = values[i]!;
    tensors.set(`there/${id}`, { shape: [there.length], values: there });
    tensors.set(`counts/${id}`, { shape: [count], values: some });
    lengths[id] = values.length;
  }
  return encodeSafetensors(tensors, { lengths: JSON.stringify(lengths) });
}

function decodeCounts(bytes: Uint8Array<ArrayBuffer>, where: string): TablePart {
  const { tensors, metadata: { lengths } } = decodeSafetensors(bytes, where);
  const part = new Map<string, Float64Array>();
  for (const [id, length] of Object.entries(JSON.parse(lengths!) as Record<string, number>)) {
    const there = tensors.get(`there/${id}`)!.values, some = tensors.get(`counts/${id}`)!.values;
    const values = new Float64Array(length);
    for (let i = 0, at = 0; i < length; i++) {
      if ((there[i >>> 3]! >> (i & 7) & 1) === 1) values[i] = some[at++]!;
    }
    part.set(id, values);
  }
  return part;
}

const fileOf = (part: number) => `part-${part}.safetensors`;
const WEIGHT = "weight.safetensors";

/** Expected counts of a shard: a safetensors file for each part of the parameters, and one with the weight of the samples. */
export const shardCounts: Codec<StoredCounts, Pick<ShardCounts, "parts" | "weight">, "shard-counts"> =
  defineCodec<StoredCounts, Pick<ShardCounts, "parts" | "weight">, "shard-counts">({
    name: "shard-counts",
    version: 2,
    async write({ parts, weight }, out) {
      for (const [i, part] of parts.entries()) await out.bytes(fileOf(i), encodeCounts(part));
      await out.bytes(WEIGHT, encode(new Map([["weight", weight]])));
      return { parts: parts.length };
    },
    read: (artifact) =>
      Promise.resolve({
        part: async (index) =>
          decodeCounts(await artifact.bytes(fileOf(index)), `part ${index} of the counts`),
        weight: async () =>
          decode(await artifact.bytes(WEIGHT), "the weight of the samples").get("weight") as Float64Array,
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

/** How counts are smoothed before every step of a training. */
export type StepSmoothing = Omit<UpdateRule, "step">;

/** How counts are smoothed: `settings.json`, and the distributions of virtual samples as safetensors. */
export const stepSmoothing: Codec<StepSmoothing, StepSmoothing, "step-smoothing"> = defineCodec<
  StepSmoothing,
  StepSmoothing,
  "step-smoothing"
>({
  name: "step-smoothing",
  version: 1,
  async write({ parameters = {}, sums = {}, leaves = {} }, out) {
    const bases = new Map<string, Float64Array>(), own: Record<string, JsonObject> = {};
    for (const [id, { base, ...settings }] of Object.entries(parameters)) {
      if (base !== undefined) bases.set(id, Float64Array.from(inOneRow(base)));
      own[id] = settings;
    }
    await out.json("settings.json", { sums, leaves, parameters: own } as JsonObject);
    await out.bytes("bases.safetensors", encode(bases));
    return {};
  },
  async read(artifact) {
    const { parameters, ...rest } = await artifact.json("settings.json") as unknown as Required<
      StepSmoothing
    >;
    const bases = decode(await artifact.bytes("bases.safetensors"), "the distributions of virtual samples");
    const all: Record<string, ParameterSettings> = { ...parameters };
    for (const [id, base] of bases) all[id] = { ...all[id], base: base as Float64Array };
    return { ...rest, parameters: all };
  },
});
