import { getOrMake } from "../foundation/newer.ts";
import {
  childrenOf,
  type Circuit,
  type Node,
  type NodeId,
  nodeOf,
  type ParameterArray,
  parameterOf,
} from "./circuit.ts";
import { requireCircuit } from "./guards.ts";

/**
 * Top-down probabilities: how often a sample of the model passes each unit, `[units]` by node id; equal to the flows of a
 * sample with nothing observed. One pass over the weights, no data.
 *
 * @param values current values of the weights by id, if they differ from those of the circuit
 */
export function topDown(circuit: Circuit, values?: ReadonlyMap<string, ParameterArray>): Float64Array[] {
  requireCircuit(circuit);
  const passed = circuit.nodes.map((node) => new Float64Array(node.units));
  (passed[circuit.root] as Float64Array).fill(1);
  for (let id = circuit.nodes.length - 1; id >= 0; id--) {
    const node = circuit.nodes[id] as Node;
    const here = passed[id] as Float64Array;
    if (node.kind === "product") {
      for (const child of node.children) {
        const into = passed[child] as Float64Array;
        for (let u = 0; u < here.length; u++) into[u] = (into[u] as number) + (here[u] as number);
      }
    } else if (node.kind === "sum") {
      const weights = values?.get(node.parameter) ?? parameterOf(circuit, node.parameter).values;
      const width = weights.length / node.units;
      const inputs = new Float64Array(width * node.groups);
      const height = node.units / node.groups;
      for (let output = 0; output < node.units; output++) {
        const mass = here[output] as number;
        if (mass === 0) continue;
        const from = Math.floor(output / height) * width, at = output * width;
        for (let i = 0; i < width; i++) {
          inputs[from + i] = (inputs[from + i] as number) + mass * (weights[at + i] as number);
        }
      }
      let offset = 0;
      for (const child of childrenOf(node)) {
        const into = passed[child] as Float64Array;
        for (let u = 0; u < into.length; u++) into[u] = (into[u] as number) + (inputs[offset++] as number);
      }
    }
  }
  return passed;
}

/**
 * {@link topDown} by parameter: how often a sample of the model uses each row of weights or unit of a leaf, `[units]` by
 * parameter id; uses of a tied parameter are summed.
 *
 * @param weightOf the weight of uses at a node; 1 if omitted
 */
export function topDownRows(
  circuit: Circuit,
  values?: ReadonlyMap<string, ParameterArray>,
  weightOf: (node: NodeId) => number = () => 1,
): ReadonlyMap<string, Float64Array> {
  const rows = new Map<string, Float64Array>();
  topDown(circuit, values).forEach((passed, id) => {
    const node = nodeOf(circuit, id);
    if (node.kind === "product" || node.parameter === undefined) return;
    const total = getOrMake(rows, node.parameter, () => new Float64Array(passed.length));
    const weight = weightOf(id);
    for (let u = 0; u < passed.length; u++) total[u] = (total[u] as number) + weight * (passed[u] as number);
  });
  return rows;
}
