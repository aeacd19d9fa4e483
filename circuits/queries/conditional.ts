import { type Circuit, describeVariable, type InputNode, type NodeId, variableOf } from "../circuit.ts";
import { CircuitError } from "../errors.ts";
import type { Evaluator } from "../evaluator.ts";
import { leafFamily, leafOf, stateProbabilities } from "../leaves/mod.ts";
import { softPosterior } from "../leaves/soft.ts";
import { hideValues, type Samples, softOf } from "../samples.ts";
import type { StateWeights } from "../soft.ts";
import { inBatches } from "./batches.ts";
import { requireEvaluator, requireList, requireSamples } from "../guards.ts";

/**
 * The conditional distribution of each chosen categorical variable separately, given the observed values of all variables
 * that are not chosen and all soft evidence, including that of the chosen ones: by variable, `[samples, states]`, rows
 * summing to one. For an external variable: the posterior of its units given the same evidence and all log-likelihoods,
 * `[samples, units]`. Rows of impossible samples are zero. To choose positions of a text or pixels of an image, see
 * `masks.ts`.
 * @throws {CircuitError} on real variables
 */
export async function conditional(
  evaluator: Evaluator,
  samples: Samples,
  variables: readonly number[],
): Promise<ReadonlyMap<number, Float64Array>> {
  requireEvaluator(evaluator);
  requireSamples(samples);
  requireList("the variables", variables);
  const { circuit } = evaluator;
  const out = new Map<number, Float64Array>();
  for (const v of variables) {
    const width = choices(circuit, v);
    if (width === undefined) {
      throw new CircuitError(
        "circuit/no-states",
        `${describeVariable(circuit, v)} is ${variableOf(circuit, v).kind}: it has no states to list`,
        { hint: "Use `conditionalMean` for real variables." },
      );
    }
    out.set(v, new Float64Array(samples.count * width));
  }
  await overLeaves(evaluator, samples, variables, (node) => {
    const leaf = leafOf(circuit, node), family = leafFamily(node.family);
    const rows = out.get(node.variable) as Float64Array;
    const states = rows.length / samples.count;
    const add = (s: number, k: number, p: number) => {
      rows[s * states + k] = (rows[s * states + k] as number) + p;
    };
    if (family.external) return (s, unit, flow) => add(s, unit, flow);
    // Probabilities directly if the family stores them: converting a whole vocabulary through logarithms is too slow.
    const support = family.support?.(leaf);
    const table = family.rows ? leaf.values : stateProbabilities(circuit, node);
    const width = support?.length ?? states;
    return (s, unit, flow, soft) => {
      if (soft === undefined) {
        for (let k = 0; k < width; k++) {
          add(
            s,
            support === undefined ? k : support[k] as number,
            flow * (table[unit * width + k] as number),
          );
        }
        return;
      }
      softPosterior(family, leaf, unit, soft).forEach((p, i) => add(s, soft.states[i] as number, flow * p));
    };
  });
  return out;
}

/** Number of possible values of a variable: states, or units of an external one; undefined for a real one. */
function choices(circuit: Circuit, v: number): number | undefined {
  const variable = variableOf(circuit, v);
  if (variable.kind === "categorical") return variable.states;
  if (variable.kind !== "external") return undefined;
  return leavesOver(circuit, [v])[0]?.units ?? 0;
}

/**
 * Expected value of each chosen variable given the observed values of all that are not chosen and all soft evidence and
 * log-likelihoods (for a categorical variable: of its state number, for an external one of its unit number): by variable,
 * `[samples]`. Zero for impossible samples.
 */
export async function conditionalMean(
  evaluator: Evaluator,
  samples: Samples,
  variables: readonly number[],
): Promise<ReadonlyMap<number, Float64Array>> {
  requireEvaluator(evaluator);
  requireSamples(samples);
  requireList("the variables", variables);
  const { circuit } = evaluator;
  const out = new Map(variables.map((v) => [v, new Float64Array(samples.count)]));
  await overLeaves(evaluator, samples, variables, (node) => {
    const leaf = leafOf(circuit, node), family = leafFamily(node.family);
    const means = Array.from({ length: node.units }, (_, u) => family.mean(leaf, u));
    const totals = out.get(node.variable) as Float64Array;
    return (s, unit, flow, soft) => {
      const mean = soft === undefined
        ? means[unit] as number
        : softPosterior(family, leaf, unit, soft).reduce(
          (total, p, i) => total + p * (soft.states[i] as number),
          0,
        );
      totals[s] = (totals[s] as number) + flow * mean;
    };
  });
  return out;
}

/**
 * Entropy in nats of one categorical variable given the observed values of the others, `[samples]`: the circuit's
 * uncertainty about it. Zero for impossible samples.
 */
export async function entropy(
  evaluator: Evaluator,
  samples: Samples,
  variable: number,
): Promise<Float64Array> {
  requireEvaluator(evaluator);
  requireSamples(samples);
  const rows = (await conditional(evaluator, samples, [variable])).get(variable) as Float64Array;
  const states = rows.length / samples.count;
  const out = new Float64Array(samples.count);
  rows.forEach((p, i) => {
    const s = Math.floor(i / states);
    if (p > 0) out[s] = (out[s] as number) - p * Math.log(p);
  });
  return out;
}

/** Called for each unit of a leaf with positive flow in a sample. */
type LeafVisitor = (s: number, unit: number, flow: number, soft: StateWeights | undefined) => void;

/**
 * Calls the function returned by `prepare` for every sample and every unit with flow of the leaves over `variables`,
 * whose values are hidden.
 */
async function overLeaves(
  evaluator: Evaluator,
  samples: Samples,
  variables: readonly number[],
  prepare: (node: InputNode) => LeafVisitor,
): Promise<void> {
  const nodes = leavesOver(evaluator.circuit, variables);
  const visitors = nodes.map(prepare);
  await inBatches(evaluator.circuit, hideValues(samples, variables), async (batch, first) => {
    const flows = await evaluator.leafFlows(batch, nodes.map((node) => node.id));
    nodes.forEach((node, i) => {
      const visit = visitors[i] as LeafVisitor, flow = flows.get(node.id as NodeId) as Float64Array;
      for (let s = 0, at = 0; s < batch.count; s++) {
        const soft = softOf(batch, s, node.variable);
        for (let unit = 0; unit < node.units; unit++, at++) {
          if ((flow[at] as number) > 0) visit(first + s, unit, flow[at] as number, soft);
        }
      }
    });
  });
}

function leavesOver(circuit: Circuit, variables: readonly number[]): InputNode[] {
  for (const v of variables) variableOf(circuit, v);
  return circuit.nodes.filter((node): node is InputNode =>
    node.kind === "input" && variables.includes(node.variable)
  );
}
