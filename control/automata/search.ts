import { type Automaton, explore } from "./automaton.ts";
import { AUTOMATON_STATES, tooManyStates } from "./allowance.ts";

/**
 * Accepts texts that contain one of several strings of bytes. Source: Aho and Corasick, "Efficient String Matching"
 * (1975). No strings accept nothing, an empty one everything.
 */
export function containing(strings: readonly Uint8Array[]): Automaton {
  const trie: { to: Map<number, number>; fallback: number; found: boolean }[] = [];
  const node = () => {
    if (trie.length === AUTOMATON_STATES) throw tooManyStates();
    return trie.push({ to: new Map(), fallback: 0, found: false }) - 1;
  };
  node();
  for (const string of strings) {
    let at = 0;
    for (const byte of string) {
      let to = trie[at]!.to.get(byte);
      if (to === undefined) trie[at]!.to.set(byte, to = node());
      at = to;
    }
    trie[at]!.found = true;
  }
  /** The longest suffix of what was read that begins a string, after one more byte. */
  const after = (at: number, byte: number): number => {
    for (;; at = trie[at]!.fallback) {
      const to = trie[at]!.to.get(byte);
      if (to !== undefined) return to;
      if (at === 0) return 0;
    }
  };
  const queue = [0];
  for (const at of queue) {
    for (const [byte, to] of trie[at]!.to) {
      if (at !== 0) trie[to]!.fallback = after(trie[at]!.fallback, byte);
      trie[to]!.found ||= trie[trie[to]!.fallback]!.found;
      queue.push(to);
    }
  }
  // A class for each byte that occurs, and one for all others.
  const bytes = [...new Set(strings.flatMap((string) => [...string]))];
  const classes = new Uint8Array(256);
  // With all 256 bytes there are no others, and the first byte takes their class.
  const first = bytes.length === 256 ? 0 : 1;
  bytes.forEach((byte, i) => classes[byte] = i + first);
  const any = first === 1 ? [-1, ...bytes] : bytes;
  const FOUND = -1;
  const settled = (at: number) => trie[at]!.found ? FOUND : at;
  return explore({ classes, width: any.length }, settled(0), {
    key: (state) => state,
    step: (state, c) => state === FOUND ? FOUND : settled(any[c] === -1 ? 0 : after(state, any[c]!)),
    accepts: (state) => state === FOUND,
  });
}
