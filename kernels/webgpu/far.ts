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
 * Standard deviations from all units at which the shares of the units are no longer exact: logarithms of densities in
 * float32 differ by 4e-5 from what they should be.
 */
const PRECISE = 32;

/** Standard deviations whose squares float32 adds up without overflow, however many. */
const FARTHEST = 1e15;

/** Edges of circuits that the host goes through for one call, some seconds' worth. */
const WORK = 1e8;

/** A parameter of leaves that not every value is near enough to. */
interface Limited {
  readonly id: string;
  readonly variables: readonly number[];
  readonly reach: Reach;
}

/** Finds samples with real values that are too far from all units of a leaf for the device, which the host computes. */
export class FarSamples {
  readonly #limited: readonly Limited[];
  readonly #limit: number;
  /** What a sample costs the host. */
  readonly #work: number;
  /** By limit and parameter: the values it was made for, and where some unit is near: spans in order, apart from each other. */
  readonly #near = new Map<string, { values: ParameterArray; spans: Float64Array }>();

  /** For samples of a circuit. */
  constructor(circuit: Circuit) {
    this.#limited = limitedOf(circuit);
    this.#limit = farthest(circuit);
    const { edges, units } = sizeOf(circuit);
    this.#work = edges + units;
  }

  /**
   * Indices of the samples that the host shall compute: those whose shares would not be exact or, where they are very
   * many, those whose likelihoods the device cannot hold. `values` has the parameters of leaves.
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
    found.getOrInsertComputed(node.parameter, () => ({ variables: new Set(), reach })).variables.add(
      node.variable,
    );
  }
  return [...found].map(([id, { variables, reach }]) => ({ id, variables: [...variables], reach }));
}

/** Whether a number is in one of the spans. */
function isNear(spans: Float64Array, x: number): boolean {
  let low = 0, high = spans.length / 2;
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if ((spans[2 * middle] as number) <= x) low = middle;
    else high = middle;
  }
  return x >= (spans[2 * low] as number) && x <= (spans[2 * low + 1] as number);
}
