import {
  type Circuit,
  CircuitError,
  type CountedWeight,
  type ParameterArray,
  parameterOf,
  parameterOwners,
  type Tensor,
} from "../../circuits/mod.ts";
import type { LeafCounts } from "./leaf_counts.ts";
import type { WeightCounts, WeightStore } from "./weight_store.ts";

/** A learner's state besides its parameters. */
export interface CountState {
  /** Counts of weights. */
  readonly weights: WeightCounts;
  /** Statistics of leaves. */
  readonly leaves: LeafCounts;
  /** Accumulated weight of the samples. */
  readonly weight: CountedWeight;
}

/**
 * Parameters and counts as tensors by name: `parameters/<id>`; `ratios/<id>` (float32, flow over weight), `exact/<id>`
 * (float64 counts) and `statistics/<id>` (float64), if any; `weight`.
 */
export function saveState(
  circuit: Circuit,
  values: ReadonlyMap<string, ParameterArray>,
  store: WeightStore,
  counts: CountState,
): ReadonlyMap<string, Tensor> {
  const tensors = new Map<string, Tensor>();
  const weight = counts.weight.save();
  tensors.set("weight", { shape: [weight.length], values: weight });
  for (const [id, array] of values) {
    tensors.set(`parameters/${id}`, { shape: parameterOf(circuit, id).shape, values: array });
  }
  for (const [id, node] of parameterOwners(circuit)) {
    if (node.kind === "sum") {
      const ratios = store.view(id, counts.weights.ratios).slice();
      tensors.set(`ratios/${id}`, { shape: [ratios.length], values: ratios });
    } else {
      const statistics = counts.leaves.statisticsOf(node);
      tensors.set(`statistics/${id}`, { shape: [statistics.length], values: statistics });
    }
  }
  for (const [id, array] of counts.weights.exact) {
    tensors.set(`exact/${id}`, { shape: [array.length], values: array.slice() });
  }
  return tensors;
}

/**
 * Puts the counts of a state back and returns its parameters. @throws {CircuitError} when the state does not
 * fit; nothing has changed then
 */
export function restoreState(
  circuit: Circuit,
  state: ReadonlyMap<string, Tensor>,
  store: WeightStore,
  counts: CountState,
): ReadonlyMap<string, ParameterArray> {
  const refuse = (name: string): never => {
    throw new CircuitError(
      "learning/state",
      `the state is of another circuit or engine: \`${name}\` does not fit`,
    );
  };
  const take = <T extends Float32Array | Float64Array>(
    name: string,
    kind: new (n: number) => T,
    length: number,
  ): T => {
    const values = state.get(name)?.values;
    if (!(values instanceof kind) || values.length !== length) return refuse(name);
    return values.slice() as T;
  };
  const values = new Map<string, ParameterArray>();
  const ratios = new Map<string, Float32Array>(), statistics = new Map<string, Float64Array>();
  const exact = new Map<string, Float64Array>();
  for (const [id, node] of parameterOwners(circuit)) {
    const { length, constructor } = parameterOf(circuit, id).values;
    values.set(
      id,
      take(`parameters/${id}`, constructor as new (n: number) => Float32Array | Float64Array, length),
    );
    if (node.kind === "sum") {
      ratios.set(id, take(`ratios/${id}`, Float32Array, length));
      if (state.has(`exact/${id}`)) exact.set(id, take(`exact/${id}`, Float64Array, length));
    } else {
      const size = counts.leaves.statisticsOf(node).length;
      statistics.set(id, take(`statistics/${id}`, Float64Array, size));
    }
  }
  if (!counts.weight.restore(state.get("weight")?.values)) refuse("weight");
  counts.weights.clear();
  counts.leaves.clear();
  for (const [id, array] of ratios) store.view(id, counts.weights.ratios).set(array);
  for (const [id, array] of exact) counts.weights.exact.set(id, array);
  for (const [id, node] of parameterOwners(circuit)) {
    const array = statistics.get(id);
    if (array !== undefined && node.kind === "input") counts.leaves.setStatistics(node, array);
  }
  return values;
}
