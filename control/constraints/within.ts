/** Constraints as parts of a text: what look-around asks of the letters around a part is judged in the whole text. */
import { CharSet } from "refa";
import { CallError } from "../../foundation/errors.ts";
import { intersection } from "../automata/algebra.ts";
import type { Automaton } from "../automata/automaton.ts";
import { UTF8 } from "../automata/utf8.ts";
import { either, quantified, sequence } from "../regex/elements.ts";
import { type RegexElement, RegexNodes } from "../regex/nodes.ts";
import { searching } from "../regex/search.ts";
import type { Constraint } from "./constraint.ts";

/** Largest number of look-arounds: as many as an integer has bits. */
const MOST_LOOKS = 30;

/** How a constraint is found as a part of a text. */
interface PartOfText {
  readonly element: RegexElement;
  /** Whether the expression is the whole part; it may stand anywhere in it otherwise. */
  readonly spans: boolean;
  /** Whether it looks at what surrounds it. */
  readonly looks: boolean;
}

/**
 * What was noted of constraints, by their automata: a constraint is a plain value that anybody may make, and an automaton
 * of whole texts no longer tells where in them an expression was found. `denied`: no expression finds it.
 */
const NOTED = new WeakMap<Automaton, PartOfText | "denied">();

const ANY_CHARACTER: RegexElement = { type: "CharacterClass", characters: CharSet.all(0x10ffff) };
const ANYTHING = quantified(ANY_CHARACTER, 0, Infinity);

/** The beginning of the whole text, or its end. */
function edge(kind: "ahead" | "behind"): RegexElement {
  return { type: "Assertion", kind, negate: true, alternatives: [{ elements: [ANY_CHARACTER] }] };
}

/** Whether a constraint looks at what surrounds it. */
export function looksAround({ automaton }: Constraint): boolean {
  const part = NOTED.get(automaton);
  return part === "denied" || part?.looks === true;
}

/** The constraint that an expression is found in the text. @throws {RetortError} when its automaton takes too long */
export function found(label: string, element: RegexElement, texts: readonly string[] = []): Constraint {
  return made(label, element, false, texts);
}

/**
 * The constraint of parts one after the other, of which one looks around. @throws {CallError} when a part denies what looks
 * around
 */
export function inSequence(label: string, constraints: readonly Constraint[]): Constraint {
  const parts = constraints.map((one) => partOf(label, one));
  const texts = constraints.flatMap((one) => one.texts);
  if (parts.some(({ spans }) => spans)) return made(label, sequence(...parts.map(spanOf)), true, texts);
  // What precedes the first part and follows the last one needs no states of its own.
  const between = parts.flatMap(({ element }, i) => i === 0 ? [element] : [ANYTHING, element]);
  return made(label, sequence(...between), false, texts);
}

/** Notes that a constraint is one of several: as a part of a text it is found where one of them is. */
export function notedChoice(choice: Constraint, constraints: readonly Constraint[]): Constraint {
  if (!constraints.some(looksAround)) return choice;
  if (constraints.some(({ automaton }) => NOTED.get(automaton) === "denied")) {
    return notedDenial(choice, constraints);
  }
  const parts = constraints.map((one) => partOf(choice.label, one)), spans = parts.some((part) => part.spans);
  const element = either(parts.map((part) => spans ? spanOf(part) : part.element));
  NOTED.set(choice.automaton, { element, spans, looks: true });
  return choice;
}

/** Notes that no expression finds this constraint, if it is made of such as look around. */
export function notedDenial(constraint: Constraint, of: readonly Constraint[]): Constraint {
  if (of.some(looksAround)) NOTED.set(constraint.automaton, "denied");
  return constraint;
}

function made(label: string, element: RegexElement, spans: boolean, texts: readonly string[]): Constraint {
  const nodes = new RegexNodes([
    { elements: spans ? [edge("behind"), element, edge("ahead")] : [element] },
  ]);
  const { length } = nodes.looks;
  if (length > MOST_LOOKS) {
    throw new CallError(
      "control/too-large",
      `\`${label}\` has ${length} different look-arounds, expected ${MOST_LOOKS} at most`,
      { hint: "Write several expressions and join them: `all(matches(…), matches(…))`." },
    );
  }
  const automaton = intersection(searching(nodes, `\`${label}\``), UTF8);
  if (length > 0) NOTED.set(automaton, { element, spans, looks: true });
  return { label, automaton, texts };
}

function partOf(label: string, { label: own, automaton }: Constraint): PartOfText {
  const part = NOTED.get(automaton);
  if (part !== "denied") {
    if (part !== undefined) return part;
    // No part ends inside a character, where nothing is known of what surrounds it.
    return {
      element: { type: "Automaton", automaton: intersection(automaton, UTF8) },
      spans: true,
      looks: false,
    };
  }
  throw new CallError(
    "control/argument",
    `\`${own}\` stands in \`${label}\`, and looks at what surrounds a part`,
    {
      hint:
        "Of whole words, look-around and `\\b`, ask for `not`, `all`, `exactly` and `atMost` of the whole text: `all(inOrder(…), not(…))`.",
    },
  );
}

function spanOf({ element, spans }: PartOfText): RegexElement {
  return spans ? element : sequence(ANYTHING, element, ANYTHING);
}
