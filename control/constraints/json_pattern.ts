import { CharSet, JS } from "refa";
import type { NoParent } from "refa";
import { CallError } from "../../foundation/errors.ts";

type Alternatives = readonly NoParent<JS.ParseResult["expression"]>["alternatives"][number][];
type Element = Alternatives[number]["elements"][number];

/** Characters that a string in JSON holds as they are. */
const PLAIN = CharSet.empty(0x10ffff).union([{ min: 0x20, max: 0x21 }, { min: 0x23, max: 0x5b }, {
  min: 0x5d,
  max: 0x10ffff,
}]);

/** Those that it escapes, with how `JSON.stringify` writes them. */
const ESCAPED = Array.from({ length: 0x5d }, (_, code) => code).filter((code) => !PLAIN.has(code))
  .map((code) => ({ code, text: JSON.stringify(String.fromCharCode(code)).slice(1, -1) }));

/**
 * The source of an expression, with the flag `u`, for the inside of a string in JSON whose value an expression finds something
 * in: `^` and `$` at its ends ask for the whole value.
 *
 * @param anything source of an expression for any characters
 * @throws {CallError} for look-around, and `^` or `$` elsewhere
 */
export function insideOfString(pattern: string, anything: string): string {
  const { expression } = JS.Parser.fromLiteral({ source: pattern, flags: "u" }).parse({
    backreferences: "throw",
    maxNodes: 200_000,
  });
  return expression.alternatives.map(({ elements }) => {
    const isFirst = isEdge(elements[0], "behind"), isLast = isEdge(elements.at(-1), "ahead");
    const inner = elements.slice(
      isFirst ? 1 : 0,
      isLast && elements.length > (isFirst ? 1 : 0) ? -1 : undefined,
    );
    const { source } = JS.toLiteral(
      { type: "Concatenation", elements: inner.map(written) } as NoParent<
        JS.ParseResult["expression"]["alternatives"][number]
      >,
      { flags: { unicode: true } },
    );
    return `${isFirst ? "" : anything}(?:${source})${isLast ? "" : anything}`;
  }).map((source) => `(?:${source})`).join("|");
}

/** Whether an element is `^` or `$`: nothing may precede, or follow. */
function isEdge(element: Element | undefined, kind: "behind" | "ahead"): boolean {
  if (element?.type !== "Assertion" || element.kind !== kind || !element.negate) return false;
  const [only, ...others] = element.alternatives;
  const [single, ...more] = only?.elements ?? [];
  return others.length === 0 && more.length === 0 && single?.type === "CharacterClass" &&
    single.characters.isAll;
}

/** An element with the characters of strings in JSON. */
function written(element: Element): Element {
  switch (element.type) {
    case "CharacterClass": {
      const { characters } = element;
      const plain = characters.intersect(PLAIN);
      const ways = ESCAPED.filter(({ code }) => characters.has(code)).map(({ text }) => concatenation(text));
      if (!plain.isEmpty) {
        ways.unshift({ type: "Concatenation", elements: [{ type: "CharacterClass", characters: plain }] });
      }
      return { type: "Alternation", alternatives: ways };
    }
    case "Alternation":
    case "Quantifier":
      return {
        ...element,
        alternatives: element.alternatives.map((one) => ({ ...one, elements: one.elements.map(written) })),
      };
    case "Assertion":
      throw new CallError(
        "control/schema",
        "look-around, `\\b`, and `^` or `$` other than at its ends, cannot be followed",
      );
    case "Unknown":
      throw new CallError("control/schema", `\`${element.id}\` cannot be followed`);
  }
}

function concatenation(text: string): Alternatives[number] {
  return {
    type: "Concatenation",
    elements: Array.from(text, (letter) => ({
      type: "CharacterClass",
      characters: CharSet.empty(0x10ffff).union([{ min: letter.charCodeAt(0), max: letter.charCodeAt(0) }]),
    })),
  };
}
