import { type DrawnFrom, type HmmNumbers } from "../../control/mod.ts";
import type { Vocabulary } from "../../datasets/text/vocabulary.ts";

/** The distribution of the hidden state after one more token. */
function moved({ transition, emission }: HmmNumbers, ahead: readonly number[], token: number): number[] {
  const states = ahead.length, width = emission.length / states;
  const seen = ahead.map((x, z) => x * emission[z * width + token]!);
  const total = seen.reduce((a, b) => a + b, 0);
  return ahead.map((_, to) =>
    // What has no probability moves the state as if it had not been read.
    seen.reduce((sum, x, z) => sum + (total > 0 ? x / total : ahead[z]!) * transition[z * states + to]!, 0)
  );
}

function tokensAfter({ emission }: HmmNumbers, ahead: readonly number[]): Float64Array {
  const width = emission.length / ahead.length;
  return Float64Array.from(
    { length: width },
    (_, token) => ahead.reduce((sum, x, z) => sum + x * emission[z * width + token]!, 0),
  );
}

/** The distribution of the next token after tokens, by an HMM itself. */
export function nextTokens(hmm: HmmNumbers, tokens: readonly number[]): Float64Array {
  return tokensAfter(hmm, tokens.reduce((ahead, token) => moved(hmm, ahead, token), Array.from(hmm.initial)));
}

/** A language model that is an HMM: its logits are those of the model itself. */
export function languageModelOf(hmm: HmmNumbers, vocabulary: Vocabulary): DrawnFrom {
  return {
    vocabulary,
    longest: 1000,
    padding: 0,
    begin(count) {
      let texts = Array.from({ length: count }, () => Array.from(hmm.initial));
      return {
        read(pieces) {
          texts = texts.map((ahead, n) => pieces[n]!.reduce((own, token) => moved(hmm, own, token), ahead));
          return Promise.resolve(texts.map((ahead) => Float32Array.from(tokensAfter(hmm, ahead), Math.log)));
        },
        keep(rows) {
          texts = rows.map((row) => texts[row]!);
        },
      };
    },
  };
}

/** Chi-square of counts against expected shares, cells of fewer than 5 expected joined, with its degrees of freedom. */
export function chiSquare(
  counts: ReadonlyMap<string, number>,
  shares: ReadonlyMap<string, number>,
): { statistic: number; degrees: number } {
  const draws = [...counts.values()].reduce((a, b) => a + b, 0);
  const total = [...shares.values()].reduce((a, b) => a + b, 0);
  let statistic = 0, cells = 0, restExpected = 0, restCount = 0;
  for (const [key, share] of shares) {
    const expected = draws * share / total, count = counts.get(key) ?? 0;
    if (expected < 5) {
      restExpected += expected;
      restCount += count;
    } else {
      statistic += (count - expected) ** 2 / expected;
      cells++;
    }
  }
  if (restExpected > 0) {
    statistic += (restCount - restExpected) ** 2 / restExpected;
    cells++;
  }
  return { statistic, degrees: cells - 1 };
}
