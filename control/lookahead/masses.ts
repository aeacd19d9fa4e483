import type { TokenHmm } from "../hmm/token_hmm.ts";
import type { TokenAutomaton } from "../pieces/lift.ts";

/** A way from a state of the automaton to another, by any of several tokens. */
export interface Edge {
  /** The state that it leads to. */
  readonly to: number;
  /** `[hidden states]`: the probability of these tokens in each hidden state, each token times its weight. */
  readonly mass: Float64Array;
}

/** Classes of tokens with a token of positive weight. */
export function usableClasses({ classes, width }: TokenAutomaton, weights?: Float64Array): Uint8Array {
  const usable = new Uint8Array(width);
  classes.forEach((c, token) => {
    if (c >= 0 && (weights === undefined || weights[token]! > 0)) usable[c] = 1;
  });
  return usable;
}

/** The edges of each state. Tokens that lead to the same state are summed once for all steps, rows and states. */
export function edgesOf(
  hmm: TokenHmm,
  automaton: TokenAutomaton,
  weights?: Float64Array,
): readonly (readonly Edge[])[] {
  const { classes, width, states, next } = automaton;
  const masses = Array.from({ length: width }, () => new Float64Array(hmm.states));
  classes.forEach((c, token) => {
    const weight = c < 0 ? 0 : weights?.[token] ?? 1;
    if (weight === 0) return;
    const into = masses[c]!, row = hmm.emission.row(token);
    for (let z = 0; z < into.length; z++) into[z]! += weight * row[z]!;
  });
  const known = new Map<string, Float64Array>();
  return Array.from({ length: states }, (_, state) => {
    const groups = new Map<number, number[]>();
    for (let c = 0; c < width; c++) {
      const to = next[state * width + c]!;
      const group = groups.get(to);
      if (group === undefined) groups.set(to, [c]);
      else group.push(c);
    }
    return [...groups].map(([to, group]) => {
      const key = group.join();
      let mass = known.get(key);
      if (mass === undefined) known.set(key, mass = summed(group.map((c) => masses[c]!)));
      return { to, mass };
    });
  });
}

function summed(rows: readonly Float64Array[]): Float64Array {
  if (rows.length === 1) return rows[0]!;
  const sum = new Float64Array(rows[0]!.length);
  for (const row of rows) for (let z = 0; z < sum.length; z++) sum[z]! += row[z]!;
  return sum;
}
