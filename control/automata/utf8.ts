import { type Automaton, explore } from "./automaton.ts";

/** A sequence of byte ranges: one range for each byte of a character. */
export type ByteRanges = readonly (readonly [number, number])[];

const LIMITS = [0x7f, 0x7ff, 0xffff, 0x10ffff];

/**
 * The UTF-8 encodings of the characters `from` to `to` as sequences of byte ranges; surrogates have none. Source: the
 * method of Thompson and Cox, "Regular Expression Matching in the Wild" (2010).
 */
export function utf8Ranges(from: number, to: number): ByteRanges[] {
  if (from > to) return [];
  if (from <= 0xdfff && to >= 0xd800) {
    return [...utf8Ranges(from, Math.min(to, 0xd7ff)), ...utf8Ranges(Math.max(from, 0xe000), to)];
  }
  for (const limit of LIMITS) {
    if (from <= limit && limit < to) return [...utf8Ranges(from, limit), ...utf8Ranges(limit + 1, to)];
  }
  // Split until all bytes after the first that differs run from the lowest to the highest.
  const length = to <= 0x7f ? 1 : to <= 0x7ff ? 2 : to <= 0xffff ? 3 : 4;
  for (let i = 1; i < length; i++) {
    const low = (1 << 6 * i) - 1;
    if ((from & ~low) === (to & ~low)) continue;
    if ((from & low) !== 0) return [...utf8Ranges(from, from | low), ...utf8Ranges((from | low) + 1, to)];
    if ((to & low) !== low) return [...utf8Ranges(from, (to & ~low) - 1), ...utf8Ranges(to & ~low, to)];
  }
  const a = encoded(from, length), b = encoded(to, length);
  return [a.map((byte, i) => [byte, b[i]!] as const)];
}

function encoded(code: number, length: number): number[] {
  if (length === 1) return [code];
  const bytes: number[] = [];
  for (let i = 1; i < length; i++) {
    bytes.unshift(0x80 | code & 0x3f);
    code >>= 6;
  }
  return [[0xc0, 0xe0, 0xf0][length - 2]! | code, ...bytes];
}

/** Sequences of ranges for the bytes that are still to come, of all characters that a byte began. */
type Rests = readonly ByteRanges[];

/** Accepts every text: all sequences of bytes that are UTF-8. */
export const UTF8: Automaton = validUtf8();

function validUtf8(): Automaton {
  const whole: Rests = utf8Ranges(0, 0x10ffff);
  const cuts = new Set(whole.flatMap((ranges) => ranges.flatMap(([from, to]) => [from, to + 1])));
  let own = -1;
  const classes = Uint8Array.from({ length: 256 }, (_, byte) => byte === 0 || cuts.has(byte) ? ++own : own);
  return explore<Rests | undefined>({ classes, width: own + 1 }, [], {
    key: (rests) => JSON.stringify(rests) ?? "",
    step(rests, c) {
      if (rests === undefined) return undefined;
      const byte = classes.indexOf(c);
      const left = (rests.length === 0 ? whole : rests)
        .filter(([first]) => first![0] <= byte && byte <= first![1]).map((ranges) => ranges.slice(1));
      return left.length === 0 ? undefined : left.filter((ranges) => ranges.length > 0);
    },
    accepts: (rests) => rests?.length === 0,
  });
}
