import type { JS } from "refa";
import { RetortError } from "../../foundation/errors.ts";
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
}

type Expression = JS.ParseResult["expression"];
type Alternatives = Expression["alternatives"];

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

  /** Nodes of an expression that `refa` parsed. */
  constructor(expression: Expression) {
    this.whole = this.#alternatives(expression.alternatives);
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

  #alternatives(alternatives: Alternatives): RegexPart {
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

  #element(element: Alternatives[number]["elements"][number]): RegexPart {
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
        this.nodes[start]!.free.push({ node: end, look, negate: element.negate });
        return { start, end };
      }
      case "Unknown":
        throw new RetortError("control/regex", `no automaton follows \`${element.id}\` of the expression`);
    }
  }

  #repeated(alternatives: Alternatives, min: number, max: number): RegexPart {
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

  #look(kind: Look["kind"], alternatives: Alternatives): number {
    const key = JSON.stringify([kind, alternatives], (name, value) => name === "parent" ? undefined : value);
    let index = this.#known.get(key);
    if (index === undefined) {
      const part = this.#alternatives(alternatives);
      index = this.looks.push({ kind, ...part }) - 1;
      this.#known.set(key, index);
    }
    return index;
  }
}
