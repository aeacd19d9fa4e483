import { getOrMake } from "../../foundation/newer.ts";
import {
  type Circuit,
  CircuitError,
  isObserved,
  type ParameterArray,
  type Samples,
  sizeOf,
} from "../../circuits/mod.ts";
import { farthest } from "../leaves/reach.ts";
import type { Reach } from "../leaves/device_leaf.ts";
import { deviceLeaf } from "../leaves/mod.ts";

/**
 * Distance from all units, in standard deviations, beyond which the units' shares are inexact: in float32,
 * log-densities are off by 4e-5.
 */
const PRECISE = 32;

/** Distance in standard deviations up to which any number of squares can be added in float32 without overflow. */
const FARTHEST = 1e15;

/** Maximum circuit edges that the host evaluates per call, some seconds of work. */
const WORK = 1e8;

/** A leaf parameter that is only accurate for values close enough to it. */
interface Limited {
  readonly id: string;
  readonly variables: readonly number[];
  readonly reach: Reach;
}

/** Finds samples with real values too far from all units of a leaf for the device; the host computes them. */
export class FarSamples {
  readonly #limited: readonly Limited[];
  readonly #limit: number;
  /** Cost of a sample on the host. */
  readonly #work: number;
  /** By limit and parameter: the values it was computed for, and the ranges close to some unit, sorted and disjoint. */
  readonly #near = new Map<string, { values: ParameterArray; spans: Float64Array }>();

  /** Creates a finder for samples of a circuit. */
  constructor(circuit: Circuit) {
    this.#limited = limitedOf(circuit);
    this.#limit = farthest(circuit);
    const { edges, units } = sizeOf(circuit);
    this.#work = edges + units;
  }

  /**
   * Indices of the samples to compute on the host: those whose shares would be inexact or, if there are very many, only
   * those whose likelihoods the device cannot represent. `values` holds the leaf parameters.
   * @throws {CircuitError} when there are too many of these too, or squares would overflow
   */
  find(samples: Samples, values: ReadonlyMap<string, ParameterArray>): number[] {
    if (this.#limited.length === 0) return [];
    const some = this.#beyond(Math.min(PRECISE, this.#limit), samples, values);
    if (some.length === 0) return some;
    this.#refuse(this.#beyond(FARTHEST, samples, values), samples.count, FARTHEST);
    if (some.length * this.#work <= WORK) return some;
    const worst = this.#beyond(this.#limit, samples, values);
    if (worst.length * this.#work > WORK) this.#refuse(worst, samples.count, Math.floor(this.#limit));
    return worst;
  }

  #refuse(far: readonly number[], count: number, limit: number): void {
    if (far.length === 0) return;
    throw new CircuitError(
      "gpu/far-values",
      `${far.length} of ${count} samples have real values that are more than ${limit} standard deviations from all ` +
        "units of a leaf: more than the engine webgpu can work with",
      {
        hint:
          "Start the leaves from the data (`startFromData`, or `data` of a structure), or use the engine cpu.",
      },
    );
  }

  #beyond(limit: number, samples: Samples, values: ReadonlyMap<string, ParameterArray>): number[] {
    const found = new Set<number>();
    for (const { id, variables, reach } of this.#limited) {
      const spans = this.#spansOf(limit, id, values.get(id) as ParameterArray, reach);
      for (const v of variables) {
        for (let s = 0, at = v; s < samples.count; s++, at += samples.variables) {
          if (!isNear(spans, samples.values[at] as number) && isObserved(samples, s, v)) found.add(s);
        }
      }
    }
    return [...found].sort((a, b) => a - b);
  }

  #spansOf(limit: number, id: string, values: ParameterArray, reach: Reach): Float64Array {
    const key = `${limit} ${id}`, known = this.#near.get(key);
    if (known?.values === values) return known.spans;
    const joined: number[] = [];
    for (const [from, to] of reach.spans(values, limit).sort((a, b) => a[0] - b[0])) {
      const end = joined.at(-1);
      if (end !== undefined && from <= end) joined[joined.length - 1] = Math.max(end, to);
      else joined.push(from, to);
    }
    const spans = Float64Array.from(joined);
    this.#near.set(key, { values, spans });
    return spans;
  }
}

function limitedOf(circuit: Circuit): Limited[] {
  const found = new Map<string, { variables: Set<number>; reach: Reach }>();
  for (const node of circuit.nodes) {
    if (node.kind !== "input" || node.parameter === undefined) continue;
    const { gpu } = deviceLeaf(node.family);
    if (gpu.kind !== "table" || gpu.reach === undefined) continue;
    const { reach } = gpu;
    getOrMake(found, node.parameter, () => ({ variables: new Set(), reach })).variables.add(
      node.variable,
    );
  }
  return [...found].map(([id, { variables, reach }]) => ({ id, variables: [...variables], reach }));
}

/** Whether a number lies in one of the spans. */
function isNear(spans: Float64Array, x: number): boolean {
  let low = 0, high = spans.length / 2;
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if ((spans[2 * middle] as number) <= x) low = middle;
    else high = middle;
  }
  return x >= (spans[2 * low] as number) && x <= (spans[2 * low + 1] as number);
}
