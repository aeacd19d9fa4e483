import { isNotFolder, isNotFound, readBytes, replaceBytes } from "../foundation/file_system.ts";
import type { Circuit } from "./circuit.ts";
import { decodeCircuit, encodeCircuit } from "./encoded.ts";
import { CircuitError } from "./errors.ts";
import { requireCircuit } from "./guards.ts";
import { decodeCircuitFile } from "./one_file.ts";

/** File names of a circuit. */
export const STRUCTURE_FILE = "circuit.json", PARAMETERS_FILE = "parameters.safetensors";

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

/**
 * Reads and checks a circuit: a folder of {@link saveCircuit}, or one file of `encodeCircuitFile`.
 * @throws {CircuitError} see `decodeCircuit` and `decodeCircuitFile`
 */
export async function loadCircuit(path: string): Promise<Circuit> {
  const structure = await readStructure(path);
  if (structure === undefined && /[^/\\]+$/.exec(path)?.[0].match(PARTS)) throw partOfFolder(path);
  if (structure === undefined) return decodeCircuitFile(await readBytes(path), path).circuit;
  return decodeCircuit(new TextDecoder().decode(structure), await readPart(path, PARAMETERS_FILE), path);
}

/** Names of the files in a folder of a circuit. */
const PARTS = new RegExp(`^(?:${STRUCTURE_FILE}|${PARAMETERS_FILE})$`);

function partOfFolder(path: string): CircuitError {
  return new CircuitError("circuit-file/missing", `${path} is a file; a circuit is a folder`, {
    hint: `Give the folder that holds it: ${path.replace(/[/\\]?[^/\\]+$/, "") || "."}`,
  });
}

/** The structure in a folder; undefined where the path is a file. */
async function readStructure(path: string): Promise<Uint8Array | undefined> {
  try {
    return await readPart(path, STRUCTURE_FILE);
  } catch (error) {
    if (isNotFolder(error)) return undefined;
    throw error;
  }
}

async function readPart(folder: string, name: string): Promise<Uint8Array> {
  try {
    return await readBytes(`${folder}/${name}`);
  } catch (cause) {
    if (!isNotFound(cause)) throw cause;
    throw new CircuitError(
      "circuit-file/missing",
      `there is no circuit in ${folder}: the file ${name} is missing`,
      { cause },
    );
  }
}
