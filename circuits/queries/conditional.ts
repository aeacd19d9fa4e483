import { type Circuit, describeVariable, type InputNode, type NodeId, variableOf } from "../circuit.ts";
import { CircuitError } from "../errors.ts";
import type { Evaluator } from "../evaluator.ts";
import { leafFamily, leafOf } from "../leaves/mod.ts";
import { hideVariables, type Samples } from "../samples.ts";
import { inBatches } from "./batches.ts";

/**
 * The distribution of every chosen categorical variable by itself given the observed values of all variables
 * that are not chosen: by variable, `[samples, states]`, rows summing to one. A row is zero where what is
 * observed is impossible. Chosen positions of a text or pixels of an image: see `masks.ts`.
 * @throws {CircuitError} on variables that are not categorical
 */
export async function conditional(
  evaluator: Evaluator,
  samples: Samples,
  variables: readonly number[],
): Promise<ReadonlyMap<number, Float64Array>> {
  const { circuit } = evaluator;
  const out = new Map<number, Float64Array>();
  for (const v of variables) {
    const variable = variableOf(circuit, v);
    if (variable.kind !== "categorical") {
      throw new CircuitError(
        `${describeVariable(circuit, v)} is ${variable.kind}: it has no states to list.`,
        {
          hint: "Use `conditionalMean` for real variables.",
        },
      );
    }
    out.set(v, new Float64Array(samples.count * variable.states));
  }
  await overLeaves(evaluator, samples, variables, (node) => {
    const leaf = leafOf(circuit, node), family = leafFamily(node.family);
    const rows = out.get(node.variable) as Float64Array;
    const states = rows.length / samples.count;
    // Rows of probabilities where the family has them: a vocabulary's are too many to go through logarithms.
    const table = family.rows ? leaf.values : Float64Array.from(
      { length: node.units * states },
      (_, i) => Math.exp(family.logProbability(leaf, Math.floor(i / states), i % states)),
    );
    return (s, unit, flow) => {
      for (let k = 0; k < states; k++) {
        const at = s * states + k;
        rows[at] = (rows[at] as number) + flow * (table[unit * states + k] as number);
      }
    };
  });
  return out;
}

/**
 * Expected value of every chosen variable given the observed values of all that are not chosen (of a
 * categorical variable: of the number of its state): by variable, `[samples]`. Zero where what is observed is
 * impossible.
 */
export async function conditionalMean(
  evaluator: Evaluator,
  samples: Samples,
  variables: readonly number[],
): Promise<ReadonlyMap<number, Float64Array>> {
  const { circuit } = evaluator;
  const out = new Map(variables.map((v) => [v, new Float64Array(samples.count)]));
  await overLeaves(evaluator, samples, variables, (node) => {
    const leaf = leafOf(circuit, node), family = leafFamily(node.family);
    const means = Array.from({ length: node.units }, (_, u) => family.mean(leaf, u));
    const totals = out.get(node.variable) as Float64Array;
    return (s, unit, flow) => totals[s] = (totals[s] as number) + flow * (means[unit] as number);
  });
  return out;
}

/**
 * Entropy in nats of one categorical variable given the observed values of the others, `[samples]`: how
 * unsure the circuit is of it. Zero where what is observed is impossible.
 */
export async function entropy(
  evaluator: Evaluator,
  samples: Samples,
  variable: number,
): Promise<Float64Array> {
  const rows = (await conditional(evaluator, samples, [variable])).get(variable) as Float64Array;
  const states = rows.length / samples.count;
  const out = new Float64Array(samples.count);
  rows.forEach((p, i) => {
    const s = Math.floor(i / states);
    if (p > 0) out[s] = (out[s] as number) - p * Math.log(p);
  });
  return out;
}

/** Calls what `prepare` returns for every sample and unit with flow of the leaves over hidden `variables`. */
async function overLeaves(
  evaluator: Evaluator,
  samples: Samples,
  variables: readonly number[],
  prepare: (node: InputNode) => (s: number, unit: number, flow: number) => void,
): Promise<void> {
  const nodes = leavesOver(evaluator.circuit, variables);
  const visitors = nodes.map(prepare);
  await inBatches(evaluator.circuit, hideVariables(samples, variables), async (batch, first) => {
    const flows = await evaluator.leafFlows(batch, nodes.map((node) => node.id));
    nodes.forEach((node, i) => {
      const visit = visitors[i] as (s: number, unit: number, flow: number) => void;
      flows.get(node.id as NodeId)?.forEach((flow, at) => {
        if (flow > 0) visit(first + Math.floor(at / node.units), at % node.units, flow);
      });
    });
  });
}

function leavesOver(circuit: Circuit, variables: readonly number[]): InputNode[] {
  for (const v of variables) variableOf(circuit, v);
  return circuit.nodes.filter((node): node is InputNode =>
    node.kind === "input" && variables.includes(node.variable)
  );
}
