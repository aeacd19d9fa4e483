import { CircuitError } from "../errors.ts";
import { requireText } from "../guards.ts";

/** A line of a text format, split at white space. */
export interface Line {
  /** Number in the file, from 1. */
  readonly number: number;
  /** Its words; at least one. */
  readonly words: readonly string[];
}

/** Reads the words of one line and reports errors with their position. */
export class WordReader {
  readonly #format: string;
  readonly #line: Line;
  #next = 1;

  /** Reads `line` from its second word on; the first one is {@link WordReader.kind}. */
  constructor(format: string, line: Line) {
    this.#format = format;
    this.#line = line;
  }

  /** The first word, in upper case. */
  get kind(): string {
    return (this.#line.words[0] as string).toUpperCase();
  }

  /** Number of unread words. */
  get left(): number {
    return this.#line.words.length - this.#next;
  }

  /** The next word as an integer that a double holds exactly. */
  integer(what: string): number {
    const word = this.#word(what);
    const value = wholeNumberOf(word);
    return value ?? this.fail(`${what} must be a whole number below 2^53, got \`${word}\``);
  }

  /** The next word as a number; `-Inf` stands for log zero. */
  number(what: string): number {
    const word = this.#word(what);
    if (/^-inf(inity)?$/i.test(word)) return -Infinity;
    return decimalNumber(word) ?? this.fail(`${what} must be a number, got \`${word}\``);
  }

  /**
   * Reads the next word as the number of groups of `words` words that end the line. It is rejected unless that many words
   * follow, so a wrong count cannot trigger a huge allocation.
   */
  count(what: string, words: number): number {
    const count = this.integer(what);
    if (count < 1) this.fail(`${what} is ${count}, expected 1 at least`);
    if (count * words > this.left) {
      this.fail(`it announces ${count} as ${what}, which takes ${count * words} words; ${this.left} follow`);
    }
    return count;
  }

  /** @throws {CircuitError} naming the line */
  fail(problem: string): never {
    throw new CircuitError("model-file/syntax", `${this.#format}, line ${this.#line.number}: ${problem}`);
  }

  #word(what: string): string {
    return this.#line.words[this.#next++] ?? this.fail(`it ends before ${what}`);
  }
}

/** A word as an integer, or undefined if it is not one that a double holds exactly. */
export function wholeNumberOf(word: string): number | undefined {
  const value = /^[+-]?\d+$/.test(word) ? Number(word) : NaN;
  // `+ 0` turns -0 into 0.
  return Number.isSafeInteger(value) ? value + 0 : undefined;
}

/** A word as a finite decimal number, or undefined. */
export function decimalNumber(word: string): number | undefined {
  const value = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(word) ? Number(word) : NaN;
  return Number.isFinite(value) ? value : undefined;
}

/**
 * The lines of a text that are neither empty nor comments. Comments are lines whose first word is `c` or begins with `#`.
 * An uppercase `C` is not a comment: it starts the lines of categorical leaves in `.jpc` files.
 */
export function linesOf(text: string): Line[] {
  requireText("a model file", text);
  return text.replace(/^\uFEFF/, "").split(/\r\n|\n|\r/)
    .map((line, i) => ({ number: i + 1, words: line.trim().split(/\s+/) }))
    .filter(({ words: [first = ""] }) => first !== "" && first !== "c" && !first.startsWith("#"));
}

/**
 * The lines of nodes after the header `format count`.
 * @param counted whether the count must be present and correct: writers of some formats get it wrong
 * @throws {CircuitError} when the header is missing, its count is none, or no node follows
 */
export function nodeLines(text: string, format: string, counted: boolean): WordReader[] {
  const [header, ...lines] = linesOf(text);
  if (header?.words[0]?.toLowerCase() !== format) {
    throw new CircuitError(
      "model-file/format",
      `this is not a .${format} file: the line \`${format} <count>\` is missing`,
    );
  }
  const reader = new WordReader(`.${format}`, header);
  if (lines.length === 0) throw new CircuitError("model-file/syntax", `.${format}: the file has no nodes`);
  const count = counted ? reader.integer("the number of nodes") : lines.length;
  if (count !== lines.length) {
    throw new CircuitError(
      "model-file/syntax",
      `.${format}: ${count} nodes are announced, but ${lines.length} follow`,
      { hint: "The file was cut short or put together wrongly: get it again." },
    );
  }
  return lines.map((line) => new WordReader(`.${format}`, line));
}

/**
 * Converts rows of log-probabilities to exactly normalised probabilities, since files contain rounded numbers.
 * @throws {CircuitError} through `reader` when they are further from one than rounding explains
 */
export function normalised(logs: readonly number[], reader: WordReader): number[] {
  const weights = logs.map(Math.exp);
  const total = weights.reduce((a, b) => a + b, 0);
  if (!(Math.abs(total - 1) <= 1e-3)) reader.fail(`its probabilities sum to ${total}, expected 1`);
  return weights.map((w) => w / total);
}
