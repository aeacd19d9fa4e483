import { z } from "zod";
import type { Circuit } from "../../circuits/circuit.ts";
import { KneserNeyModel } from "../../datasets/kneser_ney.ts";
import { Ngrams } from "../../datasets/ngrams.ts";
import type { Vocabulary } from "../../datasets/text/vocabulary.ts";
import type { Windows } from "../../datasets/text/windows.ts";
import type { Codec } from "../../runner/codec.ts";
import { json } from "../../runner/codecs/json.ts";
import { defineStage, type Stage } from "../../runner/stage.ts";
import { languageScore } from "../codecs.ts";
import { circuit } from "../codecs/circuit.ts";
import { type NewTokens, type Tokens, tokens, vocabulary, windows } from "./codecs.ts";
import { HiddenSteps } from "./hidden_steps.ts";
import { SwitchingModel, type SwitchingReading, type SwitchingWeights } from "./switching.ts";

/** Windows read at a time. */
const TOGETHER = 1024;

/** Weights of a switching model. */
export const switchingWeights: Codec<
  { first: number; enter: number[]; leave: number[][] },
  { first: number; enter: number[]; leave: number[][] },
  "switching-weights"
> = json(
  "switching-weights",
  z.object({ first: z.number(), enter: z.array(z.number()), leave: z.array(z.array(z.number())) }),
  1,
);

/**
 * Perplexity of a hidden Markov model that goes on, where that is likelier, in the n-grams of the training text, each window by itself: one
 * exact model, see `SwitchingModel`. When it switches is learned by EM from the validation text, some forty numbers.
 */
export const evaluateSwitching: Stage<
  z.ZodObject<{
    order: z.ZodDefault<z.ZodInt>;
    iterations: z.ZodDefault<z.ZodInt>;
  }, z.core.$strip>,
  {
    circuit: Codec<Circuit, Circuit, "circuit">;
    vocabulary: Codec<Vocabulary, Vocabulary, "vocabulary">;
    train: Codec<Tokens, NewTokens, "tokens">;
    valid: Codec<Tokens, NewTokens, "tokens">;
    validWindows: Codec<Windows, Windows, "windows">;
    test: Codec<Tokens, NewTokens, "tokens">;
    testWindows: Codec<Windows, Windows, "windows">;
  },
  {
    valid: typeof languageScore;
    test: typeof languageScore;
    weights: typeof switchingWeights;
  }
> = defineStage({
  name: "evaluate.switching",
  params: z.object({
    /** Longest n-grams. */
    order: z.int().min(2).max(9).default(5),
    /** Most steps of EM for the weights. */
    iterations: z.int().min(1).default(12),
  }),
  inputs: {
    circuit,
    vocabulary,
    train: tokens,
    valid: tokens,
    validWindows: windows,
    test: tokens,
    testWindows: windows,
  },
  outputs: { valid: languageScore, test: languageScore, weights: switchingWeights },
  async run({ inputs, params, context }) {
    const { words, end } = inputs.vocabulary;
    const ngrams = new Ngrams(params.order, words.length, end ?? -1);
    let done = 0;
    for await (const { values } of inputs.train.ids.blocks()) {
      context.signal.throwIfAborted();
      ngrams.add(values);
      context.progress(done += values.length, inputs.train.count, "tokens");
    }
    const model = new SwitchingModel(new HiddenSteps(inputs.circuit), new KneserNeyModel(ngrams));
    const valid = await readingsOf(model, inputs.valid, inputs.validWindows);
    let weights = model.start(), score = scoreOf(model, valid, weights);
    for (let i = 0; i < params.iterations; i++) {
      context.signal.throwIfAborted();
      context.progress(i, params.iterations, "steps of EM");
      weights = model.improved(valid, weights);
      const before = score;
      score = scoreOf(model, valid, weights);
      if (score.perplexity !== null) context.metric("valid perplexity", score.perplexity, i + 1);
      // Less than a thousandth of the perplexity is not worth a step.
      if ((before.bitsPerToken ?? Infinity) - (score.bitsPerToken ?? Infinity) < 1e-3) break;
    }
    const test = scoreOf(model, await readingsOf(model, inputs.test, inputs.testWindows), weights);
    if (test.perplexity !== null) context.metric("perplexity", test.perplexity);
    const { first, enter, leave } = weights;
    return {
      valid: score,
      test,
      weights: { first, enter: [...enter], leave: leave.map((list) => [...list]) },
    };
  },
});

async function readingsOf(
  model: SwitchingModel,
  { ids }: Tokens,
  over: Windows,
): Promise<SwitchingReading[]> {
  const readings: SwitchingReading[] = [];
  for await (const { count, variables, values, observed } of over.blocks(ids, TOGETHER)) {
    for (let from = 0; from < count * variables; from += variables) {
      // What is not observed stands at the end of a window.
      const missing = observed?.indexOf(0, from) ?? -1;
      const to = missing < 0 ? from + variables : Math.min(missing, from + variables);
      if (to > from) readings.push(model.read(values.slice(from, to)));
    }
  }
  return readings;
}

function scoreOf(model: SwitchingModel, readings: readonly SwitchingReading[], weights: SwitchingWeights) {
  let log = 0, tokens = 0;
  for (const reading of readings) {
    log += model.logLikelihood(reading, weights);
    tokens += reading.tokens.length;
  }
  const bitsPerToken = -log / tokens / Math.LN2;
  const finite = Number.isFinite(bitsPerToken);
  return {
    perplexity: finite ? 2 ** bitsPerToken : null,
    bitsPerToken: finite ? bitsPerToken : null,
    tokens,
  };
}
