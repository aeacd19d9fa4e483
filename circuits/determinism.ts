import {
  type Circuit,
  type InputNode,
  type NodeId,
  nodeOf,
  parameterOf,
  type SumNode,
  unitsInto,
} from "./circuit.ts";
import { certainStates, leafFamily, leafOf } from "./leaves/mod.ts";
import { requireCircuit } from "./guards.ts";

/** Maximum number of words of support; determinism of larger circuits is not analysed. */
const LIMIT = 1 << 26;

/** Whether the circuit can be shown to be deterministic, i.e. {@link nondeterministicNode} finds nothing. */
export function isDeterministic(circuit: Circuit): boolean {
  requireCircuit(circuit);
  return nondeterministicNode(circuit) === undefined;
}

/**
 * The first sum node that cannot be shown to be deterministic: two of its inputs with positive weight may both be
 * possible for one assignment. Undefined for deterministic circuits, for which max-product is exact MAP.
 *
 * The test is sound but not complete: two inputs count as exclusive if they have no state in common for some categorical
 * variable, with state sets propagated upward per variable. Materialised circuits and compiled networks pass it.
 */
export function nondeterministicNode(circuit: Circuit): SumNode | undefined {
  requireCircuit(circuit);
  const open = circuit.nodes.filter((node): node is SumNode =>
    node.kind === "sum" && marksOf(circuit, node).length === 0
  );
  if (open.length === 0) return undefined;
  const supports = supportsOf(circuit);
  return supports === undefined ? open[0] : open.find((node) => !isExclusive(circuit, node, supports));
}

/**
 * Variables for which every child of a sum carries indicators, of different states within a row, as created by
 * materialising: where one of them is observed, at most one input of each row is possible.
 */
export function marksOf(circuit: Circuit, node: SumNode): number[] {
  requireCircuit(circuit);
  const marks = node.children.map((child) => indicatorsOf(circuit, child));
  const width = unitsInto(circuit, node) / node.groups;
  return [...marks[0]?.keys() ?? []].filter((variable) => {
    if (!marks.every((mark) => mark.has(variable))) return false;
    const states = marks.flatMap((mark) => mark.get(variable) ?? []);
    const distinct = (group: number) =>
      new Set(states.slice(group * width, (group + 1) * width)).size === width;
    return Array.from({ length: node.groups }, (_, g) => g).every(distinct);
  });
}

function indicatorsOf(circuit: Circuit, id: NodeId): Map<number, readonly number[]> {
  const node = nodeOf(circuit, id);
  const parts = node.kind === "product" ? node.children.map((child) => nodeOf(circuit, child)) : [node];
  return new Map(parts.flatMap((part): [number, readonly number[]][] => {
    const states = part.kind === "input" ? certainStates(circuit, part) : undefined;
    return states === undefined ? [] : [[(part as InputNode).variable, states]];
  }));
}

interface Supports {
  /** First word of each variable's states, then the end; variables that separate nothing have no words. */
  readonly offsets: readonly number[];
  /** By node, `[units, words]`: a bit is set if the unit may be possible in that state. */
  readonly bits: readonly Uint32Array[];
}

function supportsOf(circuit: Circuit): Supports | undefined {
  const partial = new Set<number>();
  const leafBits = new Map<NodeId, boolean[][]>();
  for (const node of circuit.nodes) {
    if (node.kind !== "input") continue;
    const variable = circuit.variables[node.variable];
    if (variable?.kind !== "categorical") continue;
    const leaf = leafOf(circuit, node), family = leafFamily(node.family);
    const possible = Array.from(
      { length: node.units },
      (_, u) =>
        Array.from({ length: variable.states }, (_, k) => family.logProbability(leaf, u, k) > -Infinity),
    );
    leafBits.set(node.id, possible);
    if (possible.some((states) => states.includes(false))) partial.add(node.variable);
  }
  const offsets = [0];
  circuit.variables.forEach((variable, v) => {
    const words = variable.kind === "categorical" && partial.has(v) ? Math.ceil(variable.states / 32) : 0;
    offsets.push((offsets[v] as number) + words);
  });
  const words = offsets[circuit.variables.length] as number;
  if (circuit.nodes.reduce((total, node) => total + node.units, 0) * words > LIMIT) return undefined;
  const bits: Uint32Array[] = [];
  for (const node of circuit.nodes) {
    const own = new Uint32Array(node.units * words);
    const merge = (unit: number, from: Uint32Array, fromUnit: number) => {
      for (let w = 0; w < words; w++) {
        own[unit * words + w] = (own[unit * words + w] as number) | (from[fromUnit * words + w] as number);
      }
    };
    if (node.kind === "input") {
      const offset = offsets[node.variable] as number;
      if (partial.has(node.variable)) {
        leafBits.get(node.id)?.forEach((states, u) =>
          states.forEach((possible, k) => {
            const at = u * words + offset + (k >>> 5);
            if (possible) own[at] = (own[at] as number) | (1 << (k & 31));
          })
        );
      }
    } else if (node.kind === "product") {
      for (const child of node.children) {
        for (let u = 0; u < node.units; u++) merge(u, bits[child] as Uint32Array, u);
      }
    } else {
      for (const row of rowsOf(circuit, node)) {
        for (const input of row.inputs) merge(row.output, bits[input.child] as Uint32Array, input.unit);
      }
    }
    bits.push(own);
  }
  return { offsets, bits };
}

function isExclusive(circuit: Circuit, node: SumNode, { offsets, bits }: Supports): boolean {
  const words = offsets[offsets.length - 1] as number;
  const exclusive = (a: Input, b: Input): boolean => {
    const x = bits[a.child] as Uint32Array, y = bits[b.child] as Uint32Array;
    for (let v = 0; v + 1 < offsets.length; v++) {
      const from = offsets[v] as number, to = offsets[v + 1] as number;
      let common = from === to;
      for (let w = from; w < to && !common; w++) {
        common = ((x[a.unit * words + w] as number) & (y[b.unit * words + w] as number)) !== 0;
      }
      // A variable outside both scopes has no bits set and proves nothing.
      if (!common && x.subarray(a.unit * words + from, a.unit * words + to).some((word) => word !== 0)) {
        return true;
      }
    }
    return false;
  };
  const known = new Map<string, boolean>();
  for (const { inputs } of rowsOf(circuit, node)) {
    for (let i = 0; i < inputs.length; i++) {
      for (let j = i + 1; j < inputs.length; j++) {
        const a = inputs[i] as Input, b = inputs[j] as Input;
        const key = `${a.child},${a.unit},${b.child},${b.unit}`;
        const answer = known.get(key) ?? exclusive(a, b);
        known.set(key, answer);
        if (!answer) return false;
      }
    }
  }
  return true;
}

interface Input {
  readonly child: NodeId;
  readonly unit: number;
}

/** The rows of a sum node's weights, each with its inputs of positive weight. */
function rowsOf(circuit: Circuit, node: SumNode): { output: number; inputs: Input[] }[] {
  const all = node.children.flatMap((child) =>
    Array.from({ length: nodeOf(circuit, child).units }, (_, unit): Input => ({ child, unit }))
  );
  const width = unitsInto(circuit, node) / node.groups, height = node.units / node.groups;
  const { values } = parameterOf(circuit, node.parameter);
  return Array.from({ length: node.units }, (_, output) => {
    const from = Math.floor(output / height) * width;
    return {
      output,
      inputs: all.slice(from, from + width).filter((_, i) => (values[output * width + i] as number) > 0),
    };
  });
}
