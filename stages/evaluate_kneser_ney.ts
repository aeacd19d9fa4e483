import { z } from "zod";
import { KneserNeyModel } from "../datasets/kneser_ney.ts";
import { Ngrams } from "../datasets/ngrams.ts";
import type { Windows } from "../datasets/text/windows.ts";
import { defineStage, type Stage } from "../runner/stage.ts";
import { languageScore } from "./codecs.ts";
import { type Tokens, tokens, vocabulary, windows } from "./text/codecs.ts";

/** Windows read at a time. */
const TOGETHER = 4096;

/**
 * Perplexity of interpolated modified Kneser-Ney models, which have nothing to choose: their discounts come from the counts.
 * Restarted, they know of each window no more than a circuit over windows does.
 */
export const evaluateKneserNey: Stage<
  z.ZodObject<{
    order: z.ZodInt;
    restart: z.ZodDefault<z.ZodBoolean>;
  }, z.core.$strip>,
  {
    vocabulary: typeof vocabulary;
    train: typeof tokens;
    valid: typeof tokens;
    validWindows: typeof windows;
    test: typeof tokens;
    testWindows: typeof windows;
  },
  { valid: typeof languageScore; test: typeof languageScore }
> = defineStage({
  name: "evaluate.kneser-ney",
  params: z.object({
    /** Longest n-grams. */
    order: z.int().min(1).max(9),
    /** Whether each window is predicted by itself, or with the tokens before it. */
    restart: z.boolean().default(true),
  }),
  inputs: {
    vocabulary,
    train: tokens,
    valid: tokens,
    validWindows: windows,
    test: tokens,
    testWindows: windows,
  },
  outputs: { valid: languageScore, test: languageScore },
  async run({ inputs, params, context }) {
    const { words, end } = inputs.vocabulary;
    const start = end ?? -1;
    const ngrams = new Ngrams(params.order, words.length, start);
    let done = 0;
    for await (const { values } of inputs.train.ids.blocks()) {
      context.signal.throwIfAborted();
      ngrams.add(values);
      context.progress(done += values.length, inputs.train.count, "tokens");
    }
    const model = new KneserNeyModel(ngrams);
    const score = async (text: Tokens, over: Windows) => {
      const { bits, tokens } = params.restart
        ? await bitsOfWindows(model, text, over)
        : await bitsOfText(model, text, start);
      const bitsPerToken = bits / tokens;
      return { perplexity: 2 ** bitsPerToken, bitsPerToken, tokens };
    };
    const valid = await score(inputs.valid, inputs.validWindows);
    const test = await score(inputs.test, inputs.testWindows);
    context.metric("perplexity", test.perplexity);
    return { valid, test };
  },
});

interface Bits {
  readonly bits: number;
  readonly tokens: number;
}

async function bitsOfWindows(model: KneserNeyModel, { ids }: Tokens, over: Windows): Promise<Bits> {
  let bits = 0, tokens = 0;
  for await (const { count, variables, values, observed } of over.blocks(ids, TOGETHER)) {
    for (let from = 0; from < count * variables; from += variables) {
      // What is not observed stands at the end of a window.
      const missing = observed?.indexOf(0, from) ?? -1;
      const to = missing < 0 ? from + variables : Math.min(missing, from + variables);
      bits += model.bits(values.subarray(from, to));
      tokens += to - from;
    }
  }
  return { bits, tokens };
}

async function bitsOfText(model: KneserNeyModel, text: Tokens, start: number): Promise<Bits> {
  let bits = 0;
  let before: ArrayLike<number> = [start];
  for await (const { values } of text.ids.blocks()) {
    bits += model.bits(values, before);
    before = values.slice(-model.order + 1);
  }
  return { bits, tokens: text.count };
}
