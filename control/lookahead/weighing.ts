import type { Emissions, Reals } from "../hmm/token_hmm.ts";

/** Two weights of each state, and where the sums go: at the place of each token in the list. */
export interface Weighing {
  /** `[states]`. */
  readonly first: Float64Array;
  /** `[states]`. */
  readonly second: Float64Array;
  /** Sums of the emissions of each token times `first`. */
  readonly alone: Float64Array;
  /** Sums of the emissions of each token times `second`. */
  readonly joint: Float64Array;
}

/**
 * Weighs the emissions of those tokens of a list that stand at some places. Nearly all the time of a step is spent here, so
 * that the loops stand for themselves: where they become a part of a larger function, engines of JavaScript make of them code
 * that takes three times as long.
 */
export function weigh(
  { table, row }: Emissions,
  tokens: readonly number[],
  places: readonly number[],
  weighing: Weighing,
): void {
  const { first, second, alone, joint } = weighing, states = first.length;
  let i = 0;
  if (table !== undefined) {
    for (; i + 4 <= places.length; i += 4) {
      const a = places[i]!, b = places[i + 1]!, c = places[i + 2]!, d = places[i + 3]!;
      weighFour(
        table,
        tokens[a]! * states,
        tokens[b]! * states,
        tokens[c]! * states,
        tokens[d]! * states,
        weighing,
      );
      alone[a] = sums[0]!;
      alone[b] = sums[1]!;
      alone[c] = sums[2]!;
      alone[d] = sums[3]!;
      joint[a] = sums[4]!;
      joint[b] = sums[5]!;
      joint[c] = sums[6]!;
      joint[d] = sums[7]!;
    }
  }
  for (; i < places.length; i++) {
    const place = places[i]!;
    weighOne(row(tokens[place]!), first, second);
    alone[place] = sums[0]!;
    joint[place] = sums[1]!;
  }
}

/** What was summed last. */
const sums = new Float64Array(8);

/** Four rows side by side: the weights are read once for all of them. */
function weighFour(
  table: Reals,
  p: number,
  q: number,
  r: number,
  s: number,
  { first, second }: Weighing,
): void {
  let a = 0, b = 0, c = 0, d = 0, e = 0, f = 0, g = 0, h = 0;
  for (let z = 0; z < first.length; z++) {
    const x = first[z]!, y = second[z]!;
    const k = table[p + z]!, l = table[q + z]!, m = table[r + z]!, n = table[s + z]!;
    a += k * x;
    b += l * x;
    c += m * x;
    d += n * x;
    e += k * y;
    f += l * y;
    g += m * y;
    h += n * y;
  }
  sums[0] = a;
  sums[1] = b;
  sums[2] = c;
  sums[3] = d;
  sums[4] = e;
  sums[5] = f;
  sums[6] = g;
  sums[7] = h;
}

function weighOne(row: Reals, first: Float64Array, second: Float64Array): void {
  let a = 0, b = 0;
  for (let z = 0; z < first.length; z++) {
    a += row[z]! * first[z]!;
    b += row[z]! * second[z]!;
  }
  sums[0] = a;
  sums[1] = b;
}
