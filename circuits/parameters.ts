import { parameterFaults } from "./checks.ts";
import { type Circuit, type ParameterArray, parameterOf, replaceValues } from "./circuit.ts";
import { CircuitError } from "./errors.ts";
import { flatten, type NestedNumbers } from "./nested.ts";
import { requireCircuit } from "./guards.ts";

/**
 * The same structure with new values for some parameters, row-major or as nested lists. Typed arrays in the parameter's
 * precision are kept, not copied.
 * @throws {CircuitError} on an unknown id, a wrong shape, and values that make no distribution: NaN, negative ones, rows
 *   that do not sum to one
 */
export function withParameters(circuit: Circuit, values: ReadonlyMap<string, NestedNumbers>): Circuit {
  requireCircuit(circuit);
  const flat = new Map<string, ParameterArray>();
  for (const [id, array] of values) {
    flat.set(id, flatten(`Parameter \`${id}\``, parameterOf(circuit, id).shape, array));
  }
  const changed = replaceValues(circuit, flat);
  const faults = parameterFaults(changed, new Set(flat.keys()));
  if (faults.length > 0) {
    throw CircuitError.of("circuit/parameter-values", "these parameters are not distributions", faults);
  }
  return changed;
}
