import { CallError, textOf } from "../../foundation/errors.ts";
import { containing } from "../automata/search.ts";
import { type Constraint, type ConstraintLike, isConstraint } from "./constraint.ts";

const encoder = new TextEncoder();

/** The text holds this phrase, anywhere, letter for letter. @throws {CallError} when it is no text, or an empty one */
export function phrase(text: string): Constraint {
  if (typeof text !== "string" || text === "" || !text.isWellFormed()) {
    throw new CallError(
      "control/argument",
      `a phrase is ${textOf(text)}, expected a text of one character or more${
        typeof text === "string"
          ? ""
          : (text as unknown) instanceof RegExp
          ? `, or a constraint: \`matches(${String(text)})\``
          : ", or a constraint"
      }`,
      typeof text === "string" && text !== ""
        ? { hint: "It holds half a character (a lone surrogate), which no text in UTF-8 can hold." }
        : {},
    );
  }
  return { label: JSON.stringify(text), automaton: containing([encoder.encode(text)]), texts: [text] };
}

/** A constraint as it is; a text as the phrase that must occur. */
export function constraintOf(x: ConstraintLike): Constraint {
  return isConstraint(x) ? x : phrase(x);
}
