/** One thing that is wrong with a circuit, a data set or a file, and where. */
export interface Fault {
  /** The place, as a person would name it: ``sum node 12 `root` ``, ``parameter `emission` ``, `line 4`. */
  readonly where: string;
  /** What is wrong there and what was expected. */
  readonly problem: string;
}

/** How many faults a message spells out; the rest are counted. */
const SHOWN = 8;

/**
 * Something is wrong with a circuit, with the data given to one, or with a file that should hold one.
 * The message names the place, what was found, what was expected and (in `hint`) what to do next.
 */
export class CircuitError extends Error {
  /** Name of the class, for messages. */
  override readonly name: string = "CircuitError";
  /** What to do next, if there is advice to give. */
  readonly hint: string | undefined;
  /** Every fault found, in the order of the circuit or file. May be empty. */
  readonly faults: readonly Fault[];

  /** An error with an optional hint, list of faults and cause. */
  constructor(
    message: string,
    options: { hint?: string | undefined; faults?: readonly Fault[]; cause?: unknown } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.hint = options.hint;
    this.faults = options.faults ?? [];
  }

  /** An error that lists `faults` under `headline`. */
  static of(headline: string, faults: readonly Fault[], hint?: string): CircuitError {
    const lines = faults.slice(0, SHOWN).map((fault) => `  ${fault.where}: ${fault.problem}`);
    if (faults.length > SHOWN) lines.push(`  and ${faults.length - SHOWN} more`);
    return new CircuitError([`${headline}:`, ...lines].join("\n"), { hint, faults });
  }
}
