import { stateAfterToken, type TokenHmm } from "./hmm/token_hmm.ts";
import { refuseArgument, requireHmm, requireIds, requireInteger, requireLanguageModel } from "./guards.ts";
import { type DrawnFrom, logProbabilityOf } from "./draw.ts";

/**
 * Natural logarithm of the probability of each text under a language model; ends count where texts hold them.
 *
 * @param batch texts that are read side by side
 * @throws {CallError} for anything but a language model and lists of its tokens
 */
export async function languageModelScores(
  model: DrawnFrom,
  texts: readonly ArrayLike<number>[],
  batch = 32,
): Promise<Float64Array> {
  requireLanguageModel(model);
  requireInteger("the number of texts side by side", batch, 1);
  if (!Array.isArray(texts)) refuseArgument("the texts", texts, "a list of lists of tokens");
  texts.forEach((text, n) => requireIds(`text ${n}`, text, model.vocabulary.words.length));
  const scores = new Float64Array(texts.length);
  for (let from = 0; from < texts.length; from += batch) {
    const some = texts.slice(from, from + batch);
    const longest = some.reduce((most, text) => Math.max(most, text.length), 0);
    const reading = model.begin(some.length);
    for (let t = 0; t < longest; t++) {
      const logits = await reading.read(some.map((text) => t === 0 ? [] : [text[t - 1] ?? model.padding]));
      some.forEach((text, n) => {
        if (t < text.length) scores[from + n]! += logProbabilityOf(logits[n]!, text[t]!);
      });
    }
  }
  return scores;
}

/**
 * Natural logarithm of the probability of a text under a hidden Markov model: of its tokens, whatever follows.
 *
 * @throws {CallError} for anything but a model and a list of its tokens
 */
export function hmmScore(hmm: TokenHmm, tokens: ArrayLike<number>): number {
  requireHmm(hmm);
  requireIds("the tokens", tokens, hmm.tokens);
  let hidden: ArrayLike<number> = hmm.initial, score = 0;
  for (let t = 0; t < tokens.length; t++) {
    const row = hmm.emission.row(tokens[t]!);
    let sum = 0;
    for (let z = 0; z < hmm.states; z++) sum += hidden[z]! * row[z]!;
    score += Math.log(sum);
    if (sum === 0) return -Infinity;
    hidden = stateAfterToken(hmm, hidden as Float64Array, tokens[t]!);
  }
  return score;
}
