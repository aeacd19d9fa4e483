import { intersection } from "../automata/algebra.ts";
import { type ByteClasses, explore } from "../automata/automaton.ts";
import { UTF8 } from "../automata/utf8.ts";
import { requireRange } from "../guards.ts";
import type { Constraint } from "./constraint.ts";

/** What `\s` of JavaScript finds, as UTF-8, a character for each byte. */
const SPACES = new Set(
  Array.from({ length: 0x10000 }, (_, code) => String.fromCharCode(code)).filter((letter) =>
    /\s/.test(letter)
  )
    .map((letter) => String.fromCharCode(...new TextEncoder().encode(letter))),
);
/** Beginnings of these of more than one byte, the empty one first. */
const BEGUN = [
  ...new Set([...SPACES].flatMap((space) => Array.from(space, (_, length) => space.slice(0, length)))),
];

/** What a byte makes of what was begun: a space, a beginning, or a part of a word. */
function after(begun: string, byte: number): "space" | "word" | { readonly begun: string } {
  const bytes = begun + String.fromCharCode(byte);
  return SPACES.has(bytes) ? "space" : BEGUN.includes(bytes) ? { begun: bytes } : "word";
}

/** Bytes that make the same of all that was begun are of one class, but where they begin something. */
function spaceClasses(): ByteClasses {
  const numbers = new Map<string, number>();
  const classes = Uint8Array.from({ length: 256 }, (_, byte) => {
    const key = JSON.stringify(BEGUN.map((begun) => after(begun, byte)));
    if (!numbers.has(key)) numbers.set(key, numbers.size);
    return numbers.get(key)!;
  });
  return { classes, width: numbers.size };
}

const CLASSES = spaceClasses();
/** A byte of each class. */
const BYTES = Array.from({ length: CLASSES.width }, (_, c) => CLASSES.classes.indexOf(c));

/** Where a text stands. */
interface Counted {
  /** Words so far, one that goes on included. */
  readonly count: number;
  /** Whether the last character was part of a word. */
  readonly isInside: boolean;
  /** Bytes of a character that may become a space. */
  readonly begun: string;
}

/**
 * The text has `least` to `most` words: what white space separates, as `\s` of JavaScript finds it: blanks, tabs and line
 * ends, and those of Unicode, such as the one that breaks no line. `most` may be `Infinity`.
 *
 * @throws {CallError} when the least number exceeds the greatest
 */
export function words(least: number, most: number = least): Constraint {
  requireRange("words", least, most, false);
  /** Words beyond this many need not be counted. */
  const enough = most === Infinity ? least : most + 1;
  const counting = explore<Counted>(CLASSES, { count: 0, isInside: false, begun: "" }, {
    key: ({ count, isInside, begun }) => `${count}${isInside ? "w" : " "}${begun}`,
    step(state, c) {
      const next = after(state.begun, BYTES[c]!);
      if (next === "space") return { count: state.count, isInside: false, begun: "" };
      if (next !== "word") return { ...state, begun: next.begun };
      const count = state.isInside ? state.count : Math.min(enough, state.count + 1);
      return { count, isInside: true, begun: "" };
    },
    accepts: ({ count }) => count >= least && count <= most,
  });
  // No word ends inside a character.
  return { label: `words(${least}, ${most})`, automaton: intersection(counting, UTF8), texts: [] };
}
