import { TextError } from "./errors.ts";

/**
 * A run of evenly spaced windows: `count` of them, the first at token `first`, each `stride` tokens after the previous
 * one.
 */
export interface WindowRun {
  /** Position of the first window's first token. */
  readonly first: number;
  /** Number of windows. */
  readonly count: number;
  /** Distance in tokens between the starts of consecutive windows. */
  readonly stride: number;
  /** Number of tokens in each window; the positions after them are padding and not observed. */
  readonly observed: number;
}

/** Rows of tokens, in the form of samples for engines and learners. */
export interface WindowRows {
  /** Number of windows. */
  readonly count: number;
  /** Number of positions per window. */
  readonly variables: number;
  /** `[count, variables]`: token ids; 0 where nothing is observed. */
  readonly values: Int32Array<ArrayBuffer>;
  /** `[count, variables]`: 1 where there is a token, 0 for padding. If absent, all are observed. */
  readonly observed?: Uint8Array<ArrayBuffer>;
}

/** How texts are placed in windows: required for querying a model of the windows. */
export interface WindowFrame {
  /**
   * Where a text begins. `window`: at the start of a window, because every window begins where a document or a sentence
   * does. `end`: after an end token, because windows begin anywhere in running text with end tokens between texts.
   * `anywhere`: windows are stretches of running text in which beginnings of texts are not marked.
   */
  readonly begins: "window" | "end" | "anywhere";
  /** Whether an end token follows a text that ends within a window. */
  readonly ends: boolean;
}
/** All choices of where a text begins in a window. */
export const windowBegins = ["window", "end", "anywhere"] as const;

/** Tokens that can be read by position. */
export interface TokenSource {
  /** The tokens from `from` up to, but not including, `to`. */
  read(from: number, to: number): Promise<Int32Array>;
}

/** How windows are placed. */
export interface WindowOptions {
  /** Number of positions per window. */
  readonly length: number;
  /** Distance in tokens between the starts of consecutive windows; default: `length`, so that they do not overlap. */
  readonly stride?: number;
  /** What to do with a window that extends past the end of its segment: omit it, or pad it with unobserved positions. */
  readonly partial?: "drop" | "pad";
}

/**
 * Windows over tokens, stored as offsets. Tokens are copied only when a window is requested, so both the corpus and the
 * windows may be larger than memory.
 */
export class Windows {
  readonly #ends: number[];
  /** Number of positions per window. */
  readonly length: number;
  /** Runs of windows, in order. */
  readonly runs: readonly WindowRun[];
  /** Number of windows. */
  readonly count: number;
  /** How texts are placed in them. */
  readonly frame: WindowFrame;

  /** Windows at these runs. */
  constructor(
    length: number,
    runs: readonly WindowRun[],
    frame: WindowFrame = { begins: "anywhere", ends: false },
  ) {
    let count = 0;
    this.#ends = runs.map((run) => count += run.count);
    this.length = length;
    this.runs = runs;
    this.count = count;
    this.frame = frame;
  }

  /** The same windows with another frame. */
  framed(frame: WindowFrame): Windows {
    return new Windows(this.length, this.runs, frame);
  }

  /**
   * Places windows over segments (documents, sentences, or the whole stream as one); no window crosses the end of its
   * segment. A padded segment gets windows until every token is in one.
   *
   * @param starts first token of each segment, followed by the end of the last one.
   * @throws TextError when length or stride are not positive whole numbers.
   */
  static over(starts: ArrayLike<number>, options: WindowOptions): Windows {
    const { length, stride = length, partial = "drop" } = options;
    if (!(Number.isSafeInteger(length) && length > 0)) {
      throw new TextError("text/windows", `windows have ${length} tokens, expected a whole number from 1`);
    }
    if (!(Number.isSafeInteger(stride) && stride > 0)) {
      throw new TextError("text/windows", `the stride is ${stride} tokens, expected a whole number from 1`);
    }
    const runs: WindowRun[] = [];
    for (let segment = 0; segment + 1 < starts.length; segment++) {
      const first = starts[segment]!;
      const end = starts[segment + 1]!;
      const full = end - first < length ? 0 : Math.floor((end - first - length) / stride) + 1;
      if (full > 0) runs.push({ first, count: full, stride, observed: length });
      if (partial === "drop") continue;
      let covered = full === 0 ? first : first + (full - 1) * stride + length;
      for (let at = first + full * stride; covered < end; at += stride) {
        // With a stride longer than a window, the remaining tokens may belong to no window.
        if (at >= end) break;
        runs.push({ first: at, count: 1, stride, observed: Math.min(length, end - at) });
        covered = Math.min(end, at + length);
      }
    }
    return new Windows(length, joined(runs));
  }

  /** The first token of a window, and the number of its observed positions. */
  at(window: number): { readonly first: number; readonly observed: number } {
    const run = this.#runOf(window);
    const { first, stride, observed, count } = this.runs[run]!;
    return { first: first + (window - (this.#ends[run]! - count)) * stride, observed };
  }

  /**
   * The windows from `from` up to, but not including, `to`, as rows.
   *
   * @throws TextError when there are no such windows.
   */
  async rows(tokens: TokenSource, from: number, to: number): Promise<WindowRows> {
    if (!(Number.isInteger(from) && Number.isInteger(to) && 0 <= from && from <= to && to <= this.count)) {
      throw new TextError(
        "text/windows",
        `windows ${from} to ${to} were asked for, but there are ${this.count}`,
      );
    }
    const { length } = this;
    const values = new Int32Array((to - from) * length);
    let missing: Uint8Array<ArrayBuffer> | undefined;
    let window = from;
    while (window < to) {
      const run = this.#runOf(window);
      const { stride, observed } = this.runs[run]!;
      const { first } = this.at(window);
      // Adjacent windows are read together, unless they are far apart.
      const together = stride > 8 * length ? 1 : Math.min(this.#ends[run]!, to) - window;
      const read = await tokens.read(first, first + (together - 1) * stride + observed);
      for (let i = 0; i < together; i++) {
        const row = (window - from + i) * length;
        values.set(read.subarray(i * stride, i * stride + observed), row);
        if (observed < length) {
          missing ??= new Uint8Array(values.length).fill(1);
          missing.fill(0, row + observed, row + length);
        }
      }
      window += together;
    }
    const rows = { count: to - from, variables: length, values };
    return missing === undefined ? rows : { ...rows, observed: missing };
  }

  /**
   * The token before each of the windows from `from` up to, but not including, `to`; -1 before the very first token.
   *
   * @throws TextError when there are no such windows.
   */
  async before(tokens: TokenSource, from: number, to: number): Promise<Int32Array> {
    const found = new Int32Array(to - from).fill(-1);
    for (let window = from; window < to;) {
      const run = this.#runOf(window);
      const { stride } = this.runs[run]!;
      const { first } = this.at(window);
      const together = stride > 8 * this.length ? 1 : Math.min(this.#ends[run]!, to) - window;
      const start = Math.max(0, first - 1);
      const read = await tokens.read(start, first + (together - 1) * stride);
      for (let i = 0; i < together; i++) {
        const at = first + i * stride - 1;
        if (at >= 0) found[window - from + i] = read[at - start]!;
      }
      window += together;
    }
    return found;
  }

  /** All windows in blocks of `size`, in order; only the last block may be smaller. */
  async *blocks(tokens: TokenSource, size: number): AsyncGenerator<WindowRows & { readonly first: number }> {
    for (let first = 0; first < this.count; first += size) {
      yield { first, ...await this.rows(tokens, first, Math.min(this.count, first + size)) };
    }
  }

  /** Whether every window begins at one of these tokens, which are in ascending order. */
  beginAt(starts: ArrayLike<number>): boolean {
    let at = 0;
    for (const { first, count, stride } of this.runs) {
      for (let i = 0; i < count; i++) {
        while (at < starts.length && starts[at]! < first + i * stride) at++;
        if (starts[at] !== first + i * stride) return false;
      }
    }
    return true;
  }

  /** Index of the run that contains a window. */
  #runOf(window: number): number {
    if (!(Number.isInteger(window) && 0 <= window && window < this.count)) {
      throw new TextError("text/windows", `window ${window} was asked for, but there are ${this.count}`);
    }
    let low = 0;
    let high = this.runs.length - 1;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (window < this.#ends[middle]!) high = middle;
      else low = middle + 1;
    }
    return low;
  }
}

/** Merges consecutive runs that continue each other. */
function joined(runs: readonly WindowRun[]): WindowRun[] {
  const list: WindowRun[] = [];
  for (const run of runs) {
    const last = list.at(-1);
    if (
      last !== undefined && last.observed === run.observed && last.stride === run.stride &&
      last.first + last.count * last.stride === run.first
    ) {
      list[list.length - 1] = { ...last, count: last.count + run.count };
    } else list.push(run);
  }
  return list;
}
