import { CallError } from "../../foundation/errors.ts";
import { explore } from "../automata/automaton.ts";
import { type Constraint, requireCount } from "./constraint.ts";

/** The bytes of white space in ASCII. */
const SPACES = [0x09, 0x0a, 0x0b, 0x0c, 0x0d, 0x20];

/**
 * The text has `least` to `most` words: what white space (blanks, tabs, line ends) separates. `most` may be `Infinity`.
 *
 * @throws {CallError} when the least number exceeds the greatest
 */
export function words(least: number, most: number = least): Constraint {
  requireCount("the least number of words", least);
  requireCount("the greatest number of words", most, { infinite: true });
  if (least > most) {
    throw new CallError(
      "control/argument",
      `\`words\` from ${least} to ${most}: the least number exceeds the greatest`,
    );
  }
  const classes = new Uint8Array(256);
  for (const byte of SPACES) classes[byte] = 1;
  /** Words beyond this many need not be counted. */
  const enough = most === Infinity ? least : most + 1;
  // State 2 n after n words and white space, 2 n + 1 inside the n-th word.
  const automaton = explore({ classes, width: 2 }, 0, {
    key: (state) => state,
    step(state, c) {
      const count = Math.floor(state / 2), isInside = state % 2 === 1;
      if (c === 1) return 2 * count;
      return isInside ? state : 2 * Math.min(enough, count + 1) + 1;
    },
    accepts: (state) => Math.floor(state / 2) >= least && Math.floor(state / 2) <= most,
  });
  return { label: `words(${least}, ${most})`, automaton, texts: [] };
}
