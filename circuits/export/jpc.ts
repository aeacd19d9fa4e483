import { type Circuit, type InputNode, nodeOf, parameterOf, rootUnits, type SumNode } from "../circuit.ts";
import { CircuitError } from "../errors.ts";
import { leafFamily, leafOf } from "../leaves/mod.ts";
import { requireCircuit } from "../guards.ts";

/**
 * A circuit as the text of a `.jpc` file, the format of ProbabilisticCircuits.jl, which `parseJpc` also reads. Every unit
 * becomes a separate node, so the text grows with the number of edges: tied parameters are written at each use, children
 * with weight zero are left out. Variable `v` is variable `v + 1` of the file. Leaves whose families the format supports
 * ({@link LeafFamily.jpc}) are kept; others become categorical, as does the first indicator of each variable.
 *
 * @throws {CircuitError} for what the format cannot say: leaves whose log-likelihoods come with the data, and a root of
 *   several units
 */
export function formatJpc(circuit: Circuit): string {
  requireCircuit(circuit);
  const units = rootUnits(circuit);
  if (units !== 1) {
    throw new CircuitError(
      "model-file/inexpressible",
      `a .jpc file holds one distribution; the root of this circuit has ${units} units`,
    );
  }
  const lines: string[] = [];
  /** Id of the first unit of every node. */
  const first: number[] = [];
  /** Variables whose number of states is known from an earlier line. */
  const told = new Set<number>();
  for (const node of circuit.nodes) {
    first.push(lines.length);
    const children = node.kind === "input"
      ? []
      : node.children.flatMap((child) =>
        Array.from({ length: nodeOf(circuit, child).units }, (_, u) => (first[child] as number) + u)
      );
    for (let unit = 0; unit < node.units; unit++) {
      const id = lines.length;
      if (node.kind === "input") {
        // An indicator does not tell the number of states, so the first leaf of each variable is written in full.
        lines.push(leafLine(circuit, node, unit, id, told.has(node.variable)));
        told.add(node.variable);
      } else if (node.kind === "product") {
        const factors = node.children.map((child) => (first[child] as number) + unit);
        lines.push(`P ${id} 0 ${factors.length} ${factors.join(" ")}`);
      } else lines.push(sumLine(circuit, node, unit, id, children));
    }
  }
  return `jpc ${lines.length}\n${lines.join("\n")}\n`;
}

function sumLine(circuit: Circuit, node: SumNode, unit: number, id: number, children: number[]): string {
  const { values } = parameterOf(circuit, node.parameter);
  const width = children.length / node.groups, height = node.units / node.groups;
  const from = Math.floor(unit / height) * width;
  const parts: string[] = [];
  for (let i = 0; i < width; i++) {
    const weight = values[unit * width + i] as number;
    if (weight > 0) parts.push(`${children[from + i]} ${Math.log(weight)}`);
  }
  return `S ${id} 0 ${parts.length} ${parts.join(" ")}`;
}

function leafLine(circuit: Circuit, node: InputNode, unit: number, id: number, told: boolean): string {
  const variable = circuit.variables[node.variable];
  const leaf = leafOf(circuit, node), v = node.variable + 1;
  const family = leafFamily(node.family), own = family.jpc?.(leaf, unit);
  const states = variable?.kind === "categorical" ? variable.states : 0;
  if (own !== undefined && (told || own.states >= states)) {
    return `${own.kind} ${id} 0 ${v} ${own.words.join(" ")}`;
  }
  if (variable?.kind !== "categorical") {
    throw new CircuitError(
      "model-file/inexpressible",
      `the .jpc format has no ${node.family} leaves (input node ${node.id})`,
    );
  }
  const logs = Array.from({ length: variable.states }, (_, k) => family.logProbability(leaf, unit, k));
  return `C ${id} 0 ${v} ${logs.map((log) => log === -Infinity ? "-Inf" : log).join(" ")}`;
}
