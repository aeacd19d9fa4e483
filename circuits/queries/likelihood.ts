import { rootUnits, variableOf } from "../circuit.ts";
import type { Evaluator, Flows } from "../evaluator.ts";
import { emptyFlows, requireSingleRoot } from "../reference.ts";
import { checkSampleWeights, hideVariables, type Samples } from "../samples.ts";
import { inBatches } from "./batches.ts";
import { requireEvaluator, requireList, requireSamples } from "../guards.ts";

/**
 * Log-likelihood of the observed values of every sample, in nats, `[samples, units of the root]`; missing
 * values are summed out. -Infinity for impossible samples.
 */
export async function logLikelihood(evaluator: Evaluator, samples: Samples): Promise<Float64Array> {
  requireEvaluator(evaluator);
  requireSamples(samples);
  const units = rootUnits(evaluator.circuit);
  const out = new Float64Array(samples.count * units);
  await inBatches(evaluator.circuit, samples, async (batch, first) => {
    out.set(await evaluator.logLikelihoods(batch), first * units);
  });
  return out;
}

/** Log-likelihood of the values of `variables` only, with all others summed out: `[samples, units of the root]`. */
export function marginal(
  evaluator: Evaluator,
  samples: Samples,
  variables: readonly number[],
): Promise<Float64Array> {
  requireEvaluator(evaluator);
  requireSamples(samples);
  requireList("the variables", variables);
  for (const v of variables) variableOf(evaluator.circuit, v);
  const chosen = new Set(variables);
  const others = evaluator.circuit.variables.flatMap((_, v) => chosen.has(v) ? [] : [v]);
  return logLikelihood(evaluator, hideVariables(samples, others));
}

/**
 * `log p(values of variables | the other observed values)` of every sample, in nats, `[samples]`. -Infinity if the values
 * are impossible, and also if what they are conditioned on is.
 */
export async function conditionalLogLikelihood(
  evaluator: Evaluator,
  samples: Samples,
  variables: readonly number[],
): Promise<Float64Array> {
  requireEvaluator(evaluator);
  requireSamples(samples);
  requireList("the variables", variables);
  requireSingleRoot(evaluator.circuit);
  for (const v of variables) variableOf(evaluator.circuit, v);
  const joint = await logLikelihood(evaluator, samples);
  const evidence = await logLikelihood(evaluator, hideVariables(samples, variables));
  return joint.map((l, s) => l === -Infinity ? l : l - (evidence[s] as number));
}

/**
 * Expected sufficient statistics of all parameters over all samples: {@link Evaluator.flows} summed over batches.
 * `sampleWeights`, `[samples]`, gives the multiplicity of each sample.
 * @throws {CircuitError} on a wrong number of weights, or one that is negative or not finite
 */
export async function expectedStatistics(
  evaluator: Evaluator,
  samples: Samples,
  sampleWeights?: ArrayLike<number>,
): Promise<Flows> {
  requireEvaluator(evaluator);
  requireSamples(samples);
  checkSampleWeights(samples, sampleWeights);
  const { weights, statistics } = emptyFlows(evaluator.circuit);
  const logLikelihoods = new Float64Array(samples.count);
  let impossible = 0;
  await inBatches(evaluator.circuit, samples, async (batch, first) => {
    const times = sampleWeights &&
      Float64Array.from({ length: batch.count }, (_, s) => sampleWeights[first + s] as number);
    const flows = await evaluator.flows(batch, times);
    logLikelihoods.set(flows.logLikelihoods, first);
    impossible += flows.impossible;
    addTo(weights, flows.weights);
    addTo(statistics, flows.statistics);
  });
  return { logLikelihoods, weights, statistics, impossible };
}

function addTo(totals: Map<string, Float64Array>, parts: ReadonlyMap<string, Float64Array>): void {
  for (const [id, total] of totals) {
    parts.get(id)?.forEach((x, i) => total[i] = (total[i] as number) + x);
  }
}
