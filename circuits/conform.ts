import { type Circuit, inPrecision, type InputNode, type Parameter } from "./circuit.ts";
import { findLeafFamily } from "./leaves/mod.ts";
import { requireCircuit } from "./guards.ts";

const SINGLE = new Float32Array(0), DOUBLE = new Float64Array(0);

/**
 * The circuit with every parameter in its canonical form: in the right precision, and expanded if a family accepts a
 * shorter form ({@link LeafFamily.expand}). The result is not validated; see `checkCircuit`.
 */
export function conformed(circuit: Circuit): Circuit {
  requireCircuit(circuit);
  const parameters = new Map(circuit.parameters);
  const settled = new Set<string>();
  for (const node of circuit.nodes) {
    if (node.kind === "product" || node.parameter === undefined || settled.has(node.parameter)) continue;
    const parameter = parameters.get(node.parameter);
    if (parameter === undefined) continue;
    settled.add(node.parameter);
    parameters.set(
      node.parameter,
      node.kind === "sum"
        ? { ...parameter, values: inPrecision(parameter.values, SINGLE) }
        : ofLeaf(circuit, node, parameter),
    );
  }
  return { ...circuit, parameters };
}

function ofLeaf(circuit: Circuit, node: InputNode, parameter: Parameter): Parameter {
  const family = findLeafFamily(node.family), variable = circuit.variables[node.variable];
  if (family === undefined || variable === undefined) return parameter;
  const leaf = { variable, units: node.units, settings: node.settings };
  const values = family.expand?.(leaf, parameter.values) ?? parameter.values;
  const shape = values === parameter.values ? undefined : family.parameterShape(leaf);
  return {
    id: parameter.id,
    shape: shape ?? parameter.shape,
    values: inPrecision(values, family.double ? DOUBLE : SINGLE),
  };
}
