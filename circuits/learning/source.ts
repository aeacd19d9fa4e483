import type { Samples, ValueArray } from "../samples.ts";
import { checkSampleWeights, takeSamples } from "../samples.ts";
import { CircuitError } from "../errors.ts";
import { requireList, requireObject, requireSamples, requireWhole } from "../guards.ts";

/**
 * Samples with random access, which need not fit in memory: the rows of a file, the windows of a text. `read` must always
 * return the same sample for an index.
 */
export interface SampleSource {
  /** Number of samples. */
  readonly count: number;
  /** `[count]`: the weight of each sample; 1 if omitted. */
  readonly weights?: ArrayLike<number>;
  /** Facts that users of a circuit learned from these samples need; see `Circuit.notes`. */
  readonly notes?: Readonly<Record<string, string>>;
  /** The samples at these indices, in this order. */
  read(indices: Uint32Array): Samples | Promise<Samples>;
}

/** A source over samples in memory. @throws {CircuitError} on weights that do not fit the samples */
export function sourceOf(samples: Samples, weights?: ArrayLike<number>): SampleSource {
  requireSamples(samples);
  checkSampleWeights(samples, weights);
  return {
    count: samples.count,
    ...(weights !== undefined && { weights }),
    read: (indices) => takeSamples(samples, indices),
  };
}

/** The samples of a source at `indices`, in that order, as a source. */
export function takeSource(source: SampleSource, indices: Uint32Array): SampleSource {
  requireObject("the source of samples", source, ["count", "read"]);
  requireList("the indices", indices);
  const { weights, notes } = source;
  return {
    count: indices.length,
    ...(weights !== undefined && { weights: Float64Array.from(indices, (s) => weights[s] as number) }),
    ...(notes !== undefined && { notes }),
    read: (chosen) => source.read(chosen.map((i) => indices[i] as number)),
  };
}

/**
 * Total weight of the samples of a source.
 * @throws {CircuitError} when there are none, on weights that do not fit them, and when all are 0: there is nothing to learn or
 *   to score then
 */
export function weightOf({ count, weights }: SampleSource, what: string): number {
  requireWhole(`the number of ${what} samples`, count, 0);
  if (count === 0) throw new CircuitError("learning/no-samples", `there are no ${what} samples`);
  if (weights === undefined) return count;
  checkSampleWeights({ count }, weights);
  let total = 0;
  for (let s = 0; s < count; s++) total += weights[s] as number;
  if (total > 0) return total;
  throw new CircuitError(
    "learning/no-samples",
    `the weights of all ${count} ${what} samples are 0: none of them counts`,
  );
}

/** One batch of a source. */
export interface Batch {
  /** The samples. */
  readonly samples: Samples;
  /** Their weights, `[samples]`; absent if all are 1. */
  readonly weights?: Float64Array;
  /** Their indices in the source. */
  readonly indices: Uint32Array;
}

/** Reads the samples at these indices with their weights. */
export async function readBatch(source: SampleSource, indices: Uint32Array): Promise<Batch> {
  requireObject("the source of samples", source, ["count"]);
  const { weights } = source;
  const samples = await source.read(indices);
  if (weights === undefined) return { samples, indices };
  return {
    samples,
    indices,
    weights: Float64Array.from({ length: indices.length }, (_, i) => weights[indices[i] as number] as number),
  };
}

/** Number of batches of at most `size` samples. @throws {CircuitError} when a number is not whole */
export function batchCount(count: number, size: number): number {
  requireWhole("the number of samples", count, 0);
  requireWhole("the size of a batch", size, 1);
  return Math.ceil(count / size);
}

/**
 * The part of `order` that belongs to batch `batch`, with `order` cut into the fewest batches of at most `size`, all of
 * nearly the same size: a small last batch would make a noisy last step.
 */
export function batchOf(order: Uint32Array, batch: number, size: number): Uint32Array {
  const batches = batchCount(order.length, size);
  requireWhole("the number of a batch", batch, 0, Math.max(0, batches - 1));
  const at = (b: number) => Math.floor(b * order.length / batches);
  return order.subarray(at(batch), at(batch + 1));
}

/** The indices of all samples in ascending order. */
export function ascending(count: number): Uint32Array {
  requireWhole("the number of samples", count, 0);
  return Uint32Array.from({ length: count }, (_, i) => i);
}

/**
 * All windows of `length` consecutive values of a sequence as samples, one every `stride` (1 if omitted): sample `s` is
 * `values[s * stride .. s * stride + length - 1]`. Nothing is copied before it is read.
 */
export function windowsOf(
  values: ValueArray,
  length: number,
  stride = 1,
): SampleSource {
  requireWhole("the length of a window", length, 1);
  requireWhole("stride", stride, 1);
  const count = Math.max(0, Math.floor((values.length - length) / stride) + 1);
  return {
    count,
    read(indices) {
      const type = values.constructor as new (length: number) => ValueArray;
      const out = new type(indices.length * length);
      indices.forEach((s, i) => out.set(values.subarray(s * stride, s * stride + length), i * length));
      return { count: indices.length, variables: length, values: out };
    },
  };
}
