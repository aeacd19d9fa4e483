import { assemblePatches } from "../../circuits/structures/patches.ts";
import { defineStage, type NoParams, type Stage } from "../../runner/stage.ts";
import { circuit } from "../codecs/circuit.ts";
import { imageVariables, patchCircuits, patchModel, patchParts } from "./patch_codecs.ts";

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

/** A model of images as one circuit over all pixels, which is asked, saved and exported as any circuit. */
export const wholeCircuit: Stage<NoParams, { model: typeof patchModel }, { circuit: typeof circuit }> =
  defineStage({
    name: "images.whole-circuit",
    inputs: { model: patchModel },
    outputs: { circuit },
    run: ({ inputs: { model } }) => ({
      circuit: assemblePatches(imageVariables(model.space), model.top, patchParts(model)),
    }),
  });
