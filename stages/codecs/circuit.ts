import { type Circuit, sizeOf } from "../../circuits/circuit.ts";
import { PARAMETERS_FILE, STRUCTURE_FILE } from "../../circuits/disk.ts";
import { decodeCircuit, encodeCircuit } from "../../circuits/encoded.ts";
import { type Codec, defineCodec } from "../../runner/codec.ts";

/**
 * A circuit: `circuit.json` and `parameters.safetensors`, as `saveCircuit` writes them, so that an exported
 * artifact is a folder that `loadCircuit` reads. Checked as a whole when read. Facts: its size.
 */
export const circuit: Codec<Circuit, Circuit, "circuit"> = defineCodec<Circuit, Circuit, "circuit">({
  name: "circuit",
  version: 1,
  async write(value, out) {
    const { structure, parameters } = encodeCircuit(value);
    await out.text(STRUCTURE_FILE, structure);
    await out.bytes(PARAMETERS_FILE, parameters);
    const { nodes, units, edges, parameters: numbers } = sizeOf(value);
    return { variables: value.variables.length, nodes, units, edges, parameters: numbers };
  },
  async read(artifact) {
    const parameters = await artifact.bytes(PARAMETERS_FILE);
    return decodeCircuit(await artifact.text(STRUCTURE_FILE), parameters, "the circuit of the artifact");
  },
});
