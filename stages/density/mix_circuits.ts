import { mixture } from "../../circuits/structures/mixture.ts";
import { defineStage, type Many, many, type NoParams, type Stage } from "../../runner/stage.ts";
import { circuit } from "../codecs/circuit.ts";

/** A uniform mixture of circuits over the same variables. */
export const mixCircuits: Stage<NoParams, { circuits: Many<typeof circuit> }, { circuit: typeof circuit }> =
  defineStage({
    name: "density.mix",
    inputs: { circuits: many(circuit) },
    outputs: { circuit },
    run: ({ inputs }) => ({ circuit: mixture(inputs.circuits) }),
  });
