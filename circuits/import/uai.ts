import { CircuitError } from "../errors.ts";
import { requireText } from "../guards.ts";
import type { Factor, FactorGraph } from "./factors.ts";
import { sizeOfScope } from "./factors.ts";
import { decimalNumber, linesOf, wholeNumberOf } from "./lines.ts";

/**
 * Reads the text of a `.uai` file (the format of the UAI inference competitions): `BAYES` or `MARKOV` in any case, the
 * variables' numbers of states, the scopes of the factors, their tables. Text after `#` on a line is a comment.
 * @throws {CircuitError} saying which factor
 */
export function parseUai(text: string): FactorGraph {
  const words = new UaiWords(".uai", text);
  const kind = words.first();
  if (kind.toUpperCase() !== "BAYES" && kind.toUpperCase() !== "MARKOV") {
    throw new CircuitError(
      "model-file/format",
      `this is not a .uai file: it begins with \`${kind}\`, expected BAYES or MARKOV`,
    );
  }
  const states = words.list(words.count("the number of variables", 1, 1), (v) => {
    return words.whole(`the number of states of variable ${v}`, (k) => k >= 1);
  });
  const scopes = words.list(words.count("the number of factors", 0, 1), (f) => {
    const scope = words.list(words.count(`the size of factor ${f}`, 0, 1), () => {
      return words.whole(`a variable of factor ${f}`, (v) => v >= 0 && v < states.length);
    });
    if (new Set(scope).size < scope.length) {
      throw new CircuitError("model-file/syntax", `.uai: factor ${f} names a variable twice`);
    }
    return scope;
  });
  const factors = scopes.map((scope, f): Factor => {
    const size = sizeOfScope(scope, states);
    words.whole(`the number of entries of factor ${f} (expected ${size})`, (n) => n === size);
    if (size > words.left) {
      throw new CircuitError(
        "model-file/syntax",
        `.uai: the file ends before entry ${words.left} of factor ${f}`,
      );
    }
    return {
      scope,
      values: Float64Array.from(words.list(size, (i) => words.entry(`entry ${i} of factor ${f}`))),
    };
  });
  words.end("the last factor");
  return { states, factors };
}

/**
 * Reads the text of a `.uai.evid` file, which lists the observed states of some variables: `count {variable state}`,
 * optionally preceded by the number of such samples on a separate line. The rows have a value or `null` for each variable
 * of the model; pass them to `samplesFromRows`.
 * @param model the model that the evidence is about; its variables and states bound those of the file
 * @throws {CircuitError} naming the sample
 */
export function parseUaiEvidence(text: string, model: FactorGraph): (number | null)[][] {
  const words = new UaiWords(".uai.evid", text);
  // The 2008 competition put the number of samples first; those since 2014 do not.
  const [first = []] = words.lines;
  const alone = Number(first[0]);
  const samples = words.size === 2 * alone + 1 && !(first.length === 1 && words.size > 1)
    ? 1
    : words.count("the number of samples", 0, 1);
  return words.list(samples, (s) => {
    const row = new Array<number | null>(model.states.length).fill(null);
    words.list(words.count(`the number of values of sample ${s}`, 0, 2), () => {
      const v = words.whole(`a variable of sample ${s}`, (v) => v >= 0 && v < row.length);
      const states = model.states[v] as number;
      const what = `the state of variable ${v} in sample ${s} (it has ${states} states)`;
      if (row[v] !== null) {
        throw new CircuitError("model-file/syntax", `.uai.evid: sample ${s} names variable ${v} twice`);
      }
      row[v] = words.whole(what, (k) => k >= 0 && k < states);
    });
    if (s === samples - 1) words.end("the last sample");
    return row;
  });
}

/** The sequence of words of a file. Counts are accepted only if enough words follow. */
class UaiWords {
  /** Words by line, without comments. */
  readonly lines: readonly (readonly string[])[];
  readonly #format: string;
  readonly #words: readonly string[];
  #at = 0;

  constructor(format: string, text: string) {
    this.#format = format;
    requireText("a model file", text);
    this.lines = linesOf(text.replace(/#.*$/gm, "")).map(({ words }) => words);
    this.#words = this.lines.flat();
  }

  /** Words of the file. */
  get size(): number {
    return this.#words.length;
  }

  /** Number of unread words. */
  get left(): number {
    return this.#words.length - this.#at;
  }

  first(): string {
    return this.#words[this.#at++] ?? "nothing";
  }

  whole(what: string, good: (value: number) => boolean): number {
    return this.#next(what, wholeNumberOf, good);
  }

  entry(what: string): number {
    return this.#next(what, decimalNumber, (x) => x >= 0);
  }

  /** A count of things that take at least `words` words each. */
  count(what: string, least: number, words: number): number {
    const count = this.whole(what, (n) => n >= least);
    if (count * words > this.left) {
      throw new CircuitError(
        "model-file/syntax",
        `${this.#format}: ${what} is ${count}, but only ${this.left} words follow`,
      );
    }
    return count;
  }

  list<T>(count: number, item: (i: number) => T): T[] {
    return Array.from({ length: count }, (_, i) => item(i));
  }

  end(what: string): void {
    if (this.left > 0) {
      throw new CircuitError("model-file/syntax", `${this.#format}: ${this.left} words follow after ${what}`);
    }
  }

  #next(
    what: string,
    read: (word: string) => number | undefined,
    good: (value: number) => boolean,
  ): number {
    const word = this.#words[this.#at++];
    if (word === undefined) {
      throw new CircuitError("model-file/syntax", `${this.#format}: the file ends before ${what}`);
    }
    const value = read(word);
    if (value === undefined || !good(value)) {
      throw new CircuitError("model-file/syntax", `${this.#format}: ${what} is \`${word}\``);
    }
    return value;
  }
}
