import { RetortError } from "../../foundation/errors.ts";
import { z } from "zod";
import type { Circuit } from "../../circuits/circuit.ts";
import type { SampleSource } from "../../circuits/learning/source.ts";
import { encodeSafetensors, type Tensor } from "../../circuits/safetensors.ts";
import { isObserved, isSoft, type Samples, type ValueArray } from "../../circuits/samples.ts";
import { type SoftEvidence, softWidth } from "../../circuits/soft.ts";
import { type Codec, defineCodec } from "../../runner/codec.ts";
import { TensorFile } from "../../circuits/tensor_file.ts";

const notesOf = z.record(z.string(), z.string()).optional();

/** Samples as a stage returns them. */
export interface NewSamples extends Samples {
  /** How often each sample counts, `[count]`; once when left out. */
  readonly weights?: ArrayLike<number>;
  /** What whoever asks a circuit that is learned from them must know. */
  readonly notes?: Circuit["notes"];
}

/** Name of the one file. */
const FILE = "samples.safetensors";

/** Samples as a stage gets them: read by index, so that they need not fit in memory. */
export class StoredSamples implements SampleSource {
  readonly #file: TensorFile;
  /** Number of samples. */
  readonly count: number;
  /** Number of variables: columns. */
  readonly variables: number;
  /** How often each sample counts, `[count]`; absent: once. */
  declare readonly weights?: Float64Array;
  /** What whoever asks a circuit that is learned from them must know: see `Circuit.notes`. */
  declare readonly notes?: Readonly<Record<string, string>>;

  private constructor(file: TensorFile, weights: Float64Array | undefined, notes: Circuit["notes"]) {
    this.#file = file;
    [this.count, this.variables] = file.shape("values") as [number, number];
    if (weights !== undefined) this.weights = weights;
    if (notes !== undefined) this.notes = notes;
  }

  /** The samples of a file that the codec wrote. */
  static async open(path: string, notes?: Circuit["notes"]): Promise<StoredSamples> {
    const file = await TensorFile.open(path);
    const weights = file.has("weights") ? await file.all("weights") as Float64Array : undefined;
    return new StoredSamples(file, weights, notes);
  }

  /** The samples at these indices, in this order. */
  async read(indices: Uint32Array): Promise<Samples> {
    return await this.#samples(indices.length, (name) => this.#file.rows(name, indices));
  }

  /** All samples, for what is known to fit in memory. */
  async all(): Promise<Samples> {
    return await this.#samples(this.count, (name) => this.#file.all(name));
  }

  async #samples(count: number, read: (name: string) => Promise<Tensor["values"]>): Promise<Samples> {
    const externals = new Map<number, Float32Array>(), soft = new Map<number, SoftEvidence>();
    for (const name of this.#file.names) {
      const variable = /^external\/(\d+)$/.exec(name)?.[1],
        weighted = /^soft\/(\d+)\/weights$/.exec(name)?.[1];
      if (variable !== undefined) externals.set(Number(variable), await read(name) as Float32Array);
      if (weighted === undefined) continue;
      const part = async (kind: string) =>
        this.#file.has(`soft/${weighted}/${kind}`) && {
          [kind]: await read(`soft/${weighted}/${kind}`),
        };
      const own = { weights: await read(name), ...await part("indices"), ...await part("rows") };
      soft.set(Number(weighted), own as SoftEvidence);
    }
    return {
      count,
      variables: this.variables,
      values: await read("values"),
      ...(this.#file.has("observed") && { observed: await read("observed") as Uint8Array }),
      ...(externals.size > 0 && { externals }),
      ...(soft.size > 0 && { soft }),
    };
  }
}

/**
 * Samples for circuits: one file, `samples.safetensors`, with the tensors `values` `[count, variables]`, in
 * the narrowest type that holds them, and where there are any `observed` (1 or 0), `weights`,
 * `external/<variable>` and `soft/<variable>/weights`, `/indices` and `/rows` ({@link SoftEvidence}). Facts: counts, and notes where there are any.
 */
export const samples: Codec<StoredSamples, NewSamples, "samples"> = defineCodec<
  StoredSamples,
  NewSamples,
  "samples"
>({
  name: "samples",
  version: 1,
  async write(value, out) {
    const { count, variables, observed, externals, soft, weights, notes } = value;
    if (value.values?.length !== count * variables) {
      throw new RetortError(
        "artifact/value",
        `${count} samples of ${variables} variables need ${
          count * variables
        } values; got ${value.values?.length}`,
      );
    }
    const missing = observed?.reduce((total, o) => total + (o === 0 ? 1 : 0), 0) ?? 0;
    const tensors = new Map<string, Tensor>([["values", {
      shape: [count, variables],
      values: narrowest(missing > 0 || soft ? withoutMissing(value) : value.values),
    }]]);
    if (observed !== undefined && missing > 0) {
      tensors.set("observed", { shape: [count, variables], values: observed.map((o) => o === 0 ? 0 : 1) });
    }
    if (weights !== undefined) {
      if (weights.length !== count) {
        throw new RetortError("artifact/value", `${count} samples got ${weights.length} weights`);
      }
      tensors.set("weights", { shape: [count], values: Float64Array.from(weights) });
    }
    for (const [v, logs] of [...externals ?? []].sort(([a], [b]) => a - b)) {
      tensors.set(`external/${v}`, { shape: [count, count > 0 ? logs.length / count : 0], values: logs });
    }
    for (const [v, own] of [...soft ?? []].sort(([a], [b]) => a - b)) {
      const shape = [count, softWidth(own, count)];
      tensors.set(`soft/${v}/weights`, { shape, values: own.weights });
      if (own.indices) tensors.set(`soft/${v}/indices`, { shape, values: Int32Array.from(own.indices) });
      if (own.rows) tensors.set(`soft/${v}/rows`, { shape: [count], values: own.rows });
    }
    await out.bytes(FILE, encodeSafetensors(tensors, { format: "retort-samples" }));
    return { samples: count, variables, ...(missing > 0 && { missing }), ...(notes && { notes }) };
  },
  read: async (artifact) =>
    await StoredSamples.open(await artifact.path(FILE), notesOf.parse(artifact.artifact.facts.notes)),
});

/** What is not observed or soft may be anything; 0 makes equal samples equal bytes. */
function withoutMissing(samples: Samples): ValueArray {
  const values = samples.values.slice();
  for (let at = 0; at < values.length; at++) {
    const v = at % samples.variables;
    const s = (at - v) / samples.variables;
    if (!isObserved(samples, s, v) || isSoft(samples, s, v)) values[at] = 0;
  }
  return values;
}

/** The same numbers in the narrowest type that holds them, so that equal samples are equal bytes. */
function narrowest(values: ValueArray): Tensor["values"] {
  const all = (test: (x: number) => boolean): boolean => {
    for (let i = 0; i < values.length; i++) if (!test(values[i] as number)) return false;
    return true;
  };
  if (all((x) => Number.isInteger(x) && x >= 0 && x < 256)) return Uint8Array.from(values);
  if (all((x) => (x | 0) === x)) return Int32Array.from(values);
  return all((x) => Math.fround(x) === x) ? Float32Array.from(values) : Float64Array.from(values);
}
