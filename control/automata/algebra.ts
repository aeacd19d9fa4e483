import { Allowance, AUTOMATON_STATES, SHORTER } from "./allowance.ts";
import { type Automaton, commonClasses, explore, minimised } from "./automaton.ts";

/** An automaton of one state. */
function constant(accepting: boolean): Automaton {
  return {
    states: 1,
    classes: new Uint8Array(256),
    width: 1,
    next: Int32Array.of(0),
    accepting: Uint8Array.of(accepting ? 1 : 0),
  };
}

/** Accepts every text. */
export const ACCEPT_ALL: Automaton = constant(true);
/** Accepts no text. */
export const ACCEPT_NONE: Automaton = constant(false);

/** Accepts what the automaton does not. */
export function complement(automaton: Automaton): Automaton {
  return minimised({ ...automaton, accepting: automaton.accepting.map((x) => 1 - x) });
}

/** Accepts what both accept. */
export function intersection(a: Automaton, b: Automaton): Automaton {
  return product(a, b, (x, y) => x && y);
}

/** Accepts what either accepts. */
export function union(a: Automaton, b: Automaton): Automaton {
  return product(a, b, (x, y) => x || y);
}

/** A step of a product is a look into two tables: as many as the most states of all 256 bytes have take seconds. */
const PRODUCT_STEPS = 2 * 256 * AUTOMATON_STATES;

function product(a: Automaton, b: Automaton, both: (x: boolean, y: boolean) => boolean): Automaton {
  const common = commonClasses(a, b);
  return explore(common, 0, {
    key: (state) => state,
    step(state, c) {
      const [own, other] = common.pairs[c]!;
      const to = a.next[Math.floor(state / b.states) * a.width + own]!;
      return to * b.states + b.next[state % b.states * b.width + other]!;
    },
    accepts: (state) =>
      both(a.accepting[Math.floor(state / b.states)] === 1, b.accepting[state % b.states] === 1),
  }, new Allowance("the automaton of this constraint", SHORTER, PRODUCT_STEPS));
}

/** Accepts a text of the first followed by a text of the second. */
export function concatenation(a: Automaton, b: Automaton, allowance?: Allowance): Automaton {
  const common = commonClasses(a, b);
  /** A state of `a`, then the states of `b` for all places where the second text may have begun, ascending. */
  const entered = (states: number[]): number[] =>
    a.accepting[states[0]!] === 1 && !states.includes(0, 1) ? [states[0]!, 0, ...states.slice(1)] : states;
  return explore(common, entered([0]), {
    key: (states) => states.join(),
    step(states, c) {
      const [own, other] = common.pairs[c]!;
      const after = new Set<number>();
      for (let i = 1; i < states.length; i++) after.add(b.next[states[i]! * b.width + other]!);
      return entered([a.next[states[0]! * a.width + own]!, ...[...after].sort((x, y) => x - y)]);
    },
    accepts: (states) => states.some((state, i) => i > 0 && b.accepting[state] === 1),
    weight: (states) => states.length,
  }, allowance);
}
