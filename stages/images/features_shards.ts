import type { z } from "zod";
import type { matrixShards } from "../../runner/codecs/shard_codecs.ts";
import { shardProgress } from "../../runner/codecs/shard_progress.ts";
import { defineStage, type NodeOptions, type Ref, type Stage, type Wire } from "../../runner/stage.ts";
import { eachPart, joinMatrix, partOutputs, partParams } from "../join_shards.ts";
import { featureInputs, featureParams, featuresOf } from "./autoencoder_features.ts";

/** Parameters of features of a shard of the images. */
export const featureShardParams: z.ZodObject<
  typeof featureParams.shape & typeof partParams,
  z.core.$strip
> = featureParams.extend(partParams);

/** Features of the patches of a shard of the images: rows of what `autoencoderPatchFeatures` makes. */
export const autoencoderFeaturesShard: Stage<
  typeof featureShardParams,
  typeof featureInputs,
  typeof partOutputs
> = defineStage({
  name: "images.autoencoder-features-shard",
  params: featureShardParams,
  inputs: featureInputs,
  outputs: partOutputs,
  engine: "use",
  checkpoint: shardProgress,
  run: async ({ inputs, params, context }) => ({ part: await featuresOf(inputs, params, context, params) }),
});

/**
 * Features of patches in shards: each shard of the images is a node of its own, so that whatever executes nodes embeds images on many
 * machines. The bytes are those of `autoencoderPatchFeatures`, whoever does what. The shards' own features are temporary outputs.
 *
 * Called while a pipeline is built.
 *
 * @param params those of `autoencoderPatchFeatures`, and the number of `shards`
 * @param node its name begins those of the shards; all of it is for the last node, which joins them
 * @throws CallError for a number of shards that is none
 */
export function featuresInShards(
  inputs: { readonly [K in keyof typeof featureInputs]: Wire<typeof featureInputs[K]> },
  params: z.input<typeof featureParams> & { readonly shards: number },
  node: NodeOptions = {},
): { readonly features: Ref<typeof matrixShards> } {
  const { shards, ...rest } = params;
  const { name = "images.autoencoder-features" } = node;
  const parts = eachPart(shards, "features in shards").map((part) =>
    autoencoderFeaturesShard(inputs, { ...rest, ...part }, { name: `${name}.shard-${part.shard}` }).part
  );
  return { features: joinMatrix({ parts }, {}, { ...node, name }).matrix };
}
