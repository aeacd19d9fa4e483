import { z } from "zod";
import { takeSamples } from "../../circuits/samples.ts";
import { hcltFromSamples } from "../../circuits/structures/hclt.ts";
import { dimensionsOf } from "../../datasets/images/image_set.ts";
import { defineStage, type Stage } from "../../runner/stage.ts";
import { chooseSome } from "../choose_some.ts";
import { circuit } from "../codecs/circuit.ts";
import { images } from "./codecs.ts";
import { imageVariables } from "./patch_codecs.ts";

/** Parameters of hidden Chow-Liu trees over pixels. */
export const treeParams: {
  /** Number of states of every hidden variable. */
  latents: z.ZodInt;
  /** Leaf distribution: categorical over the levels, or discretised logistic with two parameters. */
  leaf: z.ZodDefault<
    z.ZodEnum<{
      categorical: "categorical";
      logistic: "logistic";
    }>
  >;
  /** Maximum number of samples used to learn the tree structure. */
  treeSamples: z.ZodDefault<z.ZodInt>;
  /** Number of bins that levels are grouped into when estimating mutual information. */
  bins: z.ZodDefault<z.ZodInt>;
} = {
  /** Number of states of every hidden variable. */
  latents: z.int().min(1),
  /** Leaf distribution: categorical over the levels, or discretised logistic with two parameters. */
  leaf: z.enum(["categorical", "logistic"]).default("categorical"),
  /** Maximum number of samples used to learn the tree structure. */
  treeSamples: z.int().min(1).default(10_000),
  /** Number of bins that levels are grouped into when estimating mutual information. */
  bins: z.int().min(2).default(16),
};

/** A hidden Chow-Liu tree over all pixels, with its structure learned from images and random parameters. */
export const pixelTree: Stage<
  z.ZodObject<{
    latents: z.ZodInt;
    leaf: z.ZodDefault<
      z.ZodEnum<{
        categorical: "categorical";
        logistic: "logistic";
      }>
    >;
    treeSamples: z.ZodDefault<z.ZodInt>;
    bins: z.ZodDefault<z.ZodInt>;
  }, z.core.$strip>,
  { images: typeof images },
  { circuit: typeof circuit }
> = defineStage({
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
      circuit: hcltFromSamples({ variables: imageVariables(space), samples: takeSamples(all, chosen) }, {
        latents: params.latents,
        seed: context.seed,
        bins: params.bins,
        start: "random",
        leaf: () => ({ family: params.leaf }),
      }),
    };
  },
});
