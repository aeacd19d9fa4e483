import { CircuitBuilder } from "../builder.ts";
import { type Circuit, describeVariable, type InputNode, type NodeId, variableOf } from "../circuit.ts";
import { copyInto } from "../copy.ts";
import { CircuitError } from "../errors.ts";
import { requireCircuit, requireList, requireWhole } from "../guards.ts";
import { stateProbabilities } from "../leaves/mod.ts";
import type { Samples } from "../samples.ts";

/** Result of {@link excludeState}. */
export interface Exclusion {
  /** Over the circuit's variables, followed by one per chosen variable: 1 if it is not in the state. */
  readonly circuit: Circuit;
  /** Converts samples of the original circuit, with every chosen variable conditioned not to be in the state. */
  condition(samples: Samples): Samples;
}

/**
 * Negative evidence: the circuit in which chosen categorical variables can be observed not to be in a state. A leaf over
 * one becomes `p(x | x is not the state) p(x is not the state)`, unit by unit; samples, marginals and conditionals are
 * then conditioned on that.
 * @throws {CircuitError} for a variable that is not categorical, or has no such state or no other
 */
export function excludeState(circuit: Circuit, variables: readonly number[], state: number): Exclusion {
  requireCircuit(circuit);
  requireList("the variables", variables);
  requireWhole("state", state, 0);
  const b = new CircuitBuilder();
  const same = circuit.variables.map((variable) => b.variable(variable));
  const told = new Map(variables.map((v) => {
    const variable = variableOf(circuit, v);
    if (variable.kind !== "categorical" || !(state < variable.states) || variable.states === 1) {
      throw new CircuitError(
        "circuit/no-states",
        `${describeVariable(circuit, v)} has no state ${state} besides others`,
      );
    }
    return [v, b.categorical(`${variable.name} is not ${state}`, 2)];
  }));
  const made = new Map<string, { others: string; share: string }>();
  // Products take both leaves: a product of a product would be beyond the engine for gates.
  const inSums = new Set([
    circuit.root,
    ...circuit.nodes.flatMap((node) => node.kind === "sum" ? node.children : []),
  ]);
  const shares = new Map<NodeId, NodeId>();
  const root = copyInto(b, circuit, {
    variables: same,
    replace(node, children) {
      if (node.kind === "product" && children.some((child) => shares.has(child))) {
        return b.product(
          children.flatMap((child) => [child, ...shares.has(child) ? [shares.get(child)!] : []]),
        );
      }
      const mark = node.kind === "input" ? told.get(node.variable) : undefined;
      if (node.kind !== "input" || mark === undefined) return undefined;
      const { units } = node;
      const id = node.parameter ?? `leaf ${node.id}`;
      const values = made.get(id) ?? partsOf(circuit, node, state);
      made.set(id, { others: `${id}/others`, share: `${id}/share` });
      const others = b.input({
        variable: node.variable,
        family: "categorical",
        units,
        parameter: values.others,
        id: `${id}/others`,
      });
      const share = b.input({
        variable: mark,
        family: "categorical",
        units,
        parameter: values.share,
        id: `${id}/share`,
      });
      if (inSums.has(node.id)) return b.product([others, share]);
      shares.set(others, share);
      return others;
    },
  });
  return { circuit: b.build(root), condition: (samples) => conditioned(samples, told.size) };
}

/**
 * For every unit, the distribution over the other states, `[units, states]`, and the probabilities of being in and not in
 * the state, `[units, 2]`.
 */
function partsOf(circuit: Circuit, node: InputNode, state: number) {
  const { states } = variableOf(circuit, node.variable) as { states: number };
  const rows = stateProbabilities(circuit, node);
  const others = new Float32Array(node.units * states), share = new Float32Array(node.units * 2);
  for (let u = 0; u < node.units; u++) {
    let all = 0;
    for (let k = 0; k < states; k++) if (k !== state) all += rows[u * states + k] as number;
    share[2 * u + 1] = Math.min(1, all);
    share[2 * u] = 1 - (share[2 * u + 1] as number);
    for (let k = 0; k < states; k++) {
      // If a unit generates only this state, the distribution has no weight: any will do.
      if (k !== state) {
        others[u * states + k] = all > 0 ? (rows[u * states + k] as number) / all : 1 / (states - 1);
      }
    }
  }
  return { others, share };
}

/** Samples with `more` extra columns, in which every value is 1. */
function conditioned(samples: Samples, more: number): Samples {
  const { count, variables, values, observed } = samples;
  const width = variables + more;
  const wide = new (values.constructor as new (length: number) => typeof values)(count * width).fill(1);
  const seen = new Uint8Array(count * width).fill(1);
  for (let s = 0; s < count; s++) {
    wide.set(values.subarray(s * variables, (s + 1) * variables), s * width);
    if (observed !== undefined) seen.set(observed.subarray(s * variables, (s + 1) * variables), s * width);
  }
  return { ...samples, variables: width, values: wide, observed: seen };
}
