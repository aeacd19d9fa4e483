import { z } from "zod";
import { withParameters } from "../../circuits/parameters.ts";
import { maximumSpanningTree, mutualInformation } from "../../circuits/structures/chow_liu.ts";
import { clusterTree, countClusters } from "../../circuits/structures/patches.ts";
import { defineStage, type Stage } from "../../runner/stage.ts";
import { circuit } from "../codecs/circuit.ts";
import { patchClusters } from "./patch_codecs.ts";

/**
 * The circuit over patches: the Chow-Liu tree of the clusters (mutual information with a pseudocount of 0.1), with
 * parameters counted from the assignments or, for comparison, random.
 */
export const patchTree: Stage<
  z.ZodObject<{
    latents: z.ZodOptional<z.ZodInt>;
    start: z.ZodDefault<
      z.ZodEnum<{
        random: "random";
        counted: "counted";
      }>
    >;
    pseudocount: z.ZodDefault<z.ZodNumber>;
    spread: z.ZodDefault<z.ZodNumber>;
  }, z.core.$strip>,
  { clusters: typeof patchClusters },
  { circuit: typeof circuit }
> = defineStage({
  name: "images.patch-tree",
  params: z.object({
    /** Number of states of each patch's hidden variable; the clusters themselves if omitted. */
    latents: z.int().min(1).optional(),
    /** How parameters are initialised. */
    start: z.enum(["counted", "random"]).default("counted"),
    /** Pseudocount: virtual images added to every row of counts. */
    pseudocount: z.number().min(0).default(0.1),
    /** Probability that a hidden state emits a cluster other than its own. */
    spread: z.number().min(0).max(1).default(0.05),
  }),
  inputs: { clusters: patchClusters },
  outputs: { circuit },
  seeded: true,
  run({ inputs, params, context }) {
    const { clusters, patches, assignments } = inputs.clusters;
    const names = Array.from({ length: patches }, (_, p) => `patch ${p}`);
    const information = mutualInformation(
      names.map((name) => ({ kind: "categorical", name, states: clusters })),
      { count: assignments.length / patches, variables: patches, values: assignments },
      { pseudocount: 0.1, bins: clusters },
    );
    const tree = maximumSpanningTree(information, patches);
    const options = {
      clusters,
      seed: context.seed,
      ...(params.latents !== undefined && { latents: params.latents }),
    };
    const top = clusterTree(names, tree, options);
    if (params.start === "random") return { circuit: top };
    const { pseudocount, spread } = params;
    return {
      circuit: withParameters(top, countClusters(tree, assignments, { ...options, pseudocount, spread })),
    };
  },
});
