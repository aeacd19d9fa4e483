import { childrenOf, type Circuit, describeNode, type ParameterArray } from "../circuit.ts";
import { CircuitError } from "../errors.ts";
import { requireCircuit } from "../guards.ts";

/**
 * Rejects parameters that are NaN or infinite, naming the lowest level and a node with such values: leaves are level 0,
 * and every other node is one level above the highest of its children.
 * @throws {CircuitError} for NaN and infinities
 */
export function requireNumbers(
  circuit: Circuit,
  parameters: ReadonlyMap<string, ParameterArray>,
  when: string,
): void {
  requireCircuit(circuit);
  const odd = new Map<string, number>();
  for (const [id, values] of parameters) {
    let count = 0;
    for (const value of values) if (!Number.isFinite(value)) count++;
    if (count > 0) odd.set(id, count);
  }
  if (odd.size === 0) return;
  const levels: number[] = [];
  let lowest: { level: number; id: string; node: string } | undefined;
  for (const node of circuit.nodes) {
    const level = childrenOf(node).reduce((most, child) => Math.max(most, levels[child] as number + 1), 0);
    levels.push(level);
    if (node.kind === "product" || node.parameter === undefined || !odd.has(node.parameter)) continue;
    if (lowest === undefined || level < lowest.level) {
      lowest = { level, id: node.parameter, node: describeNode(node) };
    }
  }
  const { level, id, node } = lowest ?? { level: 0, id: [...odd.keys()][0] as string, node: "no node" };
  throw new CircuitError(
    "learning/not-finite",
    `${when}, ${odd.get(id)} of the ${parameters.get(id)?.length} numbers of parameter \`${id}\` at level ` +
      `${level} (${node}) are NaN or infinite`,
    { hint: HINT },
  );
}

/** Rejects a NaN score computed from finite parameters. @throws {CircuitError} for NaN */
export function requireScore(logLikelihood: number, when: string): void {
  if (!Number.isNaN(logLikelihood)) return;
  throw new CircuitError(
    "learning/not-finite",
    `${when}, the log-likelihood is NaN though all parameters are numbers`,
    {
      hint: HINT,
    },
  );
}

const HINT =
  "The data or the device are at fault: look for NaN in the data, run `deno task doctor`, or go on from the " +
  "last checkpoint with `--engine cpu`.";
