import type { Automaton } from "../automata/automaton.ts";
import { Allowance } from "../automata/allowance.ts";
import { quotient, refine } from "../automata/refine.ts";
import { PieceTrie } from "./trie.ts";
import { BEGINNING, type Spelling, type SpellingContext } from "./spelling.ts";

/**
 * An automaton over tokens. Tokens of a class lead from every state to the same state, so that one number stands for
 * what thousands of tokens do; tokens that are no text have no class and lead nowhere.
 */
export interface TokenAutomaton {
  /** Number of states. */
  readonly states: number;
  /** The state in which a text begins, by the context of what precedes it. */
  readonly starts: Readonly<Partial<Record<SpellingContext, number>>>;
  /** `[tokens]`: the class of each token; -1 for tokens that are no text. */
  readonly classes: Int32Array;
  /** Number of classes. */
  readonly width: number;
  /** `[states, width]`: the state after a token of each class. */
  readonly next: Int32Array;
  /** `[states]`: 1 where a text may end. */
  readonly accepting: Uint8Array;
}

/** What is made here, for messages. */
const OVER_TOKENS = "the automaton of this constraint over the vocabulary's tokens";
/** Following a token is quick. */
const TOKENS_A_STEP = 25;

/** What is lifted: automaton, spelling and the tries of tokens in each context. */
export class Lifting {
  readonly #spelling: Spelling;
  readonly #tries: Map<SpellingContext, PieceTrie>;

  /** Prepares the lifting of any number of automata over one spelling. */
  constructor(spelling: Spelling) {
    this.#spelling = spelling;
    this.#tries = new Map(spelling.contexts.map((context) => [context, new PieceTrie(spelling, context)]));
  }

  /**
   * The automaton over tokens that accepts a sequence of tokens exactly if the automaton over bytes accepts its text: of
   * a text that can be cut into tokens in several ways, every way is accepted.
   *
   * @param allowance what counts the steps
   * @throws {RetortError} when states and tokens are so many that it takes too long
   */
  lift(automaton: Automaton, allowance: Allowance = new Allowance(OVER_TOKENS)): TokenAutomaton {
    const { contexts, tokens } = this.#spelling;
    const kinds = contexts.length;
    const sinks = sinksOf(automaton);
    const keys: number[] = [], numbers = new Map<number, number>();
    const numberOf = (key: number) => {
      let number = numbers.get(key);
      if (number === undefined) {
        numbers.set(key, number = keys.length);
        keys.push(key);
      }
      return number;
    };
    const starts = Object.fromEntries(contexts.map((context, i) => [context, numberOf(i)]));
    const classes = new Int32Array(tokens).fill(-1);
    const row = new Int32Array(tokens);
    let width = 0;
    for (let at = 0; at < keys.length; at++) {
      allowance.spend(tokens / TOKENS_A_STEP);
      const key = keys[at]!;
      const trie = this.#tries.get(contexts[key % kinds]!)!;
      trie.follow(automaton, sinks, Math.floor(key / kinds), row);
      // What tokens of one class do in this state divides the class.
      const parts = new Map<number, number>();
      width = 0;
      for (let token = 0; token < tokens; token++) {
        if (row[token] === -1) continue;
        const to = numberOf(row[token]! * kinds + trie.contexts[token]!);
        const part = (classes[token]! + 1) * 0x1000000 + to;
        let own = parts.get(part);
        if (own === undefined) parts.set(part, own = width++);
        classes[token] = own;
      }
    }
    const chosen = new Int32Array(width);
    classes.forEach((c, token) => c >= 0 && (chosen[c] = token));
    const next = new Int32Array(keys.length * width);
    keys.forEach((key, state) => {
      const trie = this.#tries.get(contexts[key % kinds]!)!;
      chosen.forEach((token, c) => {
        const to = trie.after(automaton, Math.floor(key / kinds), token);
        next[state * width + c] = numbers.get(to * kinds + trie.contexts[token]!)!;
      });
    });
    const accepting = Uint8Array.from(keys, (key) => automaton.accepting[Math.floor(key / kinds)]!);
    return smallest({ states: keys.length, starts, classes, width, next, accepting });
  }
}

/** States that no byte leaves. */
function sinksOf({ states, width, next }: Automaton): Uint8Array {
  return Uint8Array.from({ length: states }, (_, state) => {
    for (let c = 0; c < width; c++) if (next[state * width + c] !== state) return 0;
    return 1;
  });
}

/** The automaton with one state for all from which the same is accepted, and one class for tokens that do the same. */
function smallest(automaton: TokenAutomaton): TokenAutomaton {
  const blocks = refine(automaton);
  // One state stands for each block; they are numbered as their first states are.
  const kept = [...new Set(blocks)];
  const { merged, ...own } = quotient(automaton, blocks, kept, Array(automaton.width).keys());
  return {
    ...own,
    starts: Object.fromEntries(
      Object.entries(automaton.starts).map(([context, state]) => [context, kept.indexOf(blocks[state!]!)]),
    ),
    classes: automaton.classes.map((c) => c < 0 ? -1 : merged[c]!),
  };
}

/** The state after a token, or -1 for a token that is no text. */
export function stateAfter({ classes, width, next }: TokenAutomaton, state: number, token: number): number {
  const own = classes[token] ?? -1;
  return own < 0 || state < 0 ? -1 : next[state * width + own]!;
}

/** Whether an automaton accepts tokens that begin a text. */
export function acceptsTokens(automaton: TokenAutomaton, tokens: Iterable<number>): boolean {
  let state = automaton.starts[BEGINNING]!;
  for (const token of tokens) state = stateAfter(automaton, state, token);
  return state >= 0 && automaton.accepting[state] === 1;
}
