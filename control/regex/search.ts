import { type Automaton, type ByteClasses, explore } from "../automata/automaton.ts";
import { Allowance } from "../automata/allowance.ts";
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

/** A reading at a place, with what begins there. Bit `i` of `bits` says whether look-around `i` holds there. */
type Placed = Reading & { readonly bits: number };

/**
 * Accepts texts in which an expression is found, as `RegExp.prototype.test` does.
 *
 * What a look-behind says of a place is known when the place is reached. What a look-ahead says is guessed where it decides
 * how the expression may go on, and each guess is followed until the text has shown it right; a reading whose guess is shown
 * wrong is dropped. The look-around inside another is told by the same guesses. (The standard construction for alternating
 * automata: Chandra, Kozen and Stockmeyer, "Alternation", 1981.)
 *
 * @param what how the expression is named in messages
 * @throws {RetortError} when that takes too long
 */
export function searching(regex: RegexNodes, what: string): Automaton {
  const classes = byteClassesOf(regex);
  return new Search(regex, classes, new Allowance(`the automaton of ${what}`, LOOKS)).automaton(classes);
}

/** What to write in the place of many look-aheads. */
const LOOKS =
  "Shorten bounded repetitions, `{0,40}`, and write look-aheads as expressions of their own: `all(matches(/[A-Z]/), matches(/^.{8,16}$/))` asks for both.";

class Search {
  readonly #regex: RegexNodes;
  readonly #sets: NodeSets;
  readonly #lengths: readonly number[];
  readonly #allowance: Allowance;
  /** For each look-around, the set of its first node. */
  readonly #starts: readonly number[];
  /** What {@link Search.#placed} said last: it is asked once for each class of bytes. */
  readonly #known = new WeakMap<Reading, readonly Placed[]>();

  constructor(regex: RegexNodes, classes: ByteClasses, allowance: Allowance) {
    this.#regex = regex;
    this.#sets = new NodeSets(regex.nodes, classes, allowance);
    this.#allowance = allowance;
    this.#lengths = Array.from({ length: classes.width }, (_, c) => lengthAfter(classes.classes.indexOf(c)));
    this.#starts = regex.looks.map(({ start }) => this.#sets.with(0, start));
  }

  automaton(classes: ByteClasses): Automaton {
    const first: Reading = {
      main: 0,
      pending: 0,
      behind: this.#regex.looks.map(() => 0),
      claims: [],
    };
    return explore<readonly Reading[]>(
      classes,
      [first],
      {
        key: (readings) => readings.map(keyOf).sort().join("|"),
        step: (readings, c) => {
          const after = new Map<string, Reading>();
          for (const reading of readings) {
            for (const { bits, ...here } of this.#placed(reading)) {
              const next = this.#read(here, bits, c);
              if (next !== undefined) after.set(keyOf(next), next);
            }
          }
          return this.#needed([...after.values()]);
        },
        accepts: (readings) =>
          readings.some((reading) =>
            this.#placed(reading).some(({ bits, ...here }) => this.#ends(here, bits))
          ),
        weight: (readings) => readings.length,
      },
      this.#allowance,
    );
  }

  /** Readings without those that accept nothing which another does not accept as well. */
  #needed(readings: readonly Reading[]): readonly Reading[] {
    const settled = readings.find(({ main, claims }) => main === FOUND && claims.length === 0);
    if (settled !== undefined) return [{ ...settled, behind: settled.behind.map(() => 0) }];
    this.#allowance.spend(readings.length ** 2);
    const isWeaker = (a: Reading, b: Reading) =>
      (a.main === FOUND || b.main !== FOUND && this.#sets.includes(a.main, b.main)) &&
      a.claims.every((claim) => b.claims.includes(claim)) &&
      a.behind.every((nodes, i) => nodes === b.behind[i]);
    return readings.filter((one) => !readings.some((other) => other !== one && isWeaker(other, one)));
  }

  #placed(reading: Reading): readonly Placed[] {
    let placed = this.#known.get(reading);
    if (placed === undefined) {
      placed = this.#place(reading);
      this.#allowance.spend(placed.length * (1 + reading.claims.length + reading.behind.length));
      this.#known.set(reading, placed);
    }
    return placed;
  }

  /** The reading with what begins at this place, for each guess. */
  #place(reading: Reading): readonly Placed[] {
    if (reading.pending > 0 || reading.main === FOUND && reading.claims.length === 0) {
      return [{ ...reading, bits: 0 }];
    }
    const { looks, whole } = this.#regex;
    const main = reading.main === FOUND ? FOUND : this.#sets.with(reading.main, whole.start);
    let ways: readonly Placed[] = [{ ...reading, main, bits: 0 }];
    looks.forEach(({ kind, start, end, asked }, i) => {
      if (kind === "behind") {
        ways = ways.map((way) => {
          const nodes = this.#sets.with(way.behind[i]!, start);
          const holds = this.#sets.reaches(nodes, way.bits, end);
          return { ...way, behind: way.behind.with(i, nodes), bits: way.bits | (holds ? 1 << i : 0) };
        });
        return;
      }
      ways = ways.flatMap((way) => {
        if ((this.#deciding(way, i) >> i & 1) === 0) return [way];
        const claimed = (bit: 0 | 1): readonly Claim[] => [
          ...way.claims,
          ...(bit === 1 ? asked.holds : asked.fails) ? [`${i},${bit},${this.#starts[i]!}` as const] : [],
        ];
        // Where it matters only that it holds, nothing is said by not using it.
        return [
          { ...way, claims: claimed(0) },
          { ...way, claims: claimed(1), bits: way.bits | 1 << i },
        ];
      });
      this.#allowance.spend(ways.length);
    });
    return ways;
  }

  /** The look-arounds that can decide how a reading goes on from here, as bits; those before `unknown` are known. */
  #deciding({ main, claims, behind, bits }: Placed, unknown: number): number {
    const { looks } = this.#regex;
    const of = (set: number) => this.#sets.looks(set, bits, unknown);
    let found = main === FOUND ? 0 : of(main);
    for (const claim of claims) found |= of(Number(claim.slice(claim.lastIndexOf(",") + 1)));
    looks.forEach(({ kind, start }, i) => {
      if (kind === "behind") found |= of(this.#sets.with(behind[i]!, start));
    });
    // A look-ahead that is guessed here begins here; those inside it come before it.
    for (let i = looks.length - 1; i >= unknown; i--) {
      if ((found >> i & 1) === 1 && looks[i]!.kind === "ahead") found |= of(this.#starts[i]!);
    }
    return found;
  }

  #read(reading: Reading, bits: number, byteClass: number): Reading | undefined {
    const length = this.#lengths[byteClass]!;
    // A character inside another, or none where one must go on.
    if ((length < 0) !== (reading.pending > 0)) return undefined;
    const claims = new Set<Claim>();
    this.#allowance.spend(4 * (1 + reading.claims.length));
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
