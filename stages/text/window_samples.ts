import { samples } from "../codecs/samples.ts";
import { defineStage, type NoParams, type Stage } from "../../runner/stage.ts";
import { tokens, windows } from "./codecs.ts";
import { notesOf } from "./frame_notes.ts";

/** Windows as samples for circuits: a variable a position, padding not observed; their notes say how texts lie in them. */
export const windowSamples: Stage<
  NoParams,
  { tokens: typeof tokens; windows: typeof windows },
  { samples: typeof samples }
> = defineStage({
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
