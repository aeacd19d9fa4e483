import type { Circuit } from "./circuit.ts";
import { circuitOf, encodeCircuit } from "./encoded.ts";
import { codesOfRows, type QuantisationLoss, rowsOfCodes, tablesOf } from "./eight_bits.ts";
import { CircuitError } from "./errors.ts";
import { requireCircuit, requireObject } from "./guards.ts";
import { decodeSafetensors, encodeSafetensors, type Tensor } from "./safetensors.ts";

/** Keys of the metadata that are the format's own; the others are their makers'. */
const STRUCTURE = "structure", CODED = "coded";

/** How a circuit is written into one file. */
export interface CircuitFileOptions {
  /** Bits of a probability in tables of categorical leaves: 8 take a quarter of the room. 32 if omitted. */
  readonly bits?: 8 | 32;
  /** Texts that go with the circuit, by name, such as its vocabulary. */
  readonly metadata?: Readonly<Record<string, string>>;
}

/** A circuit with all of its numbers and texts in one file. */
export interface EncodedFile {
  /** The file. */
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** What 8 bits cost; absent for 32, or if there was nothing to round. */
  readonly loss?: QuantisationLoss;
}

/** What such a file holds. */
export interface DecodedFile {
  /** The circuit. */
  readonly circuit: Circuit;
  /** The texts that go with it. */
  readonly metadata: Readonly<Record<string, string>>;
}

/**
 * Encodes a circuit as one file, which `loadCircuit` reads as it does a folder: a safetensors file whose metadata hold the
 * structure and texts of the caller's. For pages, which take a model in one request.
 *
 * @throws {CircuitError} as `encodeCircuit` does, or where a text has a name of the format's own
 */
export function encodeCircuitFile(circuit: Circuit, options: CircuitFileOptions = {}): EncodedFile {
  requireCircuit(circuit);
  requireObject("the options of a circuit's file", options);
  const { bits = 32, metadata = {} } = options;
  if (bits !== 8 && bits !== 32) {
    throw new CircuitError("circuit/argument", `bits is ${bits}, expected 8 or 32`);
  }
  const taken = [STRUCTURE, CODED, "format"].find((name) => Object.hasOwn(metadata, name));
  if (taken !== undefined) {
    throw new CircuitError("circuit/argument", `a text is called \`${taken}\`, a name of the format's own`);
  }
  const { structure, parameters } = encodeCircuit(circuit);
  const tensors = new Map(decodeSafetensors(parameters).tensors);
  const coded = bits === 8 ? tablesOf(circuit) : [];
  const losses: number[] = [];
  for (const id of coded) {
    const { shape, values } = tensors.get(id) as Tensor;
    const rows = codesOfRows(values, shape[1] as number);
    losses.push(...rows.losses);
    tensors.set(id, { shape, values: rows.codes });
  }
  const bytes = encodeSafetensors(tensors, {
    ...metadata,
    format: "retort-circuit",
    [STRUCTURE]: structure,
    ...(coded.length > 0 && { [CODED]: JSON.stringify(coded) }),
  });
  if (losses.length === 0) return { bytes };
  const mean = losses.reduce((a, b) => a + b, 0) / losses.length;
  return { bytes, loss: { mean, largest: losses.reduce((a, b) => Math.max(a, b), 0) } };
}

/**
 * Decodes a file of {@link encodeCircuitFile} and checks it completely.
 *
 * @param where how messages name the file
 * @throws {CircuitError} as `decodeCircuit` does, or when it is another kind of file
 */
export function decodeCircuitFile(bytes: Uint8Array, where = "circuit"): DecodedFile {
  const { tensors: stored, metadata } = decodeSafetensors(bytes, where);
  const { [STRUCTURE]: structure, [CODED]: coded = "[]", format, ...own } = metadata;
  if (format !== "retort-circuit" || structure === undefined) {
    throw new CircuitError(
      "circuit-file/invalid",
      `${where} is a safetensors file without a circuit's structure`,
      {
        hint: "A circuit is one file of `encodeCircuitFile`, or a folder of `saveCircuit`.",
      },
    );
  }
  const tensors = new Map(stored);
  for (const id of namesIn(coded, where)) {
    const tensor = tensors.get(id);
    if (!(tensor?.values instanceof Uint8Array) || tensor.shape.length !== 2) {
      throw new CircuitError("circuit-file/invalid", `${where}: parameter \`${id}\` is no table in 8 bits`);
    }
    tensors.set(id, { shape: tensor.shape, values: rowsOfCodes(tensor.values, tensor.shape[1] as number) });
  }
  return { circuit: circuitOf(structure, tensors, where), metadata: own };
}

function namesIn(text: string, where: string): string[] {
  try {
    const names: unknown = JSON.parse(text);
    if (Array.isArray(names) && names.every((name) => typeof name === "string")) return names;
  } catch {
    // Said below.
  }
  throw new CircuitError("circuit-file/damaged", `${where}: the list of its tables in 8 bits is damaged`);
}
