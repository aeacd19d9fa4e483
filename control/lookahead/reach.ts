import type { TokenAutomaton } from "../pieces/lift.ts";

/** Which lengths a text may have, in tokens. */
export interface LengthRange {
  /** The fewest tokens. */
  readonly least: number;
  /** The most tokens. */
  readonly most: number;
}

/**
 * `[most + 1, states]`: 1 where a text that has come to a state with so many tokens can still be completed. No
 * probabilities are involved: this is what guarantees the constraint.
 *
 * @param usable `[width]`: 1 for classes with a token that may be drawn
 */
export function reachable(
  { states, width, next, accepting }: TokenAutomaton,
  usable: Uint8Array,
  { least, most }: LengthRange,
): Uint8Array {
  const reach = new Uint8Array((most + 1) * states);
  for (let n = most; n >= 0; n--) {
    for (let state = 0; state < states; state++) {
      let can = n >= least && accepting[state] === 1;
      if (n < most) {
        for (let c = 0; c < width && !can; c++) {
          can = usable[c] === 1 && reach[(n + 1) * states + next[state * width + c]!] === 1;
        }
      }
      if (can) reach[n * states + state] = 1;
    }
  }
  return reach;
}

/** The fewest tokens, `least` or more, that lead from a state to an accepting one; Infinity if none do. */
export function fewestTokens(
  { states, width, next, accepting }: TokenAutomaton,
  usable: Uint8Array,
  start: number,
  least = 0,
): number {
  let at = [start];
  for (let n = 0; n < least; n++) {
    const seen = new Uint8Array(states);
    at = at.flatMap((state) => after(state, seen));
  }
  const seen = new Uint8Array(states);
  for (const state of at) seen[state] = 1;
  for (let n = least; at.length > 0; n++) {
    if (at.some((state) => accepting[state] === 1)) return n;
    // A state that was met before is no nearer now.
    at = at.flatMap((state) => after(state, seen));
  }
  return Infinity;

  /** The states after a token that were not met yet. */
  function after(state: number, seen: Uint8Array): number[] {
    const found: number[] = [];
    for (let c = 0; c < width; c++) {
      const to = next[state * width + c]!;
      if (usable[c] !== 1 || seen[to] === 1) continue;
      seen[to] = 1;
      found.push(to);
    }
    return found;
  }
}
