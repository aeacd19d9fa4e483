import { samples } from "../codecs/samples.ts";
import { defineStage } from "../../runner/stage.ts";
import { tokens, windows } from "./codecs.ts";

/** Windows as samples for circuits: a variable a position, padding not observed. */
export const windowSamples = defineStage({
  name: "text.samples",
  inputs: { tokens, windows },
  outputs: { samples },
  run: async ({ inputs }) => ({
    samples: await inputs.windows.rows(inputs.tokens.ids, 0, inputs.windows.count),
  }),
});
