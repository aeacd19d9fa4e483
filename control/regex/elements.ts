import { CharSet, JS } from "refa";
import type { RegexElement } from "./nodes.ts";

/** Largest number of parts of an expression that is parsed. */
const MOST_PARTS = 200_000;

/**
 * An expression as parts. `flags`: `u` or `v`, with which `i`, `m` and `s` may stand.
 *
 * @throws {Error} for references to groups, and where the flags make it invalid
 */
export function expression(source: string, flags = "u"): RegexElement {
  const { expression: { alternatives } } = JS.Parser.fromLiteral({ source, flags })
    .parse({ backreferences: "throw", maxNodes: MOST_PARTS });
  return { type: "Alternation", alternatives };
}

/** A text, letter for letter. */
export function literal(text: string): RegexElement {
  return sequence(
    ...Array.from(text, (letter): RegexElement => {
      const code = letter.codePointAt(0)!;
      return {
        type: "CharacterClass",
        characters: CharSet.empty(0x10ffff).union([{ min: code, max: code }]),
      };
    }),
  );
}

/** Parts one after the other. */
export function sequence(...elements: readonly RegexElement[]): RegexElement {
  return { type: "Alternation", alternatives: [{ elements }] };
}

/** One of several. */
export function either(elements: readonly RegexElement[]): RegexElement {
  return { type: "Alternation", alternatives: elements.map((element) => ({ elements: [element] })) };
}

/** Something `min` to `max` times, one after the other. */
export function quantified(element: RegexElement, min: number, max: number): RegexElement {
  return { type: "Quantifier", alternatives: [{ elements: [element] }], min, max };
}
