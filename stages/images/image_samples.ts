import { dimensionsOf } from "../../datasets/images/image_set.ts";
import { defineStage, type NoParams, type Stage } from "../../runner/stage.ts";
import { samples } from "../codecs/samples.ts";
import { images } from "./codecs.ts";

/** Images as samples of a circuit over their pixels: variable `(row * width + column) * channels + channel`. */
export const imageSamples: Stage<NoParams, { images: typeof images }, { samples: typeof samples }> =
  defineStage({
    name: "images.samples",
    inputs: { images },
    outputs: { samples },
    run: ({ inputs }) => ({
      samples: {
        count: inputs.images.count,
        variables: dimensionsOf(inputs.images.space),
        values: inputs.images.pixels,
      },
    }),
  });
