import type { Evaluator } from "../../circuits/evaluator.ts";
import { conditional } from "../../circuits/queries/conditional.ts";
import type { Samples } from "../../circuits/samples.ts";

/** The most probable way to fill blanks. */
export interface LikeliestFilling {
  /** Values of the blanks, in their order. */
  readonly values: readonly number[];
  /** Its probability given what stands. */
  readonly probability: number;
  /** False where the search was given up: there may be a better one. */
  readonly exact: boolean;
}

/** The first values of some blanks, and the next value that the last of them may have instead. */
interface Prefix {
  readonly values: readonly number[];
  readonly probability: number;
  /** Values of the last blank with the probability of the prefix that ends in each, best first. */
  readonly ranked: readonly (readonly [value: number, probability: number])[];
  readonly rank: number;
}

/**
 * The most probable filling of all blanks at once, latent variables summed out: best-first search from the left. The
 * probability of a prefix bounds that of all that begin so, so the first whole filling that comes up is the best (A* search,
 * Hart, Nilsson and Raphael 1968, with the bound 1 for what is open).
 *
 * @param samples one sample in which the blanks are not observed.
 * @param allowed whether a value may stand at a blank.
 * @param budget prefixes that are looked at; beyond it the best one is filled greedily.
 */
export async function likeliestFilling(
  evaluator: Evaluator,
  samples: Samples,
  blanks: readonly number[],
  allowed: (value: number) => boolean,
  budget = 48,
): Promise<LikeliestFilling | undefined> {
  const rankedAfter = async (values: readonly number[], probability: number) => {
    const given = { ...samples, values: samples.values.slice(), observed: samples.observed!.slice() };
    values.forEach((value, i) => {
      given.values[blanks[i]!] = value;
      given.observed[blanks[i]!] = 1;
    });
    const blank = blanks[values.length]!;
    const distribution = (await conditional(evaluator, given, [blank])).get(blank)!;
    return Array.from(distribution, (p, value) => [value, p * probability] as const)
      .filter(([value, p]) => p > 0 && allowed(value)).sort((a, b) => b[1] - a[1] || a[0] - b[0]);
  };
  const open: Prefix[] = [];
  const push = (before: readonly number[], ranked: Prefix["ranked"], rank: number) => {
    const next = ranked[rank];
    if (next !== undefined) open.push({ values: [...before, next[0]], probability: next[1], ranked, rank });
  };
  push([], await rankedAfter([], 1), 0);
  for (let looked = 1; open.length > 0; looked++) {
    const best = open.reduce((a, b) => b.probability > a.probability ? b : a);
    if (best.values.length === blanks.length) {
      return { values: best.values, probability: best.probability, exact: looked <= budget };
    }
    // Given up: only what goes on from the best prefix is looked at.
    if (looked >= budget) open.length = 0;
    else {
      open.splice(open.indexOf(best), 1);
      push(best.values.slice(0, -1), best.ranked, best.rank + 1);
    }
    push(best.values, await rankedAfter(best.values, best.probability), 0);
  }
  return undefined;
}
