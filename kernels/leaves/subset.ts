import { getOrMake } from "../../foundation/newer.ts";
import { statesOf } from "../../circuits/mod.ts";
import type { Value } from "../onnx/graph.ts";
import type { DeviceLeaf, LeafFolds, LeafGraph } from "./device_leaf.ts";
import { ownStates } from "./own_states.ts";

/** One probability per possible state; the host looks up where a value stands among them. */
export const subsetDevice: DeviceLeaf = { gpu: ownStates("subset", "values"), onnx: emit };

/** Emits where values stand among the possible ones, by a list with an entry for every state of the variable. */
function emit(to: LeafGraph, leaves: LeafFolds): Value {
  const { graph } = to, { folds } = leaves;
  const lists: (readonly number[])[] = [];
  let states = 0;
  // Folds are leaves of many positions, but of few lists.
  const listOf = new Map<string, number>();
  const offsets = Array.from({ length: folds }, (_, fold) => {
    const { leaf } = to.leaf(leaves, fold), values = leaf.settings["values"] as readonly number[];
    states = Math.max(states, statesOf(leaf.variable));
    return getOrMake(listOf, values.join(), () => lists.push(values) - 1);
  });
  const positions = new BigInt64Array(lists.length * states).fill(-1n);
  lists.forEach((values, list) => values.forEach((k, i) => positions[list * states + k] = BigInt(i)));
  const x = to.values(leaves), observed = to.observed(leaves, x, true);
  const zero = graph.constant(BigInt64Array.of(0n), []);
  const at = graph.op("Add", [
    graph.op("Where", [observed, to.whole(x), zero]),
    graph.constant(BigInt64Array.from(offsets, (list) => BigInt(list * states)), [folds, 1]),
  ]);
  const position = graph.op("Gather", [graph.constant(positions, [positions.length]), at], { axis: 0 });
  const inside = graph.op("GreaterOrEqual", [position, zero]);
  // Impossible values are looked up in the first state, then made impossible.
  const logs = to.states(
    leaves,
    observed,
    () => graph.op("Where", [inside, position, zero]),
    () => to.areWhole(x, states),
  );
  const impossible = graph.op("And", [observed, graph.op("Not", [inside])]);
  return graph.op("Where", [
    graph.op("Unsqueeze", [impossible, graph.integers(2)]),
    graph.constant(Float64Array.of(-Infinity), []),
    logs,
  ]);
}
