import { type Circuit, type ParameterArray, parameterOf, replaceValues } from "../circuit.ts";
import { requireCircuit, requireNumber, requireObject, requireSeed } from "../guards.ts";
import { parameterOwners } from "../learner.ts";
import { noisyRows } from "../leaves/family.ts";
import { leafFamily, leafOf } from "../leaves/mod.ts";
import { RandomStream } from "../random.ts";
import { PERTURB } from "./purposes.ts";

/** Options of {@link perturbed}. */
export interface PerturbOptions {
  /**
   * Strength of the noise: probabilities are multiplied by `exp(-amount * u)`, `u` uniform in [0, 1), and normalised;
   * means of Gaussian and logistic leaves move by `amount` times a normal number times their scale.
   */
  readonly amount: number;
  /** Determines the noise; a parameter's noise does not depend on other parameters. */
  readonly seed: number;
  /** Ids of the parameters to change; all if omitted. */
  readonly parameters?: Iterable<string>;
}

/**
 * The circuit with noise on its parameters: units that are equal, from counting or copying, must differ before EM can
 * separate them. Zeros stay zero.
 * @throws {CircuitError} on an amount that is no number from 0 to 80, beyond which all weights but one vanish
 */
export function perturbed(circuit: Circuit, options: PerturbOptions): Circuit {
  requireCircuit(circuit);
  requireObject("the options of `perturbed`", options);
  const { amount, seed } = options;
  requireNumber("amount", amount, 0, 80);
  requireSeed(seed);
  const chosen = options.parameters && new Set(options.parameters);
  for (const id of chosen ?? []) parameterOf(circuit, id);
  const values = new Map<string, ParameterArray>();
  let index = -1;
  for (const [id, node] of parameterOwners(circuit)) {
    index++;
    if (chosen !== undefined && !chosen.has(id)) continue;
    const random = new RandomStream(seed, index, 0, PERTURB);
    const { values: old } = parameterOf(circuit, id);
    if (node.kind === "sum") {
      values.set(id, noisyRows(old, old.length / node.units, amount, random));
      continue;
    }
    values.set(id, leafFamily(node.family).perturb(leafOf(circuit, node), amount, random));
  }
  return replaceValues(circuit, values);
}
