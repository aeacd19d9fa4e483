import {
  type Circuit,
  CircuitError,
  downward,
  isObserved,
  type NodeId,
  type ParameterArray,
  parameterOf,
  type RealColumns,
  realColumns,
  ReferenceEvaluator,
  rootUnits,
  type Samples,
  sizeOf,
  takeSamples,
  upward,
} from "../../circuits/mod.ts";
import { deviceMoments } from "./encode.ts";
import type { Session } from "./session.ts";

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

/**
 * Standard deviations from all units at which the shares of the units are no longer exact: logarithms of densities in
 * float32 differ by 4e-5 from what they should be.
 */
const PRECISE = 32;

/** Standard deviations whose squares float32 adds up without overflow, however many. */
const FARTHEST = 1e15;

/** Edges of circuits that the host goes through for one call, some seconds' worth. */
const WORK = 1e8;

/** Finds samples with real values that are too far from all units of a leaf for the device, which the host computes. */
export class FarSamples {
  readonly #columns: readonly RealColumns[];
  readonly #limit: number;
  /** What a sample costs the host. */
  readonly #work: number;
  /** By limit and parameter: the values it was made for, and where some unit is near: spans in order, apart from each other. */
  readonly #near = new Map<string, { values: ParameterArray; spans: Float64Array }>();

  /** For samples of a circuit. */
  constructor(circuit: Circuit) {
    this.#columns = realColumns(circuit);
    this.#limit = farthest(circuit);
    const { edges, units } = sizeOf(circuit);
    this.#work = edges + units;
  }

  /**
   * Indices of the samples that the host shall compute: those whose shares would not be exact or, where they are very
   * many, those whose likelihoods the device cannot hold. `values` has the parameters of Gaussian leaves.
   * @throws {CircuitError} when there are too many of these too, or squares would overflow
   */
  find(samples: Samples, values: ReadonlyMap<string, ParameterArray>): number[] {
    if (this.#columns.length === 0) return [];
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
      `${far.length} of ${count} samples have real values that are more than ${limit} standard deviations from all ` +
        "units of a leaf: more than the engine webgpu can work with.",
      {
        hint:
          "Start the leaves from the data (`startFromData`, or `data` of a structure), or use the engine cpu.",
      },
    );
  }

  #beyond(limit: number, samples: Samples, values: ReadonlyMap<string, ParameterArray>): number[] {
    const found = new Set<number>();
    for (const { variables, leaves } of this.#columns) {
      for (const id of leaves.keys()) {
        const spans = this.#spansOf(limit, id, values.get(id) as ParameterArray);
        for (const v of variables) {
          for (let s = 0, at = v; s < samples.count; s++, at += samples.variables) {
            if (!isNear(spans, samples.values[at] as number) && isObserved(samples, s, v)) found.add(s);
          }
        }
      }
    }
    return [...found].sort((a, b) => a - b);
  }

  #spansOf(limit: number, id: string, values: ParameterArray): Float64Array {
    const key = `${limit} ${id}`, known = this.#near.get(key);
    if (known?.values === values) return known.spans;
    const all: [number, number][] = [];
    for (let i = 0; i < values.length; i += 2) {
      const mean = values[i] as number, reach = limit * (values[i + 1] as number);
      all.push([mean - reach, mean + reach]);
    }
    const joined: number[] = [];
    for (const [from, to] of all.sort((a, b) => a[0] - b[0])) {
      const end = joined.at(-1);
      if (end !== undefined && from <= end) joined[joined.length - 1] = Math.max(end, to);
      else joined.push(from, to);
    }
    const spans = Float64Array.from(joined);
    this.#near.set(key, { values, spans });
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

/** Weights of samples with none for those in `far`: the device leaves them out. */
export function weightsWithout(
  samples: Samples,
  weights: ArrayLike<number> | undefined,
  far: readonly number[],
): ArrayLike<number> | undefined {
  if (far.length === 0) return weights;
  const left = Float64Array.from({ length: samples.count }, (_, s) => weights?.[s] ?? 1);
  for (const s of far) left[s] = 0;
  return left;
}

/** Adds the expected counts of the samples in `far`, exact, to those of the device. */
export async function countExactly(
  session: Session,
  circuit: Circuit,
  samples: Samples,
  weights: ArrayLike<number> | undefined,
  far: readonly number[],
): Promise<void> {
  if (far.length === 0) return;
  const own = weights && Float64Array.from(far, (s) => weights[s] as number);
  const flows = await new ReferenceEvaluator(circuit).flows(takeSamples(samples, far), own);
  const pages = await session.counts(), single = (length: number) => new Float32Array(length);
  const counts = session.store.weightCounts(pages.weights, single);
  const statistics = session.store.statistics(pages.statistics, single);
  const add = (into: Float32Array, more: ArrayLike<number>) => {
    for (let i = 0; i < into.length; i++) into[i] = (into[i] as number) + (more[i] as number);
  };
  for (const [id, into] of counts) add(into, flows.weights.get(id) as Float64Array);
  for (const [id, into] of statistics) {
    const more = flows.statistics.get(id) as Float64Array, parameter = parameterOf(circuit, id).values;
    add(into, session.store.isGaussian(id) ? deviceMoments(more, parameter) : more);
  }
  await session.setCounts(counts, statistics);
}
