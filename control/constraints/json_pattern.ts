import { CharSet } from "refa";
import { CallError } from "../../foundation/errors.ts";
import { either, expression, literal, sequence } from "../regex/elements.ts";
import type { RegexElement } from "../regex/nodes.ts";
import { spanning } from "../regex/whole.ts";

/** Characters that a string in JSON holds as they are. */
const PLAIN = CharSet.empty(0x10ffff).union([{ min: 0x20, max: 0x21 }, { min: 0x23, max: 0x5b }, {
  min: 0x5d,
  max: 0x10ffff,
}]);

/** Those that it escapes, with how `JSON.stringify` writes them. */
const ESCAPED = Array.from({ length: 0x5d }, (_, code) => code).filter((code) => !PLAIN.has(code))
  .map((code) => ({ code, text: JSON.stringify(String.fromCharCode(code)).slice(1, -1) }));

/** Any character of a string, as `JSON.stringify` writes it; halves of characters are none. */
export function anyInString(): RegexElement {
  return known ??= inString(CharSet.all(0x10ffff));
}

let known: RegexElement | undefined;

/** These characters as strings in JSON hold them. */
function inString(characters: CharSet): RegexElement {
  const plain = { type: "CharacterClass", characters: characters.intersect(PLAIN) } as const;
  const escaped = ESCAPED.filter(({ code }) => characters.has(code));
  if (escaped.length === 0) return plain;
  // An automaton for itself, so that what repeats it need not follow dozens of ways to write a character side by side.
  return {
    type: "Automaton",
    automaton: spanning(either([plain, ...escaped.map(({ text }) => literal(text))])),
  };
}

/**
 * The inside of a string in JSON whose value an expression with the flag `u` finds something in: `^` and `$` at its ends ask
 * for the whole value.
 *
 * @param anything what may stand around it
 * @throws {CallError} for look-around, and `^` or `$` elsewhere
 */
export function insideOfString(pattern: string, anything: RegexElement): RegexElement {
  const parsed = expression(pattern);
  if (parsed.type !== "Alternation") return written(parsed);
  return either(parsed.alternatives.map(({ elements }) => {
    const isFirst = isEdge(elements[0], "behind"), isLast = isEdge(elements.at(-1), "ahead");
    const inner = elements.slice(isFirst ? 1 : 0, isLast ? -1 : undefined);
    return sequence(...isFirst ? [] : [anything], ...inner.map(written), ...isLast ? [] : [anything]);
  }));
}

/** Whether an element is `^` or `$`: nothing may precede, or follow. */
function isEdge(element: RegexElement | undefined, kind: "behind" | "ahead"): boolean {
  if (element?.type !== "Assertion" || element.kind !== kind || !element.negate) return false;
  const [only, ...others] = element.alternatives;
  const [single, ...more] = only?.elements ?? [];
  return others.length === 0 && more.length === 0 && single?.type === "CharacterClass" &&
    single.characters.isAll;
}

/** An element with the characters of strings in JSON. */
function written(element: RegexElement): RegexElement {
  switch (element.type) {
    case "CharacterClass":
      return inString(element.characters);
    case "Alternation":
    case "Quantifier":
      return {
        ...element,
        alternatives: element.alternatives.map(({ elements }) => ({ elements: elements.map(written) })),
      };
    case "Assertion":
      throw new CallError(
        "control/schema",
        "look-around, `\\b`, and `^` or `$` other than at its ends, cannot be followed",
      );
    case "Unknown":
      throw new CallError("control/schema", `\`${element.id}\` cannot be followed`);
    case "Automaton":
      return element;
  }
}
