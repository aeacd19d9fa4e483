import type { CharSet } from "refa";
import { RetortError } from "../../foundation/errors.ts";
import type { Automaton } from "../automata/automaton.ts";
import { utf8Ranges } from "../automata/utf8.ts";

/** A node of a nondeterministic automaton over bytes. */
interface Node {
  /** Edges that read a byte. */
  readonly bytes: { readonly from: number; readonly to: number; readonly node: number }[];
  /** Edges that read nothing; with `look`, only where that look-around holds (or, if `negate`, does not hold). */
  readonly free: { readonly node: number; readonly look?: number; readonly negate?: boolean }[];
}

/** A part of an expression: begins at one node and ends at another. */
export interface RegexPart {
  /** The node at its beginning. */
  readonly start: number;
  /** The node at its end. */
  readonly end: number;
}

/** A look-around without its negation. */
export interface Look extends RegexPart {
  /** Whether it looks at what follows, or at what precedes. */
  readonly kind: "ahead" | "behind";
  /** Whether it matters anywhere that it holds, and that it does not. */
  readonly asked: { holds: boolean; fails: boolean };
}

/** A part of an expression: one that `refa` parsed, or an automaton for the bytes that stand there. */
export type RegexElement =
  | { readonly type: "CharacterClass"; readonly characters: CharSet }
  | { readonly type: "Alternation"; readonly alternatives: RegexAlternatives }
  | {
    readonly type: "Quantifier";
    readonly alternatives: RegexAlternatives;
    readonly min: number;
    readonly max: number;
  }
  | {
    readonly type: "Assertion";
    readonly kind: Look["kind"];
    readonly negate: boolean;
    readonly alternatives: RegexAlternatives;
  }
  | { readonly type: "Unknown"; readonly id: string }
  | { readonly type: "Automaton"; readonly automaton: Automaton };

/** Sequences of parts, any of which may stand there. */
export type RegexAlternatives = readonly { readonly elements: readonly RegexElement[] }[];

/** Largest number of nodes of an expression. */
const MOST_NODES = 200_000;

/** A regular expression as nodes, with its look-arounds, inner ones before those that hold them. */
export class RegexNodes {
  /** All nodes. */
  readonly nodes: Node[] = [];
  /** All look-arounds; equal ones are held once. */
  readonly looks: Look[] = [];
  /** The expression itself. */
  readonly whole: RegexPart;
  readonly #known = new Map<string, number>();
  readonly #within = new Map<number, [look: number, negate: boolean][]>();
  /** The look-arounds that were met in the part that is being made, with whether they are negated there. */
  #met: [look: number, negate: boolean][] = [];

  /** Nodes of an expression. */
  constructor(alternatives: RegexAlternatives) {
    this.whole = this.#alternatives(alternatives);
    this.#ask(this.#met, true);
  }

  /** Notes what is asked of look-arounds, and of those inside them, where what holds them is to match or is not to. */
  #ask(met: readonly [look: number, negate: boolean][], matches: boolean): void {
    for (const [index, negate] of met) {
      const { asked } = this.looks[index]!, name = negate === matches ? "fails" : "holds";
      if (asked[name]) continue;
      asked[name] = true;
      this.#ask(this.#within.get(index)!, name === "holds");
    }
  }

  #node(): number {
    if (this.nodes.length === MOST_NODES) {
      throw new RetortError(
        "control/too-large",
        `the regular expression has more than ${MOST_NODES.toLocaleString("en")} parts`,
        { hint: "Shorten its repetitions: `{0,5000}` is 5,000 copies; `*` is one." },
      );
    }
    return this.nodes.push({ bytes: [], free: [] }) - 1;
  }

  #link(from: number, node: number): void {
    this.nodes[from]!.free.push({ node });
  }

  #alternatives(alternatives: RegexAlternatives): RegexPart {
    const start = this.#node(), end = this.#node();
    for (const { elements } of alternatives) {
      let at = start;
      for (const element of elements) {
        const part = this.#element(element);
        this.#link(at, part.start);
        at = part.end;
      }
      this.#link(at, end);
    }
    return { start, end };
  }

  #element(element: RegexElement): RegexPart {
    switch (element.type) {
      case "CharacterClass": {
        const start = this.#node(), end = this.#node();
        for (const { min, max } of element.characters.ranges) {
          for (const sequence of utf8Ranges(min, max)) {
            let at = start;
            sequence.forEach(([from, to], i) => {
              const node = i === sequence.length - 1 ? end : this.#node();
              this.nodes[at]!.bytes.push({ from, to, node });
              at = node;
            });
          }
        }
        return { start, end };
      }
      case "Alternation":
        return this.#alternatives(element.alternatives);
      case "Quantifier":
        return this.#repeated(element.alternatives, element.min, element.max);
      case "Assertion": {
        const start = this.#node(), end = this.#node();
        const look = this.#look(element.kind, element.alternatives);
        this.#met.push([look, element.negate]);
        this.nodes[start]!.free.push({ node: end, look, negate: element.negate });
        return { start, end };
      }
      case "Automaton":
        return this.#automaton(element.automaton);
      case "Unknown":
        throw new RetortError("control/regex", `no automaton follows \`${element.id}\` of the expression`);
    }
  }

  /** The start of an automaton and the states from which something is accepted, each a node. */
  #automaton({ states, classes, width, next, accepting }: Automaton): RegexPart {
    const end = this.#node();
    const isLive = Uint8Array.from(accepting);
    isLive[0] = 1;
    // In a minimal automaton all states but one lead to an accepting one.
    for (let state = 0; state < states; state++) {
      for (let c = 0; c < width; c++) if (next[state * width + c] !== state) isLive[state] = 1;
    }
    const nodes = Array.from(isLive, (live) => live === 1 ? this.#node() : -1);
    nodes.forEach((node, state) => {
      if (node < 0) return;
      if (accepting[state] === 1) this.#link(node, end);
      const after = (byte: number) => nodes[next[state * width + classes[byte]!]!]!;
      for (let from = 0; from < 256;) {
        let to = from;
        while (to < 255 && after(to + 1) === after(from)) to++;
        if (after(from) >= 0) this.nodes[node]!.bytes.push({ from, to, node: after(from) });
        from = to + 1;
      }
    });
    return { start: nodes[0]!, end };
  }

  #repeated(alternatives: RegexAlternatives, min: number, max: number): RegexPart {
    const start = this.#node(), end = this.#node();
    let at = start;
    for (let i = 0; i < min; i++) {
      const part = this.#alternatives(alternatives);
      this.#link(at, part.start);
      at = part.end;
    }
    if (max === Infinity) {
      const part = this.#alternatives(alternatives);
      this.#link(at, part.start);
      this.#link(part.end, at);
    } else {
      for (let i = min; i < max; i++) {
        const part = this.#alternatives(alternatives);
        this.#link(at, end);
        this.#link(at, part.start);
        at = part.end;
      }
    }
    this.#link(at, end);
    return { start, end };
  }

  #look(kind: Look["kind"], alternatives: RegexAlternatives): number {
    const key = JSON.stringify([kind, alternatives], (name, value) => name === "parent" ? undefined : value);
    let index = this.#known.get(key);
    if (index === undefined) {
      const outside = this.#met;
      this.#met = [];
      const part = this.#alternatives(alternatives);
      index = this.looks.push({ kind, ...part, asked: { holds: false, fails: false } }) - 1;
      this.#within.set(index, this.#met);
      this.#known.set(key, index);
      this.#met = outside;
    }
    return index;
  }
}
