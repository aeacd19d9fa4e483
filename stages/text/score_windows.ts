import { ScoreSum } from "../../circuits/learning/score.ts";
import { ascending, batchCount, batchOf, readBatch } from "../../circuits/learning/source.ts";
import type { Learner } from "../../circuits/learner.ts";
import { observedAt, type WindowSource } from "./window_source.ts";

/** Scores how well a circuit predicts the tokens of windows, each on its own. */
export interface WindowScore {
  /** Perplexity of a token; null: infinite, because a window is impossible. */
  readonly perplexity: number | null;
  /** Bits of a token; null: infinite. */
  readonly bitsPerToken: number | null;
  /** Tokens that were predicted. */
  readonly tokens: number;
}

/** Scores windows in batches and calls `step` after each with the numbers of windows done and in total. */
export async function scoreWindows(
  learner: Learner,
  windows: WindowSource,
  batchSize: number,
  step: (done: number, total: number) => void = () => {},
): Promise<WindowScore> {
  const sum = new ScoreSum(), order = ascending(windows.count);
  let tokens = 0;
  const batches = batchCount(windows.count, batchSize);
  for (let b = 0; b < batches; b++) {
    const { samples } = await readBatch(windows, batchOf(order, b, batchSize));
    sum.add(await learner.logLikelihoods(samples));
    tokens += observedAt(samples);
    step(b + 1, batches);
  }
  if (sum.impossible > 0) return { perplexity: null, bitsPerToken: null, tokens };
  const bitsPerToken = -sum.total / tokens / Math.LN2;
  return { perplexity: 2 ** bitsPerToken, bitsPerToken, tokens };
}
