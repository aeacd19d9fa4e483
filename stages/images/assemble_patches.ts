import type { Codec } from "../../runner/codec.ts";
import type { Circuit } from "../../circuits/circuit.ts";
import { defineStage, type NoParams, type Stage } from "../../runner/stage.ts";
import { circuit } from "../codecs/circuit.ts";
import { type PatchCircuits, patchCircuits, type PatchModel, patchModel } from "./patch_codecs.ts";

/** Assembles circuits of patches and the circuit over their clusters into one model of images. */
export const assembleModel: Stage<NoParams, {
  circuits: Codec<PatchCircuits, PatchCircuits, "patch-circuits">;
  top: Codec<Circuit, Circuit, "circuit">;
}, {
  model: Codec<PatchModel, PatchModel, "patch-model">;
}> = defineStage({
  name: "images.assemble",
  inputs: { circuits: patchCircuits, top: circuit },
  outputs: { model: patchModel },
  run: ({ inputs }) => ({ model: { ...inputs.circuits, top: inputs.top } }),
});
