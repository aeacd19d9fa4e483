import { samples } from "../codecs/samples.ts";
import { defineStage } from "../../runner/stage.ts";
import { tokens, windows } from "./codecs.ts";
import { notesOf } from "./frame.ts";

/** Windows as samples for circuits: a variable a position, padding not observed; their notes say how texts lie in them. */
export const windowSamples = defineStage({
  name: "text.samples",
  inputs: { tokens, windows },
  outputs: { samples },
  run: async ({ inputs }) => ({
    samples: {
      ...await inputs.windows.rows(inputs.tokens.ids, 0, inputs.windows.count),
      notes: notesOf(inputs.windows.frame),
    },
  }),
});
