import {
  encodeSafetensors,
  safetensorsPieces,
  type Tensor,
  viewSafetensors,
} from "../../circuits/safetensors.ts";
import type { ParameterArray } from "../../circuits/circuit.ts";
import type { ParameterSettings, UpdateRule } from "../../circuits/learner.ts";
import type { CountPart, CountRows } from "../../circuits/learning/shard_counts.ts";
import type { ShardCounts, TablePart } from "../../circuits/learning/shards.ts";
import { inOneRow } from "../../circuits/nested.ts";
import type { JsonObject } from "../../foundation/canonical.ts";
import { type Codec, defineCodec } from "../../runner/codec.ts";

/** Expected counts of a shard as a stage gets them: each part is read when it is asked for. */
export interface StoredCounts {
  /** A part of the counts. */
  part(index: number): Promise<CountPart>;
  /** Weight of the counted samples. */
  weight(): Promise<Float64Array>;
}

function encode(part: ReadonlyMap<string, Tensor["values"]>): Uint8Array<ArrayBuffer> {
  return encodeSafetensors(
    new Map([...part].map(([id, values]) => [id, { shape: [values.length], values }])),
  );
}

function decode(bytes: Uint8Array<ArrayBuffer>, where: string): TablePart {
  const { tensors } = viewSafetensors(bytes, where);
  return new Map([...tensors].map(([id, { values }]) => [id, values as ParameterArray]));
}

/**
 * Counts without their zeros, which most words of a vocabulary have in a shard: `rows` says which rows there are, `filled` how many
 * of their numbers are not zero; `there` has a bit for each number of a row that has both.
 */
function encodeCounts(part: CountPart): Uint8Array[] {
  const tensors = new Map<string, Tensor>(), shapes: Record<string, Omit<CountRows, "counted">> = {};
  for (const [id, { counted, ...shape }] of part) {
    const { width } = shape;
    const counts = new Float64Array(counted.size * width),
      there = new Uint8Array(counted.size * bitsOf(width));
    const rows: number[] = [], filled: number[] = [];
    let at = 0, bits = 0;
    for (const [row, own] of counted) {
      const before = at;
      for (let i = 0; i < width; i++) if (own[i] !== 0) counts[at++] = own[i]!;
      if (at === before) continue;
      rows.push(row);
      filled.push(at - before);
      if (at - before === width) continue;
      for (let i = 0; i < width; i++) if (own[i] !== 0) there[bits + (i >>> 3)]! |= 1 << (i & 7);
      bits += bitsOf(width);
    }
    tensors.set(`counts/${id}`, { shape: [at], values: counts.subarray(0, at) });
    tensors.set(`rows/${id}`, { shape: [rows.length], values: Int32Array.from(rows) });
    tensors.set(`filled/${id}`, { shape: [rows.length], values: Int32Array.from(filled) });
    tensors.set(`there/${id}`, { shape: [bits], values: there.subarray(0, bits) });
    shapes[id] = shape;
  }
  return safetensorsPieces(tensors, { shapes: JSON.stringify(shapes) });
}

/** Bytes for the bits of a row. */
function bitsOf(width: number): number {
  return Math.ceil(width / 8);
}

function decodeCounts(bytes: Uint8Array<ArrayBuffer>, where: string): CountPart {
  const { tensors, metadata: { shapes } } = viewSafetensors(bytes, where);
  const part = new Map<string, CountRows>();
  for (
    const [id, shape] of Object.entries(JSON.parse(shapes!) as Record<string, Omit<CountRows, "counted">>)
  ) {
    const of = (name: string) => tensors.get(`${name}/${id}`)!.values;
    const { width } = shape, rows = of("rows"), filled = of("filled"), there = of("there");
    const counts = of("counts") as Float64Array, counted = new Map<number, Float64Array>();
    let at = 0, bits = 0;
    for (let i = 0; i < rows.length; i++) {
      let own = counts.subarray(at, at + filled[i]!);
      if (own.length < width) {
        own = new Float64Array(width);
        for (let i = 0, next = at; i < width; i++) {
          if ((there[bits + (i >>> 3)]! >> (i & 7) & 1) === 1) own[i] = counts[next++]!;
        }
        bits += bitsOf(width);
      }
      counted.set(rows[i]!, own);
      at += filled[i]!;
    }
    part.set(id, { ...shape, counted });
  }
  return part;
}

const fileOf = (part: number) => `part-${part}.safetensors`;
const WEIGHT = "weight.safetensors";

/** Expected counts of a shard: a safetensors file for each part of the parameters, and one with the weight of the samples. */
export const shardCounts: Codec<StoredCounts, Pick<ShardCounts, "parts" | "weight">, "shard-counts"> =
  defineCodec<StoredCounts, Pick<ShardCounts, "parts" | "weight">, "shard-counts">({
    name: "shard-counts",
    version: 3,
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
