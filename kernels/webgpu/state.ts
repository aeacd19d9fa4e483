import {
  type Circuit,
  CircuitError,
  emptyFlows,
  Evidence,
  type ParameterArray,
  parameterOf,
  type Tensor,
} from "../../circuits/mod.ts";

/** Parameters and counts in the device's precision; Gaussian moments are about the means. */
export interface Snapshot {
  /** Values of all parameters, by id. */
  readonly values: ReadonlyMap<string, ParameterArray>;
  /** Counts of sum weights; empty if all are zero. */
  readonly weights: ReadonlyMap<string, Float32Array>;
  /** Leaf statistics; empty if all are zero. */
  readonly statistics: ReadonlyMap<string, Float32Array>;
  /** Weight of the counted samples; see `CountedWeight.save`. */
  readonly weight: Float64Array;
}

/** Name of a tensor that marks a state as WebGPU's: other engines' counts cannot be used. */
const MARK = "webgpu";

/** A snapshot as tensors by name. */
export function stateOf(circuit: Circuit, snapshot: Snapshot): Map<string, Tensor> {
  const tensors = new Map<string, Tensor>([
    [MARK, { shape: [1], values: Float32Array.of(1) }],
    ["weight", { shape: [snapshot.weight.length], values: snapshot.weight.slice() }],
  ]);
  for (const part of ["weights", "statistics"] as const) {
    for (const [id, counts] of snapshot[part]) {
      tensors.set(`${part}/${id}`, { shape: [counts.length], values: counts.slice() });
    }
  }
  for (const [id, values] of snapshot.values) {
    tensors.set(`parameters/${id}`, { shape: parameterOf(circuit, id).shape, values: values.slice() });
  }
  return tensors;
}

/** The inverse of {@link stateOf}. @throws {CircuitError} when the state is of another circuit or engine */
export function takeState(circuit: Circuit, state: ReadonlyMap<string, Tensor>): Snapshot {
  const take = <T extends Float32Array | Float64Array>(
    name: string,
    type: new (values: ArrayLike<number>) => T,
    length: number,
  ): T => {
    const values = state.get(name)?.values;
    if (!(values instanceof type) || values.length !== length) {
      throw new CircuitError(
        "learning/state",
        `the state is of another circuit or engine: \`${name}\` does not fit`,
      );
    }
    return new type(values as unknown as ArrayLike<number>);
  };
  take(MARK, Float32Array, 1);
  const { weights, statistics } = emptyFlows(circuit);
  const counts = (part: string, like: ReadonlyMap<string, Float64Array>) =>
    new Map([...like].map(([id, { length }]) => [id, take(`${part}/${id}`, Float32Array, length)]));
  const parameters = [...circuit.parameters].map(([id, { values }]): [string, ParameterArray] => {
    const type = values instanceof Float64Array ? Float64Array : Float32Array;
    return [id, take<ParameterArray>(`parameters/${id}`, type, values.length)];
  });
  return {
    values: new Map(parameters),
    weights: counts("weights", weights),
    statistics: counts("statistics", statistics),
    weight: take("weight", Float64Array, 1 + Evidence.of(circuit).scopes),
  };
}
