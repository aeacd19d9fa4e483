import type { Circuit } from "../../circuits/circuit.ts";
import { mixture } from "../../circuits/structures/mixture.ts";
import type { Codec } from "../../runner/codec.ts";
import { defineStage, type Many, many, type NoParams, type Stage } from "../../runner/stage.ts";
import { circuit } from "../codecs/circuit.ts";

/** A uniform mixture of circuits over the same variables. */
export const mixCircuits: Stage<NoParams, {
  circuits: Many<Codec<Circuit, Circuit, "circuit">>;
}, {
  circuit: Codec<Circuit, Circuit, "circuit">;
}> = defineStage({
  name: "density.mix",
  inputs: { circuits: many(circuit) },
  outputs: { circuit },
  run: ({ inputs }) => ({ circuit: mixture(inputs.circuits) }),
});
