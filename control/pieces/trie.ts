import { type Automaton, follow } from "../automata/automaton.ts";
import type { Spelling, SpellingContext } from "./spelling.ts";

/** The tokens in one context as a tree of their bytes: what tokens share is read once. */
export class PieceTrie {
  /** `[tokens]`: the position of the context that each token leaves among those of the spelling. */
  readonly contexts: Uint8Array;
  readonly #bytes: (Uint8Array | undefined)[];
  /** Tokens in the order of their bytes. */
  readonly #order: Int32Array;
  /** Of each token in that order, how many bytes it shares with the one before. */
  readonly #shared: Int32Array;
  readonly #longest: number;

  /** The tokens of a spelling in a context. */
  constructor(spelling: Spelling, context: SpellingContext) {
    const { tokens, contexts } = spelling;
    this.contexts = new Uint8Array(tokens);
    this.#bytes = Array.from({ length: tokens }, (_, token) => {
      const spelled = spelling.spell(token, context);
      if (spelled !== undefined) this.contexts[token] = contexts.indexOf(spelled.context);
      return spelled?.bytes;
    });
    const known = [...this.#bytes.keys()].filter((token) => this.#bytes[token] !== undefined);
    this.#order = Int32Array.from(known.sort((a, b) => compared(this.#bytes[a]!, this.#bytes[b]!)));
    this.#shared = this.#order.map((token, i) =>
      i === 0 ? 0 : sharedBytes(this.#bytes[this.#order[i - 1]!]!, this.#bytes[token]!)
    );
    this.#longest = known.reduce((most, token) => Math.max(most, this.#bytes[token]!.length), 0);
  }

  /**
   * Writes to `row` the state that each token leads to from a state; -1 for tokens that are no text.
   *
   * @param sinks 1 for states that no byte leaves
   */
  follow({ classes, width, next }: Automaton, sinks: Uint8Array, state: number, row: Int32Array): void {
    row.fill(-1);
    // States after each number of bytes of the current token.
    const states = new Int32Array(this.#longest + 1).fill(state);
    let known = 0;
    for (let i = 0; i < this.#order.length; i++) {
      const token = this.#order[i]!, bytes = this.#bytes[token]!;
      let length = Math.min(known, this.#shared[i]!), at = states[length]!;
      while (length < bytes.length && sinks[at] === 0) {
        at = next[at * width + classes[bytes[length]!]!]!;
        states[++length] = at;
      }
      known = length;
      row[token] = at;
    }
  }

  /** The state that a token leads to from a state. */
  after(automaton: Automaton, state: number, token: number): number {
    return follow(automaton, this.#bytes[token]!, state);
  }
}

function sharedBytes(a: Uint8Array, b: Uint8Array): number {
  let length = 0;
  while (length < a.length && length < b.length && a[length] === b[length]) length++;
  return length;
}

function compared(a: Uint8Array, b: Uint8Array): number {
  const at = sharedBytes(a, b);
  return (a[at] ?? -1) - (b[at] ?? -1);
}
