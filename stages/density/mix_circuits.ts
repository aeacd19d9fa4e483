import { mixture } from "../../circuits/structures/mixture.ts";
import { defineStage, many } from "../../runner/stage.ts";
import { circuit } from "../codecs/circuit.ts";

/** A uniform mixture of circuits over the same variables. */
export const mixCircuits = defineStage({
  name: "density.mix",
  inputs: { circuits: many(circuit) },
  outputs: { circuit },
  run: ({ inputs }) => ({ circuit: mixture(inputs.circuits) }),
});
