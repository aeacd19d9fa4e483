import type { z } from "zod";
import type { matrixShards } from "../../runner/codecs/shard_codecs.ts";
import { shardProgress } from "../../runner/codecs/shard_progress.ts";
import { defineStage, type NodeOptions, type Ref, type Stage, type Wire } from "../../runner/stage.ts";
import { eachPart, joinMatrix, partOutputs, partParams } from "../join_shards.ts";
import { suffixesOf, suffixInputs, suffixParams } from "./embed.ts";

/** Parameters of vectors of the suffixes of a shard. */
export const suffixShardParams: z.ZodObject<
  typeof suffixParams.shape & typeof partParams,
  z.core.$strip
> = suffixParams.extend(partParams);

/** Vectors of the suffixes of a shard of the windows: rows of what `embedSuffixes` makes. */
export const embedSuffixesShard: Stage<typeof suffixShardParams, typeof suffixInputs, typeof partOutputs> =
  defineStage({
    name: "embed.suffixes-shard",
    params: suffixShardParams,
    inputs: suffixInputs,
    outputs: partOutputs,
    engine: "use",
    checkpoint: shardProgress,
    run: async ({ inputs, params, context }) => ({
      part: await suffixesOf(inputs, params, context, params),
    }),
  });

/**
 * Vectors of the suffixes of windows in shards: each shard of the windows is a node of its own, so that whatever executes nodes embeds a
 * text on many machines. The bytes are those of `embedSuffixes`, whoever does what. The shards' own vectors are temporary outputs.
 *
 * Called while a pipeline is built.
 *
 * @param params those of `embedSuffixes`, and the number of `shards`
 * @param node its name begins those of the shards; all of it is for the last node, which joins them
 * @throws CallError for a number of shards that is none
 */
export function embedInShards(
  inputs: { readonly [K in keyof typeof suffixInputs]: Wire<typeof suffixInputs[K]> },
  params: z.input<typeof suffixParams> & { readonly shards: number },
  node: NodeOptions = {},
): { readonly vectors: Ref<typeof matrixShards> } {
  const { shards, ...rest } = params;
  const { name = "embed.suffixes" } = node;
  const parts = eachPart(shards, "an embedding in shards").map((part) =>
    embedSuffixesShard(inputs, { ...rest, ...part }, { name: `${name}.shard-${part.shard}` }).part
  );
  return { vectors: joinMatrix({ parts }, {}, { ...node, name }).matrix };
}
