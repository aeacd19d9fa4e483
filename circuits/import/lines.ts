import { CircuitError } from "../errors.ts";

/** A line of a text format, split at white space. */
export interface Line {
  /** Number in the file, from 1. */
  readonly number: number;
  /** Its words; at least one. */
  readonly words: readonly string[];
}

/** A reader of the words of one line that says what is wrong and where. */
export class WordReader {
  readonly #format: string;
  readonly #line: Line;
  #next = 1;

  /** Reads `line` from its second word on; the first one is {@link WordReader.kind}. */
  constructor(format: string, line: Line) {
    this.#format = format;
    this.#line = line;
  }

  /** The first word. */
  get kind(): string {
    return this.#line.words[0] as string;
  }

  /** Words that have not been read. */
  get left(): number {
    return this.#line.words.length - this.#next;
  }

  /** The next word as a whole number. */
  integer(what: string): number {
    const value = Number(this.#word(what));
    return Number.isInteger(value) ? value : this.fail(`${what} must be a whole number`);
  }

  /** The next word as a number; `-Inf` stands for log zero. */
  number(what: string): number {
    const word = this.#word(what);
    if (/^-inf(inity)?$/i.test(word)) return -Infinity;
    const value = Number(word);
    return Number.isFinite(value) ? value : this.fail(`${what} must be a number, got \`${word}\``);
  }

  /** @throws {CircuitError} naming the line */
  fail(problem: string): never {
    throw new CircuitError(`${this.#format}, line ${this.#line.number}: ${problem}.`);
  }

  #word(what: string): string {
    return this.#line.words[this.#next++] ?? this.fail(`it ends before ${what}`);
  }
}

/** The lines of a text that are neither empty nor comments (first word `c`). */
export function linesOf(text: string): Line[] {
  return text.split(/\r?\n/).map((line, i) => ({ number: i + 1, words: line.trim().split(/\s+/) }))
    .filter(({ words }) => words[0] !== "" && words[0] !== "c");
}

/**
 * Rows of log-probabilities made linear and exactly normalised: files round them.
 * @throws {CircuitError} through `reader` when they are further from one than rounding explains
 */
export function normalised(logs: readonly number[], reader: WordReader): number[] {
  const weights = logs.map(Math.exp);
  const total = weights.reduce((a, b) => a + b, 0);
  if (!(Math.abs(total - 1) <= 1e-3)) reader.fail(`its probabilities sum to ${total}, expected 1`);
  return weights.map((w) => w / total);
}
