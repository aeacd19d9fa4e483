import { RetortError } from "../../foundation/errors.ts";

/** Most steps of one construction: some seconds of one core. */
const MOST_STEPS = 10_000_000;

/**
 * Counts the steps of a construction, and ends it where it would take minutes. Steps are counted and not timed, so that what
 * is refused on one machine is refused on all.
 */
export class Allowance {
  readonly #what: string;
  readonly #hint: string;
  readonly #most: number;
  #left: number;

  /** `what` is made, for the message; `hint`: what to ask for instead; `most`: how many steps it may take. */
  constructor(what = "the automaton of this constraint", hint: string = SHORTER, most: number = MOST_STEPS) {
    this.#what = what;
    this.#hint = hint;
    this.#most = this.#left = most;
  }

  /** Counts steps. @throws {RetortError} when they are too many */
  spend(steps: number): void {
    this.#left -= steps;
    if (this.#left >= 0) return;
    throw new RetortError(
      "control/too-large",
      `${this.#what} takes more than ${this.#most.toLocaleString("en")} steps to make`,
      { hint: this.#hint },
    );
  }
}

/** Largest number of states that is built, before minimisation. */
export const AUTOMATON_STATES = 100_000;

/** The error of an automaton that would have more. */
export function tooManyStates(): RetortError {
  return new RetortError(
    "control/too-large",
    `the automaton of this constraint has more than ${AUTOMATON_STATES.toLocaleString("en")} states`,
    { hint: SHORTER },
  );
}

/** What to do about constraints that are too large. */
export const SHORTER = "Ask for less: fewer alternatives, smaller counts, shorter bounded repetitions.";
