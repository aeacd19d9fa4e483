/**
 * The look-ahead table: for each number of tokens `n` and state `s` of the automaton, how likely the hidden Markov model
 * goes on so that the constraint is satisfied, from each hidden state. Positions are counted from the beginning of the
 * text, so that one table holds a whole range of lengths:
 *
 *     W_n[s, z] = [least <= n][s accepts] b_1[z] + sum_x B[z, x] u(x) G_{n+1}[d(s, x), z]
 *     G_n[s, z] = sum_z' A[z, z'] W_n[s, z']
 *
 * where `b_1` is the probability of the suffix and `u` are the weights of tokens. Source: Zhang, Kung, Yoshida, Van den
 * Broeck and Peng, "Adaptable Logical Control for Large Language Models" (Ctrl-G, NeurIPS 2024).
 */
import type { TransitionProducts } from "../hmm/products.ts";
import type { Reals, TokenHmm } from "../hmm/token_hmm.ts";
import type { TokenAutomaton } from "../pieces/lift.ts";
import { type Edge, edgesOf } from "./masses.ts";
import type { LengthRange } from "./reach.ts";
import { normalise, power, type Scaled } from "./scaled.ts";

/** What a table is of. */
export interface TableTask extends LengthRange {
  /** The model. */
  readonly hmm: TokenHmm;
  /** The constraint. */
  readonly automaton: TokenAutomaton;
  /** What `reachable` says. */
  readonly reach: Uint8Array;
  /** The tokens that follow a text. */
  readonly suffix: readonly number[];
  /** `[tokens]`: factors of the probabilities of tokens; all 1 if omitted. */
  readonly weights?: Float64Array | undefined;
}

/** A finished table. */
export class LookAhead {
  readonly #task: TableTask;
  readonly #edges: readonly (readonly Edge[])[];
  /** `G_n[s]` at `n * states + s`. */
  readonly #rows: (Scaled | undefined)[];
  /** The suffix from each of its tokens on; after the last, 1 for each hidden state. */
  readonly #suffix: readonly Scaled[];

  private constructor(
    task: TableTask,
    edges: readonly (readonly Edge[])[],
    rows: (Scaled | undefined)[],
    suffix: readonly Scaled[],
  ) {
    this.#task = task;
    this.#edges = edges;
    this.#rows = rows;
    this.#suffix = suffix;
  }

  /** Computes a table, from the last token to the first. */
  static async build(
    task: TableTask,
    products: TransitionProducts,
    progress: (done: number, of: number) => void = () => {},
  ): Promise<LookAhead> {
    const { hmm, automaton, reach, most, weights } = task;
    const { states } = automaton;
    const rows: (Scaled | undefined)[] = Array((most + 1) * states).fill(undefined);
    const table = new LookAhead(
      task,
      edgesOf(hmm, automaton, weights),
      rows,
      await suffixRows(hmm, task.suffix, products),
    );
    for (let n = most; n > 0; n--) {
      const live = Array.from({ length: states }, (_, state) => state)
        .filter((state) => reach[n * states + state] === 1);
      const batch = realsLike(hmm.transition, live.length * hmm.states);
      const exponents = live.map((state, i) => {
        const { values, exponent } = table.row(n, state);
        batch.set(values, i * hmm.states);
        return exponent;
      });
      const products_ = live.length === 0 ? batch : await products.backward(batch, live.length);
      live.forEach((state, i) => {
        const values = products_.subarray(i * hmm.states, (i + 1) * hmm.states);
        rows[n * states + state] = { values, exponent: normalise(values) + exponents[i]! };
      });
      progress(most - n + 1, most);
    }
    return table;
  }

  /**
   * `W_n[s]`: the probability of a text's completion and the suffix, from each hidden state. `withEnd`: whether it may be
   * complete here already.
   */
  row(n: number, state: number, withEnd = true): Scaled {
    const { hmm, automaton, reach, least, most } = this.#task;
    const parts: { factor: Float64Array | undefined; scaled: Scaled }[] = [];
    if (withEnd && n >= least && automaton.accepting[state] === 1) {
      parts.push({ factor: undefined, scaled: this.#suffix[0]! });
    }
    if (n < most) {
      for (const { to, mass } of this.#edges[state]!) {
        const scaled = reach[(n + 1) * automaton.states + to] === 1 ? this.after(n + 1, to) : undefined;
        if (scaled !== undefined) parts.push({ factor: mass, scaled });
      }
    }
    const values = new Float64Array(hmm.states);
    const largest = parts.reduce((most, { scaled }) => Math.max(most, scaled.exponent), -Infinity);
    if (largest === -Infinity) return { values, exponent: largest };
    for (const { factor, scaled } of parts) {
      const share = power(scaled.exponent - largest), own = scaled.values;
      if (share === 0) continue;
      if (factor === undefined) { for (let z = 0; z < values.length; z++) values[z]! += share * own[z]!; }
      else for (let z = 0; z < values.length; z++) values[z]! += share * factor[z]! * own[z]!;
    }
    return { values, exponent: largest + normalise(values) };
  }

  /** `G_n[s]`: the same before the hidden state moves on; undefined where nothing can be completed. */
  after(n: number, state: number): Scaled | undefined {
    return this.#rows[n * this.#task.automaton.states + state];
  }

  /** The probability of the suffix from its token `from` on, from each hidden state. */
  suffix(from: number): Scaled {
    return this.#suffix[from]!;
  }

  /** Bytes that the table takes. */
  get bytes(): number {
    return this.#rows.reduce((sum, row) => sum + (row === undefined ? 0 : row.values.byteLength), 0);
  }
}

/** Zeros in the precision of a model. */
function realsLike(like: Reals, length: number): Reals {
  return like instanceof Float64Array ? new Float64Array(length) : new Float32Array(length);
}

/** `b_t[z] = B[z, w_t] sum_z' A[z, z'] b_{t+1}[z']`, from the last token to the first. */
async function suffixRows(
  hmm: TokenHmm,
  suffix: readonly number[],
  products: TransitionProducts,
): Promise<Scaled[]> {
  let after: Scaled = { values: new Float64Array(hmm.states).fill(1), exponent: 0 };
  const rows = [after];
  for (let t = suffix.length - 1; t >= 0; t--) {
    const moved = t === suffix.length - 1 ? after.values : await products.backward(
      realsLike(hmm.transition, hmm.states).map((_, z) => after.values[z]!) as Reals,
      1,
    );
    // Only now: while it was waited for, another plan may have asked for a row, and rows may share their memory.
    const values = Float64Array.from(hmm.emission.row(suffix[t]!), (x, z) => x * moved[z]!);
    after = { values, exponent: after.exponent + normalise(values) };
    rows.unshift(after);
  }
  return rows;
}
