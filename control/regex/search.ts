import { type Automaton, type ByteClasses, explore } from "../automata/automaton.ts";
import { byteClassesOf, NodeSets } from "./node_sets.ts";
import type { RegexNodes } from "./nodes.ts";

/** What must become true, or must not, of a look-ahead that was begun: the nodes that it has come to. */
type Claim = `${number},${0 | 1},${number}`;

/** One way in which a text may have been read so far. */
interface Reading {
  /** The nodes that the expression has come to; -1 once it was found. */
  readonly main: number;
  /** Bytes that the current character still has. */
  readonly pending: number;
  /** For each look-behind, the nodes that it has come to. */
  readonly behind: readonly number[];
  /** Claims on what follows. */
  readonly claims: readonly Claim[];
}

const FOUND = -1;

/**
 * Accepts texts in which an expression is found, as `RegExp.prototype.test` does.
 *
 * What a look-behind says of a place is known when the place is reached. What a look-ahead says is guessed, and each
 * guess is followed until the text has shown it right; a reading whose guess is shown wrong is dropped. The look-around
 * inside another is told by the same guesses. (The standard construction for alternating automata: Chandra, Kozen and
 * Stockmeyer, "Alternation", 1981.)
 */
export function searching(regex: RegexNodes): Automaton {
  const classes = byteClassesOf(regex);
  return new Search(regex, classes).automaton(classes);
}

class Search {
  readonly #regex: RegexNodes;
  readonly #sets: NodeSets;
  readonly #lengths: readonly number[];
  /** All guesses: bit `i` is for look-around `i`. */
  readonly #guesses: readonly number[];

  constructor(regex: RegexNodes, classes: ByteClasses) {
    this.#regex = regex;
    this.#sets = new NodeSets(regex.nodes, classes);
    this.#lengths = Array.from({ length: classes.width }, (_, c) => lengthAfter(classes.classes.indexOf(c)));
    let guesses = [0];
    regex.looks.forEach(({ kind }, i) => {
      if (kind === "ahead") guesses = guesses.flatMap((bits) => [bits, bits | 1 << i]);
    });
    this.#guesses = guesses;
  }

  automaton(classes: ByteClasses): Automaton {
    const first: Reading = {
      main: 0,
      pending: 0,
      behind: this.#regex.looks.map(() => 0),
      claims: [],
    };
    return explore<readonly Reading[]>(classes, [first], {
      key: (readings) => readings.map(keyOf).sort().join("|"),
      step: (readings, c) => {
        const after = new Map<string, Reading>();
        for (const reading of readings) {
          for (const { bits, ...here } of this.#placed(reading)) {
            const next = this.#read(here, bits, c);
            if (next !== undefined) after.set(keyOf(next), next);
          }
        }
        // What was found with no claim left needs no other reading.
        const settled = [...after.values()].find((one) =>
          one.main === FOUND && one.claims.length === 0 && one.pending === 0
        );
        return settled !== undefined && this.#regex.looks.length === 0 ? [settled] : [...after.values()];
      },
      accepts: (readings) =>
        readings.some((reading) => this.#placed(reading).some(({ bits, ...here }) => this.#ends(here, bits))),
    });
  }

  /** The reading with what begins at this place, for each guess, with the bits of all look-arounds here. */
  #placed(reading: Reading): (Reading & { readonly bits: number })[] {
    if (reading.pending > 0) return [{ ...reading, bits: 0 }];
    const { looks, whole } = this.#regex;
    return this.#guesses.map((guess) => {
      let bits = 0;
      const behind = [...reading.behind];
      const claims = new Set(reading.claims);
      looks.forEach(({ kind, start, end }, i) => {
        if (kind === "ahead") {
          const bit = (guess >> i & 1) as 0 | 1;
          bits |= bit << i;
          claims.add(`${i},${bit},${this.#sets.with(0, start)}`);
        } else {
          behind[i] = this.#sets.with(behind[i]!, start);
          if (this.#sets.reaches(behind[i]!, bits, end)) bits |= 1 << i;
        }
      });
      const main = reading.main === FOUND ? FOUND : this.#sets.with(reading.main, whole.start);
      return { ...reading, main, behind, claims: [...claims], bits };
    });
  }

  #read(reading: Reading, bits: number, byteClass: number): Reading | undefined {
    const length = this.#lengths[byteClass]!;
    // A character inside another, or none where one must go on.
    if ((length < 0) !== (reading.pending > 0)) return undefined;
    const claims = new Set<Claim>();
    for (const claim of reading.claims) {
      const [look, expected, nodes] = claim.split(",").map(Number) as [number, 0 | 1, number];
      if (this.#sets.reaches(nodes, bits, this.#regex.looks[look]!.end)) {
        if (expected === 0) return undefined;
        continue;
      }
      const moved = this.#sets.move(nodes, bits, byteClass);
      if (moved !== 0) claims.add(`${look},${expected},${moved}`);
      else if (expected === 1) return undefined;
    }
    const isFound = reading.main === FOUND ||
      this.#sets.reaches(reading.main, bits, this.#regex.whole.end);
    return {
      main: isFound ? FOUND : this.#sets.move(reading.main, bits, byteClass),
      pending: length < 0 ? reading.pending - 1 : length,
      behind: reading.behind.map((nodes) => this.#sets.move(nodes, bits, byteClass)),
      claims: [...claims].sort(),
    };
  }

  #ends(reading: Reading, bits: number): boolean {
    return reading.pending === 0 &&
      (reading.main === FOUND || this.#sets.reaches(reading.main, bits, this.#regex.whole.end)) &&
      reading.claims.every((claim) => {
        const [look, expected, nodes] = claim.split(",").map(Number) as [number, number, number];
        return this.#sets.reaches(nodes, bits, this.#regex.looks[look]!.end) === (expected === 1);
      });
  }
}

function keyOf({ main, pending, behind, claims }: Reading): string {
  return `${main};${pending};${behind.join()};${claims.join(" ")}`;
}

/** How many bytes follow the first byte of a character; -1 for a byte inside one. */
function lengthAfter(byte: number): number {
  if (byte < 0x80) return 0;
  if (byte < 0xc0) return -1;
  return byte < 0xe0 ? 1 : byte < 0xf0 ? 2 : 3;
}
