import { type Circuit, Evidence, isSoft, type Samples } from "../../circuits/mod.ts";
import type { InputGroup, Plan } from "../plan.ts";
import { columnsOf } from "./columns.ts";
import { padded, seenWords } from "./layout.ts";
import { LOG_ZERO, MISSING_REAL, pairOf } from "./words.ts";

/** Number of rows of a batch of `samples` samples. */
export function rowsFor(samples: number): number {
  return Math.max(8, (samples + 7) & ~7);
}

/** Words per sample on the device; see {@link Columns}. */
export function valueColumns(circuit: Circuit): number {
  return columnsOf(circuit).width;
}

/**
 * Writes samples as read by leaves.wgsl, `[rows, columns]` ({@link Columns}); padding rows and soft values are missing.
 * Real values are written relative to the centre of their column, as a sum of two float32 (48 bits).
 * @param centres of the columns, `[variables]`
 */
export function encodeValues(
  plan: Plan,
  samples: Samples,
  rows: number,
  centres: Float64Array,
  out: Int32Array,
): void {
  const count = plan.circuit.variables.length, { values, observed } = samples;
  const { width, half, real: reals, own } = columnsOf(plan.circuit);
  const isMissing = (s: number, at: number, v: number) =>
    s >= samples.count || (observed !== undefined && observed[at] === 0) ||
    (samples.soft !== undefined && isSoft(samples, s, v));
  const bits = new Float32Array(out.buffer, out.byteOffset, out.length);
  for (let v = 0; v < count; v++) {
    const real = reals[v] as boolean, missing = real ? MISSING_REAL : -1;
    const centre = centres[v] as number;
    for (let s = 0, at = v, to = v; s < rows; s++, at += count, to += width) {
      if (isMissing(s, at, v)) out[to] = missing;
      else if (!real) out[to] = values[at] as number;
      else {
        const [high, low] = pairOf((values[at] as number) - centre);
        bits[to] = high;
        bits[to + half] = low;
      }
    }
  }
  own.forEach(({ variable, encoding }, i) => {
    for (let s = 0, at = variable, to = count + i; s < rows; s++, at += count, to += width) {
      if (isMissing(s, at, variable)) out[to] = -1;
      else [out[to], bits[to + half]] = encoding.words(values[at] as number);
    }
  });
}

/**
 * Which scopes have something observed in each sample, one bit each, as read by ratio.wgsl:
 * `[scopes, seenWords(capacity)]`; undefined where no value is missing.
 */
export function encodeSeen(plan: Plan, samples: Samples, capacity: number): Uint32Array | undefined {
  const evidence = Evidence.of(plan.circuit), seen = evidence.seen(samples);
  if (seen === undefined) return undefined;
  const words = seenWords(capacity), out = new Uint32Array(evidence.scopes * words);
  for (let scope = 0, at = 0; scope < evidence.scopes; scope++) {
    for (let s = 0; s < samples.count; s++, at++) {
      const word = scope * words + (s >>> 5);
      if (seen[at] === 1) out[word] = (out[word] as number) | 1 << (s & 31);
    }
  }
  return out;
}

/** Log-likelihoods of an external leaf, for the device. */
export interface ExternalRows {
  /** `[rows, padded(units)]`: base-2 logarithms relative to the scale. */
  readonly logs: Float32Array;
  /** `[rows]`: scales. */
  readonly scales: Int32Array;
}

/**
 * The log-likelihoods of fold `fold` of an external leaf group; `nodeUnits` are those of the whole node. A row's scale
 * is subtracted in float64, so that rows around -3,000 nats keep the digits of their differences.
 */
export function encodeExternal(
  group: InputGroup,
  fold: number,
  nodeUnits: number,
  samples: Samples,
  rows: number,
): ExternalRows {
  const stride = padded(group.units), variable = group.variables[fold] as number;
  const first = group.firstUnits[fold] as number;
  const logs = new Float32Array(rows * stride).fill(LOG_ZERO), scales = new Int32Array(rows);
  const given = samples.externals?.get(variable);
  for (let s = 0; s < rows; s++) {
    const to = s * stride;
    const seen = s < samples.count &&
      (samples.observed === undefined || samples.observed[s * samples.variables + variable] !== 0);
    if (!seen || given === undefined) {
      logs.fill(0, to, to + group.units);
      continue;
    }
    const from = s * nodeUnits + first;
    let most = -Infinity;
    for (let u = 0; u < group.units; u++) most = Math.max(most, given[from + u] as number);
    if (most === -Infinity) continue;
    const scale = scales[s] = Math.ceil(most * Math.LOG2E);
    for (let u = 0; u < group.units; u++) {
      const log = given[from + u] as number;
      if (log > -Infinity) logs[to + u] = log * Math.LOG2E - scale;
    }
  }
  return { logs, scales };
}
