import { z } from "zod";
import { array } from "../../runner/codecs/array.ts";
import type { IntegerType } from "../../runner/codecs/shard_codecs.ts";
import { ShardWriter } from "../../runner/codecs/shard_writer.ts";
import { defineStage, type Stage } from "../../runner/stage.ts";
import { openCausalLm } from "../../teachers/causal_sampling.ts";
import { tokens, vocabulary } from "./codecs.ts";
import { teacher } from "./teachers.ts";

/**
 * Texts drawn from a causal language model, as tokens in its own pieces: a corpus that is the model's distribution itself,
 * from which a hidden Markov model is distilled (GeLaTo). One document a text.
 */
export const drawTexts: Stage<
  z.ZodObject<{
    count: z.ZodDefault<z.ZodInt>;
    length: z.ZodDefault<z.ZodInt>;
    temperature: z.ZodDefault<z.ZodNumber>;
    batch: z.ZodDefault<z.ZodInt>;
  }, z.core.$strip>,
  { teacher: typeof teacher },
  { vocabulary: typeof vocabulary; tokens: typeof tokens }
> = defineStage({
  name: "text.draw",
  params: z.object({
    /** How many texts. */
    count: z.int().min(1).default(10_000),
    /** Pieces of a text at most; it ends earlier after an end piece. */
    length: z.int().min(1).default(32),
    /** What logits are divided by: 1 is the model's own distribution. */
    temperature: z.number().positive().default(1),
    /** Texts that are drawn side by side. */
    batch: z.int().min(1).default(16),
  }),
  inputs: { teacher },
  outputs: { vocabulary, tokens },
  seeded: true,
  engine: "use",
  // A row a text, filled up with -1.
  checkpoint: array("drawn-texts", "i4", 2),
  async run({ inputs, params, context }) {
    const { count, length, temperature, batch } = params;
    context.engine.used("cpu", "ONNX Runtime");
    await using model = await openCausalLm(inputs.teacher);
    if (!model.cached) {
      context.log(
        "the graph gives back no caches that it takes: every piece costs a pass over the whole text",
      );
    }
    const drawn = new Int32Array(count * length).fill(-1);
    const saved = await context.checkpoint.load();
    let done = saved?.shape[0] ?? 0;
    if (saved !== undefined) {
      drawn.set(saved.data);
      context.log(`going on after ${done} texts`);
    }
    while (done < count) {
      context.signal.throwIfAborted();
      const some = Math.min(batch, count - done);
      const texts = await model.draw({ first: done, count: some, length, temperature, seed: context.seed });
      texts.forEach((text, n) => drawn.set(text, (done + n) * length));
      done += some;
      context.progress(done, count, "texts");
      await context.checkpoint.offer(() => ({ data: drawn.slice(0, done * length), shape: [done, length] }));
    }
    const size = model.vocabulary.words.length;
    const type: IntegerType = size <= 1 << 8 ? "u1" : size <= 1 << 16 ? "u2" : "i4";
    const writer = new ShardWriter({ folder: await context.scratch(), type, width: 1 });
    const starts = new Float64Array(count + 1);
    for (let n = 0; n < count; n++) {
      const row = drawn.subarray(n * length, (n + 1) * length), end = row.indexOf(-1);
      await writer.append(end < 0 ? row : row.subarray(0, end));
      starts[n + 1] = writer.rows;
    }
    context.metric("tokens", writer.rows);
    return {
      vocabulary: model.vocabulary,
      tokens: { ids: await writer.finish(), starts },
    };
  },
});
