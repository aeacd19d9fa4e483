import { z } from "zod";
import { RandomStream } from "../../circuits/random.ts";
import { hcltFromSamples } from "../../circuits/structures/hclt.ts";
import { categoricalVariables } from "../../circuits/structures/leaf.ts";
import { defineStage, type Stage } from "../../runner/stage.ts";
import { circuit } from "../codecs/circuit.ts";
import { samples } from "../codecs/samples.ts";

/**
 * A hidden Chow-Liu tree with random parameters. Its structure is learned from the samples or, so that the trees of a
 * mixture differ, from a bootstrap sample of the same size (Breiman, "Bagging predictors", 1996).
 */
export const hiddenTree: Stage<
  z.ZodObject<{
    latents: z.ZodInt;
    bootstrap: z.ZodDefault<z.ZodBoolean>;
    states: z.ZodDefault<z.ZodInt>;
    pseudocount: z.ZodDefault<z.ZodNumber>;
  }, z.core.$strip>,
  { train: typeof samples },
  { circuit: typeof circuit }
> = defineStage({
  name: "density.hidden-tree",
  params: z.object({
    /** Number of states of every hidden variable. */
    latents: z.int().min(1),
    /** Whether the tree is learned from a bootstrap sample. */
    bootstrap: z.boolean().default(false),
    /** Number of states of every observed variable. */
    states: z.int().min(2).default(2),
    /** Pseudocount: virtual samples added to every pair of variables when estimating mutual information. */
    pseudocount: z.number().min(0).default(0.1),
  }),
  inputs: { train: samples },
  outputs: { circuit },
  seeded: true,
  async run({ inputs, params, context }) {
    const train = await inputs.train.all();
    const { latents, states, pseudocount } = params;
    return {
      circuit: hcltFromSamples({ variables: categoricalVariables(train.variables, states), samples: train }, {
        latents,
        pseudocount,
        start: "random",
        seed: context.seed,
        leaf: () => ({ family: states === 2 ? "bernoulli" : "categorical" }),
        ...(params.bootstrap && { sampleWeights: bootstrapWeights(train.count, context.seed) }),
      }),
    };
  },
});

/** Number of times each of `count` samples is drawn in `count` draws with replacement. */
function bootstrapWeights(count: number, seed: number): Float64Array {
  const random = new RandomStream(seed, 0, 0, 0x626f6f74);
  const weights = new Float64Array(count);
  for (let draw = 0; draw < count; draw++) {
    const s = random.integer(count);
    weights[s] = weights[s]! + 1;
  }
  return weights;
}
