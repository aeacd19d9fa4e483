import { defineStage, json } from "retort";
import { images } from "retort/stages/images";
import { z } from "zod";

/** How light pictures are. */
export const light = json("light", z.object({ pictures: z.int(), mean: z.number() }));

/** Mean level of the first channel, from 0 to 1. */
export const measure = defineStage({
  name: "mine.measure",
  inputs: { images },
  outputs: { light },
  run({ inputs }) {
    const { count, pixels, space: { channels, levels } } = inputs.images;
    let total = 0;
    for (let i = 0; i < pixels.length; i += channels) total += pixels[i]! / (levels[0]! - 1);
    return { light: { pictures: count, mean: total * channels / pixels.length } };
  },
});
