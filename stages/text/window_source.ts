import type { SampleSource } from "../../circuits/learning/source.ts";
import type { Samples } from "../../circuits/samples.ts";
import type { TokenSource, WindowRows, Windows } from "../../datasets/text/windows.ts";
import { notesOf } from "./frame_notes.ts";
import type { TokenShards } from "../../runner/codecs/shard_codecs.ts";

/** Tokens up to this number are kept in memory: 256 MiB. */
const KEPT = 1 << 26;

/** Windows of tokens as samples: variable `t` is position `t`; padding is not observed. */
export class WindowSource implements SampleSource {
  readonly #windows: Windows;
  readonly #tokens: TokenSource;

  private constructor(windows: Windows, tokens: TokenSource) {
    this.#windows = windows;
    this.#tokens = tokens;
  }

  /** Windows over stored tokens. A small corpus is read once, a large one in pieces. */
  static async open(windows: Windows, ids: TokenShards): Promise<WindowSource> {
    if (ids.rows > KEPT) return new WindowSource(windows, ids);
    const all = await ids.all();
    return new WindowSource(windows, { read: (from, to) => Promise.resolve(all.subarray(from, to)) });
  }

  /** Number of windows. */
  get count(): number {
    return this.#windows.count;
  }

  /** How texts lie in them. */
  get notes(): Readonly<Record<string, string>> {
    return notesOf(this.#windows.frame);
  }

  /** Positions of a window. */
  get length(): number {
    return this.#windows.length;
  }

  /** The windows at these indices, in this order; neighbours are read together. */
  async read(indices: Uint32Array): Promise<Samples> {
    const { length } = this.#windows;
    const values = new Int32Array(indices.length * length);
    let observed: Uint8Array<ArrayBuffer> | undefined;
    for (let at = 0; at < indices.length;) {
      const first = indices[at]!;
      let run = 1;
      while (at + run < indices.length && indices[at + run] === first + run) run++;
      const rows: WindowRows = await this.#windows.rows(this.#tokens, first, first + run);
      values.set(rows.values, at * length);
      if (rows.observed !== undefined) {
        observed ??= new Uint8Array(values.length).fill(1);
        observed.set(rows.observed, at * length);
      }
      at += run;
    }
    return { count: indices.length, variables: length, values, ...(observed !== undefined && { observed }) };
  }
}

/** Positions of samples that hold a token. */
export function observedAt(samples: Samples): number {
  return samples.observed?.reduce((total, o) => total + o, 0) ?? samples.values.length;
}
