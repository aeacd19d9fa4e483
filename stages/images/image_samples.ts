import { dimensionsOf, type ImageSet } from "../../datasets/images/image_set.ts";
import type { Codec } from "../../runner/codec.ts";
import { defineStage, type NoParams, type Stage } from "../../runner/stage.ts";
import { type NewSamples, samples, type StoredSamples } from "../codecs/samples.ts";
import { images } from "./codecs.ts";

/** Images as samples of a circuit over their pixels: variable `(row * width + column) * channels + channel`. */
export const imageSamples: Stage<NoParams, {
  images: Codec<ImageSet, ImageSet, "images">;
}, {
  samples: Codec<StoredSamples, NewSamples, "samples">;
}> = defineStage({
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
