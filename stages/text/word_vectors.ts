import { z } from "zod";
import { matrixShards } from "../../runner/codecs/shard_codecs.ts";
import { ShardWriter } from "../../runner/codecs/shard_writer.ts";
import { defineStage, type Stage } from "../../runner/stage.ts";
import { WordVectors } from "../../teachers/word_vectors.ts";
import { tokens, vocabulary } from "./codecs.ts";

/** Static vectors of tokens, learned from the corpus itself: `[tokens, width]`, row = token id. */
export const wordVectors: Stage<
  z.ZodObject<{
    width: z.ZodDefault<z.ZodInt>;
    reach: z.ZodDefault<z.ZodInt>;
    contexts: z.ZodDefault<z.ZodInt>;
    method: z.ZodDefault<
      z.ZodEnum<{
        random: "random";
        ppmi: "ppmi";
      }>
    >;
  }, z.core.$strip>,
  { tokens: typeof tokens; vocabulary: typeof vocabulary },
  { words: typeof matrixShards }
> = defineStage({
  name: "word.vectors",
  params: z.object({
    /** Numbers in a vector. */
    width: z.int().min(1).default(64),
    /** Tokens on each side that count as a token's context. */
    reach: z.int().min(1).default(4),
    /** Number of contexts to count: the most frequent tokens. */
    contexts: z.int().min(1).default(2000),
    /** `ppmi`: leading singular vectors of the positive pointwise mutual information; `random`: a random projection of it. */
    method: z.enum(["ppmi", "random"]).default("ppmi"),
  }),
  inputs: { tokens, vocabulary },
  outputs: { words: matrixShards },
  seeded: true,
  async run({ inputs, params, context }) {
    const { ids, count } = inputs.tokens;
    const occurrences = new Float64Array(inputs.vocabulary.words.length);
    for await (const { values } of ids.blocks()) for (const id of values) occurrences[id]! += 1;
    const vectors = new WordVectors(occurrences, { ...params, seed: context.seed });
    for await (const { first, values } of ids.blocks({ rows: 1 << 16 })) {
      context.signal.throwIfAborted();
      vectors.add(values);
      context.progress(first, count, "tokens");
    }
    const writer = new ShardWriter({ folder: await context.scratch(), type: "f4", width: params.width });
    await writer.append(await vectors.vectors());
    return { words: await writer.finish() };
  },
});
