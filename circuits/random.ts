/**
 * Counter-based random numbers: Philox4x32-10 of Salmon, Moraes, Dror and Shaw, "Parallel Random Numbers: As Easy as 1,
 * 2, 3" (SC 2011). A block of four 32-bit words is a pure function of a 128-bit counter and a 64-bit key, so any sample
 * of any node can be drawn in any order, on any device, with the same result. It needs only 32-bit multiplication,
 * addition and exclusive or, all of which WGSL supports on `u32`.
 */

import { CircuitError } from "./errors.ts";
import { requireSeed } from "./guards.ts";

const M0 = 0xd2511f53, M1 = 0xcd9e8d57;
const W0 = 0x9e3779b9, W1 = 0xbb67ae85;

/** High word of the 64-bit product of two unsigned 32-bit words, from 16-bit halves as in WGSL. */
function multiplyHigh(a: number, b: number): number {
  const aLow = a & 0xffff, aHigh = a >>> 16;
  const bLow = b & 0xffff, bHigh = b >>> 16;
  const low = Math.imul(aLow, bLow) >>> 0;
  const middle = (Math.imul(aHigh, bLow) >>> 0) + (low >>> 16);
  const middle2 = (Math.imul(aLow, bHigh) >>> 0) + (middle & 0xffff);
  // `middle` and `middle2` stay below 2^32 because (2^16 - 1)^2 + 2^16 - 1 does.
  return ((Math.imul(aHigh, bHigh) >>> 0) + (middle >>> 16) + (middle2 >>> 16)) >>> 0;
}

/** A block of random words. */
export type Words = [number, number, number, number];

/**
 * One block: four unsigned 32-bit words for a four-word counter and a two-word key. The function is pure; the tests
 * contain known answers.
 */
export function philox(counter: Readonly<Words>, key: readonly [number, number]): Words {
  let [c0, c1, c2, c3] = counter;
  let [k0, k1] = key;
  for (let round = 0; round < 10; round++) {
    const high0 = multiplyHigh(M0, c0), low0 = Math.imul(M0, c0);
    const high1 = multiplyHigh(M1, c2), low1 = Math.imul(M1, c2);
    c0 = (high1 ^ c1 ^ k0) >>> 0;
    c1 = low1 >>> 0;
    c2 = (high0 ^ c3 ^ k1) >>> 0;
    c3 = low0 >>> 0;
    k0 = (k0 + W0) >>> 0;
    k1 = (k1 + W1) >>> 0;
  }
  return [c0, c1, c2, c3];
}

/** Maps a word to a number in [0, 1) using its upper 24 bits, which float32 represents exactly on any device. */
export function wordToUnit(word: number): number {
  return (word >>> 8) / 0x1000000;
}

/**
 * A stream of random numbers, addressed by `(seed, stream)`: the counter is `(position, stream words)`. Streams of one
 * seed are independent, and a number depends only on seed, stream and position.
 */
export class RandomStream {
  readonly #key: readonly [number, number];
  readonly #stream: readonly [number, number, number];
  #block: Words = [0, 0, 0, 0];
  #position = 0;

  /**
   * The start of a stream.
   * @param seed a non-negative integer up to 2^53 - 1
   * @param stream up to three words that say what the numbers are for, such as (sample, node, purpose)
   * @throws {CircuitError} when the seed is none
   */
  constructor(seed: number, ...stream: number[]) {
    requireSeed(seed);
    if (stream.length > 3) {
      throw new CircuitError("circuit/argument", `a stream has at most 3 words; got ${stream.length}`);
    }
    this.#key = [seed >>> 0, Math.floor(seed / 0x100000000)];
    this.#stream = [(stream[0] ?? 0) >>> 0, (stream[1] ?? 0) >>> 0, (stream[2] ?? 0) >>> 0];
  }

  /** The next 32-bit word. */
  word(): number {
    const lane = this.#position % 4;
    if (lane === 0) this.#block = philox([this.#position / 4, ...this.#stream], this.#key);
    this.#position++;
    return this.#block[lane] as number;
  }

  /** The next number in [0, 1), with 53 random bits. */
  uniform(): number {
    const high = this.word() >>> 5, low = this.word() >>> 6;
    return (high * 0x4000000 + low) / 0x20000000000000;
  }

  /** An integer from 0 to `bound - 1`. */
  integer(bound: number): number {
    return Math.floor(this.uniform() * bound);
  }

  /** A standard normal number (Box and Muller 1958; the second of the pair is dropped to keep the stream simple). */
  normal(): number {
    const radius = Math.sqrt(-2 * Math.log(1 - this.uniform()));
    return radius * Math.cos(2 * Math.PI * this.uniform());
  }

  /**
   * An index drawn in proportion to the non-negative `weights[from .. to - 1]`, relative to `from`; -1 if they are all
   * zero.
   */
  choose(weights: ArrayLike<number>, from = 0, to: number = weights.length): number {
    let total = 0, last = -1;
    for (let i = from; i < to; i++) {
      total += weights[i] as number;
      if ((weights[i] as number) > 0) last = i;
    }
    let left = this.uniform() * total;
    for (let i = from; i < last; i++) {
      left -= weights[i] as number;
      if (left < 0) return i - from;
    }
    // Rounding may leave a small remainder; it goes to the last index of positive weight.
    return last < 0 ? -1 : last - from;
  }

  /** The integers 0 to `count - 1` in random order (Fisher and Yates). */
  permutation(count: number): number[] {
    const order = Array.from({ length: count }, (_, i) => i);
    for (let i = count - 1; i > 0; i--) {
      const j = this.integer(i + 1);
      [order[i], order[j]] = [order[j] as number, order[i] as number];
    }
    return order;
  }
}
