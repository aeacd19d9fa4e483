/**
 * Deterministic finite automata over bytes. Every automaton here is total, minimal and numbered in one way, so that two
 * of them accept the same texts exactly if their arrays are equal.
 */
import { refuseArgument, requireAutomaton } from "../guards.ts";
import { Allowance, AUTOMATON_STATES, tooManyStates } from "./allowance.ts";
import { quotient, refine } from "./refine.ts";

/** An automaton over the bytes of a text. It starts in state 0. */
export interface Automaton {
  /** Number of states. */
  readonly states: number;
  /** `[256]`: the class of each byte. Bytes of a class lead from every state to the same state. */
  readonly classes: Uint8Array;
  /** Number of classes. */
  readonly width: number;
  /** `[states, width]`: the state after a byte of each class. */
  readonly next: Int32Array;
  /** `[states]`: 1 where a text may end. */
  readonly accepting: Uint8Array;
}

/** Classes of bytes: bytes of a class are treated alike. */
export interface ByteClasses {
  /** `[256]`: the class of each byte. */
  readonly classes: Uint8Array;
  /** Number of classes. */
  readonly width: number;
}

/** How states of any kind follow each other; see {@link explore}. */
export interface Walk<T> {
  /** Identifies a state: equal keys mean that the same texts are accepted from there. */
  key(state: T): string | number;
  /** The state after a byte of a class. */
  step(state: T, byteClass: number): T;
  /** Whether a text may end here. */
  accepts(state: T): boolean;
  /** How many steps it takes to find what follows a state after one byte; 1 if omitted. */
  weight?(state: T): number;
}

/**
 * The minimal automaton of all states that can be reached.
 *
 * @param allowance what counts the steps; of this automaton alone, if omitted
 * @throws {RetortError} when there are too many, or finding them takes too long
 */
export function explore<T>(
  { classes, width }: ByteClasses,
  start: T,
  walk: Walk<T>,
  allowance: Allowance = new Allowance(),
): Automaton {
  const numbers = new Map<string | number, number>([[walk.key(start), 0]]);
  const found: T[] = [start];
  const next: number[] = [];
  for (let at = 0; at < found.length; at++) {
    allowance.spend(width * (walk.weight?.(found[at]!) ?? 1));
    for (let c = 0; c < width; c++) {
      const state = walk.step(found[at]!, c);
      const key = walk.key(state);
      let number = numbers.get(key);
      if (number === undefined) {
        numbers.set(key, number = found.length);
        found.push(state);
        if (number >= AUTOMATON_STATES) throw tooManyStates();
      }
      next.push(number);
    }
  }
  allowance.spend(found.length * width);
  return minimised({
    states: found.length,
    classes,
    width,
    next: Int32Array.from(next),
    accepting: Uint8Array.from(found, (state) => walk.accepts(state) ? 1 : 0),
  });
}

/** The automaton with the fewest states that accepts the same texts, in its one numbering. */
export function minimised(automaton: Automaton): Automaton {
  const { width, next } = automaton;
  const blocks = refine(automaton);
  // One state stands for each block; they are numbered as they are met from the start, by the first byte of each class.
  const columns = new Set(automaton.classes);
  const kept = [0], isMet = new Uint8Array(automaton.states);
  isMet[blocks[0]!] = 1;
  for (const state of kept) {
    for (const c of columns) {
      const to = next[state * width + c]!;
      if (isMet[blocks[to]!] === 1) continue;
      isMet[blocks[to]!] = 1;
      kept.push(to);
    }
  }
  const { merged, ...own } = quotient(automaton, blocks, kept, columns);
  return { ...own, classes: automaton.classes.map((c) => merged[c]!) };
}

/** The state after more bytes. */
export function follow(
  { classes, width, next }: Automaton,
  bytes: Uint8Array,
  state = 0,
): number {
  for (const byte of bytes) state = next[state * width + classes[byte]!]!;
  return state;
}

const encoder = new TextEncoder();

/** Whether an automaton accepts a text, or the bytes of one. @throws {CallError} for anything else */
export function accepts(automaton: Automaton, text: string | Uint8Array): boolean {
  requireAutomaton(automaton);
  if (typeof text !== "string" && !(text instanceof Uint8Array)) {
    return refuseArgument("the text", text, "a text or its bytes");
  }
  const bytes = typeof text === "string" ? encoder.encode(text) : text;
  return automaton.accepting[follow(automaton, bytes)] === 1;
}

/** Whether two automata accept the same texts. @throws {CallError} for anything else */
export function equalAutomata(a: Automaton, b: Automaton): boolean {
  requireAutomaton(a);
  requireAutomaton(b);
  return a.states === b.states && a.width === b.width && a.classes.every((c, i) => c === b.classes[i]) &&
    a.next.every((to, i) => to === b.next[i]) && a.accepting.every((x, i) => x === b.accepting[i]);
}

/** The fewest bytes of a text that an automaton accepts; Infinity if it accepts none. @throws {CallError} for anything else */
export function shortestText(automaton: Automaton): number {
  requireAutomaton(automaton);
  const { states, width, next, accepting } = automaton;
  const distance = new Float64Array(states).fill(Infinity);
  distance[0] = 0;
  const queue = [0];
  for (const state of queue) {
    if (accepting[state] === 1) return distance[state]!;
    for (let c = 0; c < width; c++) {
      const to = next[state * width + c]!;
      if (distance[to] !== Infinity) continue;
      distance[to] = distance[state]! + 1;
      queue.push(to);
    }
  }
  return Infinity;
}

/** The coarsest classes that tell apart what either of two partitions does, with the class of each in the two. */
export function commonClasses(
  a: ByteClasses,
  b: ByteClasses,
): ByteClasses & { readonly pairs: readonly (readonly [number, number])[] } {
  const numbers = new Map<number, number>();
  const pairs: [number, number][] = [];
  const classes = Uint8Array.from({ length: 256 }, (_, byte) => {
    const key = a.classes[byte]! * 256 + b.classes[byte]!;
    let own = numbers.get(key);
    if (own === undefined) {
      numbers.set(key, own = pairs.length);
      pairs.push([a.classes[byte]!, b.classes[byte]!]);
    }
    return own;
  });
  return { classes, width: pairs.length, pairs };
}
