import type { ByteClasses } from "../automata/automaton.ts";
import type { Allowance } from "../automata/allowance.ts";
import type { RegexNodes } from "./nodes.ts";

/** Sets of nodes, each known by a number; 0 is the empty set. */
export class NodeSets {
  readonly #nodes: RegexNodes["nodes"];
  readonly #numbers = new Map<string, number>([["", 0]]);
  readonly #sets: (readonly number[])[] = [[]];
  readonly #closures = new Map<string, readonly number[]>();
  readonly #moves = new Map<string, number>();
  readonly #looks = new Map<string, number>();
  readonly #allowance: Allowance;
  /** A byte of each class. */
  readonly #bytes: readonly number[];

  /** Sets of these nodes; `allowance` counts what it takes to follow them. */
  constructor(nodes: RegexNodes["nodes"], { classes, width }: ByteClasses, allowance: Allowance) {
    this.#nodes = nodes;
    this.#allowance = allowance;
    this.#bytes = Array.from({ length: width }, (_, c) => classes.indexOf(c));
  }

  /** The set with one more node. */
  with(set: number, node: number): number {
    const nodes = this.#sets[set]!;
    return nodes.includes(node) ? set : this.#number([...nodes, node]);
  }

  /** Whether a node is reached without reading anything. `bits`: bit `i` says whether look-around `i` holds here. */
  reaches(set: number, bits: number, node: number): boolean {
    return this.#closure(set, bits).includes(node);
  }

  /** The set after a byte of a class. */
  move(set: number, bits: number, byteClass: number): number {
    if (set === 0) return 0;
    const key = `${set},${bits},${byteClass}`;
    let moved = this.#moves.get(key);
    if (moved === undefined) {
      const byte = this.#bytes[byteClass]!, found = new Set<number>();
      const closure = this.#closure(set, bits);
      this.#allowance.spend(closure.length);
      for (const at of closure) {
        for (const { from, to, node } of this.#nodes[at]!.bytes) {
          if (from <= byte && byte <= to) found.add(node);
        }
      }
      this.#moves.set(key, moved = this.#number([...found]));
    }
    return moved;
  }

  #closure(set: number, bits: number): readonly number[] {
    const key = `${set},${bits}`;
    let closure = this.#closures.get(key);
    if (closure === undefined) {
      const found = new Set(this.#sets[set]);
      for (const at of found) {
        for (const { node, look, negate } of this.#nodes[at]!.free) {
          if (look === undefined || (bits >> look & 1) === (negate ? 0 : 1)) found.add(node);
        }
      }
      this.#allowance.spend(found.size);
      this.#closures.set(key, closure = [...found]);
    }
    return closure;
  }

  /**
   * The look-arounds, as bits, that could decide what is reached without reading anything, where those before `unknown` are
   * as `bits` say and nothing is known of the others.
   */
  looks(set: number, bits: number, unknown: number): number {
    const known = bits & (1 << unknown) - 1, key = `${set},${known},${unknown}`;
    let found = this.#looks.get(key);
    if (found === undefined) {
      found = 0;
      const reached = new Set(this.#sets[set]);
      for (const at of reached) {
        for (const { node, look, negate } of this.#nodes[at]!.free) {
          if (look !== undefined) found |= 1 << look;
          if (look === undefined || look >= unknown || (known >> look & 1) === (negate ? 0 : 1)) {
            reached.add(node);
          }
        }
      }
      this.#allowance.spend(reached.size);
      this.#looks.set(key, found);
    }
    return found;
  }

  /** Whether a set holds all nodes of another. */
  includes(set: number, other: number): boolean {
    if (set === other || other === 0) return true;
    const nodes = this.#sets[set]!;
    return this.#sets[other]!.every((node) => nodes.includes(node));
  }

  #number(nodes: readonly number[]): number {
    const sorted = nodes.toSorted((a, b) => a - b), key = sorted.join();
    let number = this.#numbers.get(key);
    if (number === undefined) {
      this.#numbers.set(key, number = this.#sets.length);
      this.#sets.push(sorted);
    }
    return number;
  }
}

/** Classes of bytes that no edge tells apart. */
export function byteClassesOf({ nodes }: RegexNodes): ByteClasses {
  // The beginnings of characters of each length, and bytes inside characters, are told apart as well.
  const cuts = new Set([0, 0x80, 0xc0, 0xe0, 0xf0]);
  for (const { bytes } of nodes) {
    for (const { from, to } of bytes) cuts.add(from).add(to + 1);
  }
  let own = -1;
  const classes = Uint8Array.from({ length: 256 }, (_, byte) => cuts.has(byte) ? ++own : own);
  return { classes, width: own + 1 };
}
