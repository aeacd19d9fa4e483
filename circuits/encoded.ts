import { checkCircuit, parameterFaults, structureFaults } from "./checks.ts";
import type { Circuit, Parameter } from "./circuit.ts";
import { conformed } from "./conform.ts";
import { CircuitError } from "./errors.ts";
import { leafFamily } from "./leaves/mod.ts";
import { decodeSafetensors, encodeSafetensors, type Tensor } from "./safetensors.ts";
import { requireCircuit } from "./guards.ts";
import { parseStructure } from "./structure_file.ts";

/** The version written unless something needs a newer one. */
const PLAIN_VERSION = 2;

/** A circuit in its encoded form. */
export interface EncodedCircuit {
  /** JSON: format, version, root, notes if there are any, variables, nodes (children first; ids are positions). */
  readonly structure: string;
  /** safetensors: one tensor per parameter, by id: F64 for families stored in float64, otherwise F32. */
  readonly parameters: Uint8Array<ArrayBuffer>;
}

/**
 * Encodes a circuit as text and bytes, deterministically.
 * @throws {CircuitError} naming every fault of a circuit that {@link decodeCircuit} would not take back: NaN among its
 *   parameters, rows that do not sum to one
 */
export function encodeCircuit(circuit: Circuit): EncodedCircuit {
  requireCircuit(circuit);
  checkCircuit(circuit);
  const nodes = circuit.nodes.map((node) => {
    const { id: _position, ...rest } = node;
    if (rest.kind === "sum" && rest.groups === 1) return { ...rest, groups: undefined };
    if (rest.kind === "input" && Object.keys(rest.settings).length === 0) {
      return { ...rest, settings: undefined };
    }
    return rest;
  });
  const { notes } = circuit;
  const head = { format: "retort-circuit", version: versionOf(circuit), root: circuit.root, notes };
  const lines = (list: readonly unknown[]) => list.map((item) => `\n    ${JSON.stringify(item)}`).join(",");
  const structure = `${JSON.stringify(head).slice(0, -1)},\n  "variables": [${
    lines(circuit.variables)
  }\n  ],\n  "nodes": [${lines(nodes)}\n  ]\n}\n`;
  const ids = [...circuit.parameters.keys()].sort((a, b) => a < b ? -1 : 1);
  const tensors = new Map(ids.map((id) => [id, circuit.parameters.get(id) as Parameter]));
  return { structure, parameters: encodeSafetensors(tensors, { format: "retort-circuit" }) };
}

/**
 * Decodes the output of {@link encodeCircuit} and checks it completely.
 *
 * @param where how messages name the circuit's origin
 * @throws {CircuitError} with every fault and its place: JSON that does not parse, unknown fields, kinds or
 *   families, cycles, shapes that do not fit, NaN, rows that do not sum to one, a version that is too new
 */
export function decodeCircuit(
  structure: string,
  parameters: Uint8Array,
  where = "circuit",
): Circuit {
  return circuitOf(structure, decodeSafetensors(parameters, `${where}, parameters`).tensors, where);
}

/** {@link decodeCircuit} of parameters that are tensors already. */
export function circuitOf(structure: string, tensors: ReadonlyMap<string, Tensor>, where: string): Circuit {
  const file = parseStructure(structure, where);
  const table = new Map<string, Parameter>();
  for (const [id, { shape, values }] of tensors) {
    if (!(values instanceof Float32Array || values instanceof Float64Array)) {
      throw new CircuitError(
        "circuit-file/invalid",
        `${where}: parameter \`${id}\` is neither of the type F32 nor F64`,
      );
    }
    table.set(id, { id, shape, values });
  }
  // In version 1 all parameters are float32, and Bernoulli leaves store only the probability of state 1.
  const circuit = conformed({
    variables: file.variables,
    nodes: file.nodes,
    root: file.root,
    parameters: table,
    ...(file.notes !== undefined && { notes: file.notes }),
  });
  let faults = structureFaults(circuit);
  if (faults.length === 0) faults = parameterFaults(circuit);
  if (faults.length > 0) {
    throw CircuitError.of("circuit-file/invalid", `${where} holds no valid circuit`, faults);
  }
  return circuit;
}

/** The lowest version that supports everything in the circuit, so that older programs can read it. */
function versionOf({ nodes }: Circuit): number {
  return nodes.reduce(
    (version, node) =>
      node.kind === "input" ? Math.max(version, leafFamily(node.family).since ?? PLAIN_VERSION) : version,
    PLAIN_VERSION,
  );
}
