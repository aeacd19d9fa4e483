import { CircuitError } from "./errors.ts";
import { kindOf } from "./guards.ts";

/**
 * Soft evidence about a categorical variable: for every sample, a weight for each state instead of a value, such as a
 * teacher's distribution over tokens or the reading of a noisy sensor. A weight is the likelihood `lambda(x)` of the
 * observation given state `x`: virtual evidence (Pearl 1988, section 2.2.2), as if a child of the variable had been
 * observed.
 *
 * A leaf has the likelihood `sum_x lambda(x) p(x)`. Weights need not sum to one: multiplying a row by `c` adds `log c` to
 * the sample's log-likelihood and changes nothing else. A single state of weight 1 is equivalent to that value; a row of
 * zeros makes the sample impossible.
 */
export interface SoftEvidence {
  /** Non-negative finite numbers: `[count, states]`, or `[count, k]` with `indices`. */
  readonly weights: Float32Array;
  /** `[count, k]`: the states that the weights belong to; all other states have weight 0. Entries of weight 0 pad a row. */
  readonly indices?: Uint8Array | Uint16Array | Int32Array | Uint32Array;
  /** `[count]`: 1 where a sample has soft evidence, 0 where it has a value. If absent, all samples have soft evidence. */
  readonly rows?: Uint8Array;
}

/** The states of positive weight of one sample, in evidence order, with their weights. */
export interface StateWeights {
  /** States of positive weight. */
  readonly states: readonly number[];
  /** Their weights. */
  readonly weights: readonly number[];
}

/** Number of weights per sample: the number of states, or `k` with `indices`. */
export function softWidth(soft: SoftEvidence, count: number): number {
  return count === 0 ? 0 : soft.weights.length / count;
}

/** The possible states of sample `s` of `count`, with their weights. */
export function weightsOf(soft: SoftEvidence, s: number, count: number): StateWeights {
  const width = softWidth(soft, count), states: number[] = [], weights: number[] = [];
  for (let i = 0, at = s * width; i < width; i++, at++) {
    const weight = soft.weights[at] as number;
    if (weight === 0) continue;
    states.push(soft.indices === undefined ? i : soft.indices[at] as number);
    weights.push(weight);
  }
  return { states, weights };
}

/**
 * Soft evidence with every array replaced, for example by a slice; `width` is the row width.
 * @throws {CircuitError} on arrays that do not have a row for each of `count` samples
 */
export function mapSoft(
  soft: ReadonlyMap<number, SoftEvidence>,
  count: number,
  change: <T extends Uint8Array | Uint16Array | Int32Array | Uint32Array | Float32Array>(
    array: T,
    width: number,
  ) => T,
): ReadonlyMap<number, SoftEvidence> {
  return new Map(
    [...soft].map(([v, own]) => {
      const width = softWidth(own, count), { weights, indices, rows } = own;
      const fits = Number.isInteger(width) && (indices?.length ?? weights.length) === weights.length;
      if (!fits || (rows?.length ?? count) !== count) {
        throw new CircuitError(
          "samples/soft-evidence",
          `the soft evidence of variable ${v} has no row for each of ${count} samples`,
        );
      }
      return [v, {
        weights: change(own.weights, width),
        ...(own.indices && { indices: change(own.indices, width) }),
        ...(own.rows && { rows: change(own.rows, 1) }),
      }];
    }),
  );
}

/**
 * Rejects invalid soft evidence about a variable with `states` states. Rows for which `isRead` returns false are skipped.
 * @param where how messages name the variable
 * @throws {CircuitError} on arrays of other types or lengths, and naming the first sample with a weight that is negative or
 *   not finite, or an index of no state or given twice
 */
export function checkSoft(
  where: string,
  soft: SoftEvidence,
  { count, states, isRead }: {
    readonly count: number;
    readonly states: number;
    readonly isRead: (s: number) => boolean;
  },
): void {
  const { weights, indices, rows } = soft;
  if (!(weights instanceof Float32Array)) {
    throw new CircuitError(
      "samples/soft-evidence",
      `${where}: the weights of soft evidence are a Float32Array, got ${kindOf(weights)}`,
    );
  }
  if (indices !== undefined && !isIndices(indices)) {
    throw new CircuitError(
      "samples/soft-evidence",
      `${where}: the indices of soft evidence are a Uint8Array, Uint16Array, Int32Array or Uint32Array, got ${
        kindOf(indices)
      }`,
    );
  }
  if (rows !== undefined && !(rows instanceof Uint8Array && rows.length === count)) {
    throw new CircuitError(
      "samples/soft-evidence",
      `${where}: \`rows\` of soft evidence is a Uint8Array of ${count} numbers, one a sample; got ${
        rows instanceof Uint8Array ? rows.length : kindOf(rows)
      }`,
    );
  }
  if (indices === undefined && weights.length !== count * states) {
    throw new CircuitError(
      "samples/soft-evidence",
      `${where}: ${count} samples of ${states} states need ${count * states} weights; got ${weights.length}`,
      { hint: "With `indices` there are as many weights as those: those of some states alone." },
    );
  }
  if (indices !== undefined && indices.length !== weights.length) {
    throw new CircuitError(
      "samples/soft-evidence",
      `${where}: soft evidence has ${weights.length} weights and ${indices.length} indices, expected as many`,
    );
  }
  if (indices !== undefined && (count === 0 ? weights.length > 0 : weights.length % count !== 0)) {
    throw new CircuitError(
      "samples/soft-evidence",
      `${where}: ${weights.length} weights are not as many for each of ${count} samples`,
    );
  }
  const width = softWidth(soft, count);
  // By state: the last row that contained it, counted from 1.
  const seen = new Uint32Array(indices === undefined ? 0 : states);
  for (let s = 0; s < count; s++) {
    if (!isRead(s)) continue;
    for (let at = s * width; at < (s + 1) * width; at++) {
      const weight = weights[at] as number;
      if (!(weight >= 0 && weight < Infinity)) {
        throw new CircuitError(
          "samples/soft-evidence",
          `sample ${s}, ${where}: a weight of soft evidence is ${weight}, expected a finite number from 0`,
          { hint: "Weights are likelihoods, not their logarithms." },
        );
      }
      if (indices === undefined) continue;
      const x = indices[at] as number;
      if (!(x >= 0 && x < states)) {
        throw new CircuitError(
          "samples/soft-evidence",
          `sample ${s}, ${where}: an index of soft evidence is ${x}, expected a whole number from 0 to ${
            states - 1
          }`,
        );
      }
      if (weight === 0) continue;
      if (seen[x] === s + 1) {
        throw new CircuitError(
          "samples/soft-evidence",
          `sample ${s}, ${where}: state ${x} stands twice in the soft evidence`,
          { hint: "Add its weights up; entries of weight 0 may pad a row." },
        );
      }
      seen[x] = s + 1;
    }
  }
}

function isIndices(indices: unknown): boolean {
  return [Uint8Array, Uint16Array, Int32Array, Uint32Array].some((type) => indices instanceof type);
}
