import { describeNode } from "../circuit.ts";
import { nondeterministicNode } from "../determinism.ts";
import { CircuitError } from "../errors.ts";
import type { Evaluator } from "../evaluator.ts";
import { leafFamily, leafOf } from "../leaves/mod.ts";
import { softMode } from "../leaves/soft.ts";
import { requireSingleRoot } from "../reference.ts";
import type { Samples } from "../samples.ts";
import { inBatches } from "./batches.ts";
import { descend, largest, valuesFor } from "./descent.ts";
import { refuseImpossible } from "./sampling.ts";
import { requireEvaluator, requireSamples } from "../guards.ts";

/** Completed samples with their log-values. */
export interface Completion {
  /** All values observed: the given ones, and the best for missing and soft ones. External: the unit taken. */
  readonly samples: Samples;
  /**
   * `[samples]`, nats. For {@link map}: the log-likelihood of the completed sample. For {@link maxProduct}: that of the
   * single path through the sums, at most the former. With soft evidence, both include the log-weights of the chosen
   * states.
   */
  readonly logValues: Float64Array;
}

/**
 * The most probable completion of every sample, exactly. Requires a deterministic circuit (for all others MAP is NP-hard:
 * de Campos, "New Complexity Results for MAP in Bayesian Networks", IJCAI 2011): compiled networks, and circuits whose
 * sums are materialised. Ties go to the completion through the first inputs and smallest states.
 * @throws {CircuitError} when the circuit is not deterministic, naming a node, or a sample is impossible
 */
export function map(evaluator: Evaluator, samples: Samples): Promise<Completion> {
  requireEvaluator(evaluator);
  requireSamples(samples);
  const node = nondeterministicNode(evaluator.circuit);
  if (node !== undefined) {
    return Promise.reject(
      new CircuitError(
        "circuit/not-deterministic",
        `exact MAP needs a deterministic circuit, and ${
          describeNode(node)
        } may mix inputs that are possible at once`,
        {
          hint:
            "Materialise the sum nodes first (MAP then covers the latent variables too), or settle for `maxProduct`.",
        },
      ),
    );
  }
  return maxProduct(evaluator, samples);
}

/**
 * Max-product: the completion along the single best path through the circuit (Poon and Domingos 2011). In general only an
 * approximation of the most probable completion, since it ignores mass spread over many paths.
 * @throws {CircuitError} when what is observed in a sample is impossible, naming the sample
 */
export async function maxProduct(evaluator: Evaluator, samples: Samples): Promise<Completion> {
  requireEvaluator(evaluator);
  requireSamples(samples);
  const { circuit } = evaluator;
  requireSingleRoot(circuit);
  const values = valuesFor(circuit, samples);
  const logValues = new Float64Array(samples.count);
  await inBatches(circuit, samples, async (batch, first) => {
    const activations = await evaluator.activations(batch, "max");
    for (let s = 0; s < batch.count; s++) {
      const log = logValues[first + s] = activations.of(circuit.root)[s] as number;
      refuseImpossible(log, first + s);
      descend(circuit, activations, batch, s, values, first + s, {
        choose: (_node, logs) => largest(logs),
        value(node, unit, soft) {
          const family = leafFamily(node.family), leaf = leafOf(circuit, node);
          return soft === undefined ? family.mode(leaf, unit) : softMode(family, leaf, unit, soft);
        },
      });
    }
  });
  return { samples: { count: samples.count, variables: samples.variables, values }, logValues };
}
