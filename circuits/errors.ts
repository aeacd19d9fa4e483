import { type ErrorCode, type ErrorFacts, RetortError } from "../foundation/errors.ts";

export {
  type ErrorCode,
  type ErrorFacts,
  type ExitCode,
  type OwnCode,
  RetortError,
} from "../foundation/errors.ts";
export type * from "../foundation/codes/mod.ts";

/** One thing that is wrong with a circuit, a data set or a file, and where. */
export interface Fault {
  /** The place, as a person would name it: ``sum node 12 `root` ``, ``parameter `emission` ``, `line 4`. */
  readonly where: string;
  /** What is wrong there and what was expected. */
  readonly problem: string;
  /** Code of this kind of fault, if it has its own. */
  readonly code?: ErrorCode;
}

/** Maximum number of faults a message spells out; the rest are counted. */
const SHOWN = 8;

/**
 * Something is wrong with a circuit, with its data, or with a file that should contain one. The message names the place,
 * what was found, what was expected and (in `hint`) what to do next.
 */
export class CircuitError extends RetortError {
  /** Every fault found, in circuit or file order. May be empty. */
  readonly faults: readonly Fault[];

  /** An error with its code, message and optional hint, list of faults and cause. */
  constructor(
    code: ErrorCode,
    message: string,
    facts: ErrorFacts & { readonly faults?: readonly Fault[] } = {},
  ) {
    super(code, message, facts);
    this.faults = facts.faults ?? [];
  }

  /** An error that lists `faults` under `headline`. If all faults share a code of their own, the error takes that code. */
  static of(code: ErrorCode, headline: string, faults: readonly Fault[], hint?: string): CircuitError {
    const lines = faults.slice(0, SHOWN).map((fault) => `  ${fault.where}: ${fault.problem}`);
    if (faults.length > SHOWN) lines.push(`  and ${faults.length - SHOWN} more`);
    const shared = faults[0]?.code;
    return new CircuitError(
      shared !== undefined && faults.every((fault) => fault.code === shared) ? shared : code,
      [`${headline}:`, ...lines].join("\n"),
      { hint, faults },
    );
  }
}
