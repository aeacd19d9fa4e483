import { defineStage, type NoParams, type Stage } from "../../runner/stage.ts";
import { circuit } from "../codecs/circuit.ts";
import { patchCircuits, patchModel } from "./patch_codecs.ts";

/** Assembles circuits of patches and the circuit over their clusters into one model of images. */
export const assembleModel: Stage<
  NoParams,
  { circuits: typeof patchCircuits; top: typeof circuit },
  { model: typeof patchModel }
> = defineStage({
  name: "images.assemble",
  inputs: { circuits: patchCircuits, top: circuit },
  outputs: { model: patchModel },
  run: ({ inputs }) => ({ model: { ...inputs.circuits, top: inputs.top } }),
});
