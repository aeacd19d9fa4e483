/**
 * Counts of n-grams of a token stream, as a trie: the n-gram `w1 … wk` is a child of `w1 … w(k-1)`. For each of them the trie
 * has its occurrences and its left extensions, the number of different tokens that stand before it.
 */
export class Ngrams {
  /** Longest n-grams counted. */
  readonly order: number;
  /** Number of different tokens. */
  readonly vocabulary: number;
  readonly #levels: Level[];
  /** The n-grams of length 0, 1, … that end at the token counted last; their children are the next ones. */
  #last: number[];

  /**
   * @param order longest n-grams to count, from 1
   * @param start what stands before the first token: a token id, or -1 for something that is no token
   */
  constructor(order: number, vocabulary: number, start: number) {
    this.order = order;
    this.vocabulary = vocabulary;
    this.#levels = Array.from({ length: order }, () => new Level());
    this.#last = order > 1 ? [0, this.#levels[0]!.child(this.#key(0, start))] : [0];
  }

  /** Counts tokens that continue those counted before. */
  add(tokens: Int32Array): void {
    for (const token of tokens) {
      const next = [0];
      for (const [k, parent] of this.#last.entries()) {
        const level = this.#levels[k]!;
        const node = level.child(this.#key(parent, token));
        level.occurrences[node]! += 1;
        // Seen for the first time, an n-gram extends the one without its first token.
        if (k > 0 && level.occurrences[node] === 1) this.#levels[k - 1]!.extensions[next[k]!]! += 1;
        next.push(node);
      }
      // Before the n-gram that begins with the text stands its beginning.
      if (next.length <= this.order) this.#levels[next.length - 2]!.extensions[next.at(-1)!]! += 1;
      this.#last = next.slice(0, this.order);
    }
  }

  /** The trie node of an n-gram, from its oldest token on, or -1 if it was never seen. The empty one is node 0. */
  find(tokens: ArrayLike<number>, from: number, to: number): number {
    let node = 0;
    for (let i = from; i < to; i++) {
      node = this.#levels[i - from]!.find(this.#key(node, tokens[i]!));
      if (node < 0) return -1;
    }
    return node;
  }

  /** The node of the n-gram one longer than `parent`, which has `length` tokens; -1 if it was never seen. */
  childOf(length: number, parent: number, token: number): number {
    return this.#levels[length]!.find(this.#key(parent, token));
  }

  /** Occurrences by node of the n-grams of a length. */
  occurrences(length: number): Uint32Array {
    return this.#levels[length - 1]!.of("occurrences");
  }

  /** Numbers of different tokens before the n-grams of a length, by node; length below `order`. */
  extensions(length: number): Uint32Array {
    return this.#levels[length - 1]!.of("extensions");
  }

  /** The nodes of the n-grams of a length without their last tokens. */
  parents(length: number): Float64Array {
    return this.#levels[length - 1]!.parents(this.vocabulary + 1);
  }

  #key(parent: number, token: number): number {
    return parent * (this.vocabulary + 1) + token + 1;
  }
}

/** Nodes of one length: a hash table with open addressing, since a `Map` of some millions of large numbers takes a gigabyte. */
class Level {
  /** Number of nodes. */
  size = 0;
  occurrences = new Uint32Array(64);
  extensions = new Uint32Array(64);
  /** Keys by node. */
  #keys = new Float64Array(64);
  /** Nodes by slot, plus one; 0 where a slot is free. Its length is a power of two, at least twice the number of nodes. */
  #slots = new Int32Array(256);

  /** The node of a key, made when there is none. */
  child(key: number): number {
    const found = this.find(key);
    if (found >= 0) return found;
    if (this.size === this.#keys.length) this.#grow();
    const node = this.size++;
    this.#keys[node] = key;
    this.#slots[this.#slotOf(key)] = node + 1;
    return node;
  }

  find(key: number): number {
    return this.#slots[this.#slotOf(key)]! - 1;
  }

  of(what: "occurrences" | "extensions"): Uint32Array {
    return this[what].subarray(0, this.size);
  }

  parents(base: number): Float64Array {
    return this.#keys.subarray(0, this.size).map((key) => Math.floor(key / base));
  }

  /** The slot that holds a key, or the free one where it belongs. */
  #slotOf(key: number): number {
    const mask = this.#slots.length - 1;
    const high = Math.floor(key / 2 ** 32);
    let slot = Math.imul((key >>> 0) ^ Math.imul(high, 0x9e3779b1), 0x85ebca6b);
    slot = (slot ^ (slot >>> 15)) & mask;
    while (this.#slots[slot] !== 0 && this.#keys[this.#slots[slot]! - 1] !== key) slot = (slot + 1) & mask;
    return slot;
  }

  #grow(): void {
    const twice = <T extends Uint32Array | Float64Array>(old: T, made: T): T => {
      made.set(old);
      return made;
    };
    const size = 2 * this.#keys.length;
    this.#keys = twice(this.#keys, new Float64Array(size));
    this.occurrences = twice(this.occurrences, new Uint32Array(size));
    this.extensions = twice(this.extensions, new Uint32Array(size));
    this.#slots = new Int32Array(4 * size);
    for (let node = 0; node < this.size; node++) this.#slots[this.#slotOf(this.#keys[node]!)] = node + 1;
  }
}
