import {
  type Circuit,
  type InputNode,
  type NodeId,
  nodeOf,
  parameterOf,
  type SumNode,
  unitsInto,
} from "../circuit.ts";
import type { Activations } from "../evaluator.ts";
import { isExternal } from "../leaves/mod.ts";
import { isObserved, type Samples, softOf, type ValueArray } from "../samples.ts";
import type { StateWeights } from "../soft.ts";
import { requireCircuit, requireSamples } from "../guards.ts";

/** The decisions made during a descent. */
export interface Descent {
  /**
   * Chooses the input of a sum unit: an index into `logs`, the logarithms of weight times input. At least one is above
   * -Infinity.
   */
  choose(node: SumNode, logs: Float64Array): number;
  /** Chooses the value of a variable without one, using its soft evidence if there is any. */
  value(node: InputNode, unit: number, soft: StateWeights | undefined): number;
}

/**
 * Walks one sample from the root to the leaves, through one input of every sum and all children of every product, and
 * writes values for unobserved variables to row `row` of `out`, `[..., variables]`. For external variables, observed or
 * not, the value is the unit that was reached.
 */
export function descend(
  circuit: Circuit,
  activations: Activations,
  samples: Samples,
  s: number,
  out: ValueArray,
  row: number,
  descent: Descent,
): void {
  const pending: [NodeId, number][] = [[circuit.root, 0]];
  for (let step = pending.pop(); step !== undefined; step = pending.pop()) {
    const [id, unit] = step;
    const node = nodeOf(circuit, id);
    if (node.kind === "product") {
      for (const child of node.children) pending.push([child, unit]);
    } else if (node.kind === "sum") pending.push(chosenInput(circuit, activations, s, node, unit, descent));
    else {
      const at = row * samples.variables + node.variable;
      if (isExternal(node)) out[at] = unit;
      else {
        const soft = softOf(samples, s, node.variable);
        if (soft !== undefined || !isObserved(samples, s, node.variable)) {
          out[at] = descent.value(node, unit, soft);
        }
      }
    }
  }
}

function chosenInput(
  circuit: Circuit,
  activations: Activations,
  s: number,
  node: SumNode,
  unit: number,
  descent: Descent,
): [NodeId, number] {
  const width = unitsInto(circuit, node) / node.groups, height = node.units / node.groups;
  const from = Math.floor(unit / height) * width;
  const { values } = parameterOf(circuit, node.parameter);
  const logs = new Float64Array(width);
  const inputs: [NodeId, number][] = [];
  let position = 0;
  for (const child of node.children) {
    const { units } = nodeOf(circuit, child);
    const childLogs = activations.of(child);
    for (let u = 0; u < units; u++, position++) {
      if (position < from || position >= from + width) continue;
      const i = position - from;
      logs[i] = Math.log(values[unit * width + i] as number) + (childLogs[s * units + u] as number);
      inputs[i] = [child, u];
    }
  }
  return inputs[descent.choose(node, logs)] as [NodeId, number];
}

/** A copy of the values in an array type that can hold all possible values of the circuit's variables. */
export function valuesFor(circuit: Circuit, samples: Samples, draws = 1): Int32Array | Float64Array {
  requireCircuit(circuit);
  requireSamples(samples);
  const size = samples.values.length;
  const out = circuit.variables.some((variable) => variable.kind === "real")
    ? new Float64Array(size * draws)
    : new Int32Array(size * draws);
  for (let draw = 0; draw < draws; draw++) {
    for (let i = 0; i < size; i++) {
      const s = Math.floor(i / samples.variables), v = i % samples.variables;
      out[(s * draws + draw) * samples.variables + v] = samples.values[i] as number;
    }
  }
  return out;
}

/** Index of the largest number; ties go to the first. */
export function largest(logs: Float64Array): number {
  let best = 0;
  for (let i = 1; i < logs.length; i++) if ((logs[i] as number) > (logs[best] as number)) best = i;
  return best;
}
