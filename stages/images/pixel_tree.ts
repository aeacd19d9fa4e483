import { z } from "zod";
import { takeSamples } from "../../circuits/samples.ts";
import { hcltFromSamples } from "../../circuits/structures/hclt.ts";
import { dimensionsOf } from "../../datasets/images/image_set.ts";
import { RandomStream } from "../../circuits/random.ts";
import { defineStage } from "../../runner/stage.ts";
import { circuit } from "../codecs/circuit.ts";
import { images } from "./codecs.ts";
import { imageVariables } from "./patch_codecs.ts";

/** Parameters of hidden Chow-Liu trees over pixels. */
export const treeParams = {
  /** States of every hidden variable. */
  latents: z.int().min(1),
  /** Leaves: any distribution over the levels, or discretised logistic ones of two parameters. */
  leaf: z.enum(["categorical", "logistic"]).default("categorical"),
  /** Most samples that the tree is learned from. */
  treeSamples: z.int().min(1).default(10_000),
  /** Number of bins for the levels when mutual information is estimated. */
  bins: z.int().min(2).default(16),
};

/** A hidden Chow-Liu tree over all pixels, its tree learned from images, its parameters random. */
export const pixelTree = defineStage({
  name: "images.pixel-tree",
  params: z.object(treeParams),
  inputs: { images },
  outputs: { circuit },
  seeded: true,
  run({ inputs, params, context }) {
    const { space, count, pixels } = inputs.images;
    const all = { count, variables: dimensionsOf(space), values: pixels };
    const chosen = chooseSome(count, params.treeSamples, context.seed);
    return {
      circuit: hcltFromSamples(imageVariables(space), takeSamples(all, chosen), {
        latents: params.latents,
        seed: context.seed,
        bins: params.bins,
        start: "random",
        leaf: () => ({ family: params.leaf }),
      }),
    };
  },
});

/** At most `most` of the numbers below `count`, chosen at random, in order. */
export function chooseSome(count: number, most: number, seed: number): Uint32Array {
  if (count <= most) return Uint32Array.from({ length: count }, (_, i) => i);
  return Uint32Array.from(new RandomStream(seed, 0, 0, 0x74726565).permutation(count).slice(0, most)).sort();
}
