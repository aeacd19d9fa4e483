import type { Vocabulary } from "../../datasets/text/vocabulary.ts";
import { RetortError } from "../../foundation/errors.ts";
import type { DrawnFrom } from "../draw.ts";
import { requireHmm, requireVocabulary } from "../guards.ts";
import { stateAfterToken, type TokenHmm } from "./token_hmm.ts";

/**
 * A hidden Markov model as a language model of its own, for `plan.draw`: then texts have exactly the distribution of the model
 * under the constraint. It reads texts of any length.
 *
 * @throws {RetortError} when the vocabulary has another number of tokens
 */
export function languageModelOfHmm(hmm: TokenHmm, vocabulary: Vocabulary): DrawnFrom {
  requireHmm(hmm);
  requireVocabulary(vocabulary);
  if (hmm.tokens !== vocabulary.words.length) {
    throw new RetortError(
      "control/vocabulary",
      `the HMM has ${hmm.tokens} tokens, the vocabulary ${vocabulary.words.length}`,
      { hint: "Take the vocabulary that the HMM was learned over." },
    );
  }
  return {
    vocabulary,
    longest: Infinity,
    padding: 0,
    begin(count) {
      let texts = Array.from({ length: count }, () => Float64Array.from(hmm.initial));
      return {
        read(pieces) {
          texts = texts.map((hidden, n) =>
            pieces[n]!.reduce((before, token) => after(hmm, before, token), hidden)
          );
          return Promise.resolve(texts.map((hidden) => logitsOf(hmm, hidden)));
        },
        keep(rows) {
          texts = rows.map((row) => texts[row]!);
        },
      };
    },
  };
}

/** What the model rules out, such as padding, leaves the state as it is. */
function after(hmm: TokenHmm, before: Float64Array<ArrayBuffer>, token: number): Float64Array<ArrayBuffer> {
  const found = stateAfterToken(hmm, before, token);
  return found.some((x) => x > 0) ? found as Float64Array<ArrayBuffer> : before;
}

/** `[tokens]`: logarithms of the probabilities of the next token. */
function logitsOf(hmm: TokenHmm, hidden: ArrayLike<number>): Float32Array {
  return Float32Array.from({ length: hmm.tokens }, (_, token) => {
    const row = hmm.emission.row(token);
    let sum = 0;
    for (let z = 0; z < hmm.states; z++) sum += hidden[z]! * row[z]!;
    return Math.log(sum);
  });
}
