import { z } from "zod";
import { isNotFolder, isNotFound, readBytes, replaceBytes } from "../foundation/file_system.ts";
import { checkCircuit, parameterFaults, structureFaults } from "./checks.ts";
import type { Circuit, InputNode, Node, Parameter, ProductNode, SumNode, Variable } from "./circuit.ts";
import { conformed } from "./conform.ts";
import { CircuitError, type Fault } from "./errors.ts";
import { leafFamily } from "./leaves/mod.ts";
import { decodeSafetensors, encodeSafetensors } from "./safetensors.ts";
import { requireCircuit } from "./guards.ts";

/** Newest version of the format; older ones can still be read. */
export const CIRCUIT_VERSION = 4;

/** The version written unless something needs a newer one. */
const PLAIN_VERSION = 2;

/** File names of a circuit. */
export const STRUCTURE_FILE = "circuit.json", PARAMETERS_FILE = "parameters.safetensors";

/** A circuit in its encoded form. */
export interface EncodedCircuit {
  /** JSON: format, version, root, notes if there are any, variables, nodes (children first; ids are positions). */
  readonly structure: string;
  /** safetensors: one tensor per parameter, by id: F64 for families stored in float64, otherwise F32. */
  readonly parameters: Uint8Array<ArrayBuffer>;
}

const index = z.int().min(0);
const positive = z.int().min(1);
const named = { name: z.string().optional(), units: positive };
const settings = z.record(z.string(), z.union([z.number(), z.array(z.number())]));
const variableSchema = z.discriminatedUnion("kind", [
  z.strictObject({ kind: z.literal("categorical"), name: z.string(), states: positive }),
  z.strictObject({ kind: z.literal("count"), name: z.string() }),
  z.strictObject({ kind: z.literal("real"), name: z.string() }),
  z.strictObject({ kind: z.literal("external"), name: z.string() }),
]);
const nodeSchema = z.discriminatedUnion("kind", [
  z.strictObject({
    kind: z.literal("input"),
    ...named,
    variable: index,
    family: z.string(),
    settings: settings.optional(),
    parameter: z.string().optional(),
  }),
  z.strictObject({ kind: z.literal("product"), ...named, children: z.array(index) }),
  z.strictObject({
    kind: z.literal("sum"),
    ...named,
    children: z.array(index),
    groups: positive.optional(),
    parameter: z.string(),
  }),
]);
const fileSchema = z.strictObject({
  format: z.literal("retort-circuit"),
  version: z.int().min(1),
  variables: z.array(variableSchema),
  nodes: z.array(nodeSchema),
  root: index,
  notes: z.record(z.string(), z.string()).optional(),
});

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
  const file = parseStructure(structure, where);
  const { tensors } = decodeSafetensors(parameters, `${where}, parameters`);
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
    variables: file.variables as readonly Variable[],
    nodes: file.nodes.map((node, id): Node => {
      if (node.kind === "sum") return { ...node, groups: node.groups ?? 1, id } as SumNode;
      if (node.kind === "input") return { ...node, settings: node.settings ?? {}, id } as InputNode;
      return { ...node, id } as ProductNode;
    }),
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

function parseStructure(structure: string, where: string): z.infer<typeof fileSchema> {
  let json: unknown;
  try {
    json = JSON.parse(structure);
  } catch (cause) {
    throw new CircuitError(
      "circuit-file/damaged",
      `${where}: its structure is not JSON: ${(cause as Error).message}`,
      { cause },
    );
  }
  const version = (json as { version?: unknown } | null)?.version;
  if (typeof version === "number" && version > CIRCUIT_VERSION) {
    throw new CircuitError(
      "circuit-file/version",
      `${where} has the version ${version} of the format; this program reads up to ${CIRCUIT_VERSION}`,
      { hint: "Use a newer version of this program." },
    );
  }
  const parsed = fileSchema.safeParse(json);
  if (parsed.success) return parsed.data;
  const faults: Fault[] = parsed.error.issues.map((issue) => ({
    where: issue.path.map((key) => typeof key === "number" ? `[${key}]` : `.${String(key)}`).join("").replace(
      /^\./,
      "",
    ) || "top",
    problem: issue.message,
  }));
  throw CircuitError.of("circuit-file/invalid", `${where} holds no valid circuit`, faults);
}

/**
 * Writes a circuit to a folder as `circuit.json` and `parameters.safetensors`; creates the folder. Each file is written
 * atomically.
 * @throws {CircuitError} see {@link encodeCircuit}; nothing is written then
 */
export async function saveCircuit(folder: string, circuit: Circuit): Promise<void> {
  requireCircuit(circuit);
  const { structure, parameters } = encodeCircuit(circuit);
  await replaceBytes(`${folder}/${PARAMETERS_FILE}`, parameters);
  await replaceBytes(`${folder}/${STRUCTURE_FILE}`, new TextEncoder().encode(structure));
}

/** Reads and checks a circuit written by {@link saveCircuit}. @throws {CircuitError} see {@link decodeCircuit} */
export async function loadCircuit(folder: string): Promise<Circuit> {
  const read = async (name: string) => {
    try {
      return await readBytes(`${folder}/${name}`);
    } catch (cause) {
      if (isNotFound(cause)) {
        throw new CircuitError(
          "circuit-file/missing",
          `there is no circuit in ${folder}: the file ${name} is missing`,
          { cause },
        );
      }
      if (!isNotFolder(cause)) throw cause;
      throw new CircuitError(
        "circuit-file/missing",
        `${folder} is a file; a circuit is a folder with ${STRUCTURE_FILE} and ${PARAMETERS_FILE}`,
        { hint: `Give the folder that holds it: ${folder.replace(/[\\/][^\\/]*$/, "") || "."}`, cause },
      );
    }
  };
  const structure = new TextDecoder().decode(await read(STRUCTURE_FILE));
  return decodeCircuit(structure, await read(PARAMETERS_FILE), folder);
}
