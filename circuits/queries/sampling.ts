import { promiseOf } from "../../foundation/newer.ts";
import { CircuitError } from "../errors.ts";
import type { Evaluator } from "../evaluator.ts";
import { requireEvaluator, requireObject, requireSamples, requireSeed, requireWhole } from "../guards.ts";
import { leafFamily, leafOf } from "../leaves/mod.ts";
import { sampleSoft } from "../leaves/soft.ts";
import { RandomStream } from "../random.ts";
import { requireSingleRoot } from "../reference.ts";
import { type Samples, unobserved } from "../samples.ts";
import { inBatches } from "./batches.ts";
import { descend, largest, valuesFor } from "./descent.ts";

/** Options of {@link sampleMissing}. */
export interface SamplingOptions {
  /** Determines all random choices; those for a sample do not depend on its batch. 0 if omitted. */
  readonly seed?: number;
  /** Completions per sample; 1 if omitted. */
  readonly draws?: number;
}

/**
 * Conditional sampling: completes every sample with values drawn from `p(missing | observed)`; variables with soft
 * evidence are drawn from their distribution given it. Exact and independent. Returns `[samples * draws, variables]`, all
 * observed, with the draws of a sample adjacent. The value of an external variable is the index of the unit that was
 * drawn.
 * @throws {CircuitError} when what is observed in a sample is impossible, naming the sample
 */
export async function sampleMissing(
  evaluator: Evaluator,
  samples: Samples,
  options: SamplingOptions = {},
): Promise<Samples> {
  requireEvaluator(evaluator);
  requireSamples(samples);
  const { circuit } = evaluator;
  requireSingleRoot(circuit);
  const { seed, draws } = samplingOptions(options);
  const values = valuesFor(circuit, samples, draws);
  await inBatches(circuit, samples, async (batch, first) => {
    const activations = await evaluator.activations(batch, "sum");
    for (let s = 0; s < batch.count; s++) {
      refuseImpossible(activations.of(circuit.root)[s] as number, first + s);
      for (let draw = 0; draw < draws; draw++) {
        const row = (first + s) * draws + draw;
        descend(circuit, activations, batch, s, values, row, {
          choose(node, logs) {
            const most = logs[largest(logs)] as number;
            return new RandomStream(seed, row, node.id, 1).choose(logs.map((l) => Math.exp(l - most)));
          },
          value(node, unit, soft) {
            const family = leafFamily(node.family), leaf = leafOf(circuit, node);
            const random = new RandomStream(seed, row, node.id, 2);
            return soft === undefined
              ? family.sample(leaf, unit, random)
              : sampleSoft(family, leaf, unit, soft, random);
          },
        });
      }
    }
  });
  return { count: samples.count * draws, variables: samples.variables, values };
}

/**
 * Ancestral sampling: `count` samples from the circuit, `[count, variables]`.
 * @throws {CircuitError} when the count is no whole number, or the seed none
 */
export function sample(
  evaluator: Evaluator,
  count: number,
  options: Pick<SamplingOptions, "seed"> = {},
): Promise<Samples> {
  requireEvaluator(evaluator);
  return promiseOf(() =>
    sampleMissing(evaluator, unobserved(count, evaluator.circuit.variables.length), options)
  );
}

/** Fills in and checks options. @throws {CircuitError} naming the option */
export function samplingOptions(options: SamplingOptions): Required<SamplingOptions> {
  requireObject("the options of sampling", options);
  const { seed = 0, draws = 1 } = options;
  requireSeed(seed);
  requireWhole("draws", draws, 1);
  return { seed, draws };
}

/** Rejects a sample that cannot be completed. @throws {CircuitError} for a log-likelihood of -Infinity */
export function refuseImpossible(log: number, s: number): void {
  if (log > -Infinity) return;
  throw new CircuitError(
    "samples/impossible",
    `sample ${s} is impossible: its observed values have the probability 0`,
    { hint: "Find such samples with `logLikelihood` and leave them out, or learn with a pseudocount." },
  );
}
