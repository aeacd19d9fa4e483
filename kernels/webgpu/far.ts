import {
  type Circuit,
  downward,
  isObserved,
  type NodeId,
  type ParameterArray,
  type RealColumns,
  realColumns,
  rootUnits,
  type Samples,
  upward,
} from "../../circuits/mod.ts";

/** Base-2 logarithms that real values of a sample may take together: the integer scales of rows reach twice as far. */
const REACH = 2 ** 28;

/**
 * Standard deviations at which the likelihood of a real value under a unit stops falling on the device. Samples with a
 * value that is further from all units of a leaf are computed on the host: {@link FarSamples}.
 */
export function farthest({ variables }: Circuit): number {
  const real = variables.filter(({ kind }) => kind === "real").length;
  return Math.sqrt(2 * Math.LN2 * REACH / Math.max(1, real));
}

/** Finds samples with real values that the device cannot say the likelihood of, and says it. */
export class FarSamples {
  readonly #columns: readonly RealColumns[];
  readonly #limit: number;
  /** By parameter: the values it was made for, and where some unit is near: `[from, to]` in order, apart from each other. */
  readonly #near = new Map<string, { values: ParameterArray; spans: Float64Array }>();

  /** For samples of a circuit. */
  constructor(circuit: Circuit) {
    this.#columns = realColumns(circuit);
    this.#limit = farthest(circuit);
  }

  /** Indices of the samples. `values` has the parameters of Gaussian leaves. */
  find(samples: Samples, values: ReadonlyMap<string, ParameterArray>): number[] {
    const found = new Set<number>();
    for (const { variables, leaves } of this.#columns) {
      for (const id of leaves.keys()) {
        const spans = this.#spansOf(id, values.get(id) as ParameterArray);
        for (const v of variables) {
          for (let s = 0, at = v; s < samples.count; s++, at += samples.variables) {
            if (!isNear(spans, samples.values[at] as number) && isObserved(samples, s, v)) found.add(s);
          }
        }
      }
    }
    return [...found].sort((a, b) => a - b);
  }

  #spansOf(id: string, values: ParameterArray): Float64Array {
    const known = this.#near.get(id);
    if (known?.values === values) return known.spans;
    const all: [number, number][] = [];
    for (let i = 0; i < values.length; i += 2) {
      const mean = values[i] as number, reach = this.#limit * (values[i + 1] as number);
      all.push([mean - reach, mean + reach]);
    }
    const joined: number[] = [];
    for (const [from, to] of all.sort((a, b) => a[0] - b[0])) {
      const end = joined.at(-1);
      if (end !== undefined && from <= end) joined[joined.length - 1] = Math.max(end, to);
      else joined.push(from, to);
    }
    const spans = Float64Array.from(joined);
    this.#near.set(id, { values, spans });
    return spans;
  }
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

/** Log-likelihoods `[samples, units of the root]` with those of the samples in `far` exact, in place. */
export function exactLikelihoods(
  circuit: Circuit,
  samples: Samples,
  far: readonly number[],
  logs: Float64Array,
): Float64Array {
  const units = rootUnits(circuit);
  for (const s of far) logs.set(upward(circuit, samples, s)[circuit.root] as Float64Array, s * units);
  return logs;
}

/** Logarithms of all nodes, `[samples, units]` by node id, with those of the samples in `far` exact, in place. */
export function exactActivations(
  circuit: Circuit,
  samples: Samples,
  far: readonly number[],
  semiring: "sum" | "max",
  values: readonly Float64Array[],
): void {
  for (const s of far) {
    upward(circuit, samples, s, semiring).forEach((logs, id) => values[id]?.set(logs, s * logs.length));
  }
}

/** Flows of nodes, `[samples, units]`, with those of the samples in `far` exact, in place. */
export function exactFlows(
  circuit: Circuit,
  samples: Samples,
  far: readonly number[],
  flows: ReadonlyMap<NodeId, Float64Array>,
): void {
  for (const s of far) {
    const exact = downward(circuit, upward(circuit, samples, s));
    for (const [id, all] of flows) {
      const own = exact[id] as Float64Array;
      all.set(own, s * own.length);
    }
  }
}
