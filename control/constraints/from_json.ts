import { CallError, textOf } from "../../foundation/errors.ts";
import { didYouMean } from "../../foundation/nearest.ts";
import { refuseArgument } from "../guards.ts";
import { type Constraint, isConstraint } from "./constraint.ts";
import { inOrder } from "./in_order.ts";
import { jsonSchema } from "./json_schema.ts";
import { all, anyOf, not } from "./logic.ts";
import { matches } from "./matches.ts";
import { phrase } from "./phrase.ts";
import { atLeast, atMost, exactly } from "./times.ts";
import { word } from "./word.ts";
import { words } from "./words.ts";

const MANY = { all, anyOf, inOrder } as const;
const TIMES = { atLeast, atMost, exactly } as const;
/** How many arguments those functions take that take several, and not any number. */
const ARGUMENTS: Readonly<Record<string, readonly number[]>> = {
  ...Object.fromEntries(Object.keys(TIMES).map((name) => [name, [2]])),
  words: [1, 2],
};

/** The names of all functions of constraints. */
export const CONSTRAINT_NAMES: readonly string[] = [
  ...["phrase", "word", ...Object.keys(MANY), ...Object.keys(TIMES)],
  ...["not", "words", "matches", "jsonSchema"],
];

/**
 * A constraint from JSON, for parameters of pipelines: a text is a phrase; an object has one name, that of the function,
 * with its arguments: `{"inOrder": [{"anyOf": [" dog", " cat"]}, " ball"]}`, `{"words": [7, 12]}`, `{"not": " bad"}`,
 * `{"exactly": [2, " very"]}`, `{"matches": "^[A-Z]"}`, `{"jsonSchema": {...}}`. Constraints that are made already stay.
 *
 * @throws {CallError} naming what is none
 */
export function constraintFromJson(value: unknown): Constraint {
  if (typeof value === "string") return phrase(value);
  if (isConstraint(value)) return value;
  const entries = typeof value === "object" && value !== null && !Array.isArray(value)
    ? Object.entries(value)
    : [];
  const [name, given] = entries[0] ?? [];
  if (entries.length !== 1 || name === undefined) {
    throw new CallError(
      "control/argument",
      `a constraint is ${textOf(value)}, expected a text or an object of one name`,
      {
        hint: 'As in `{"inOrder": [" dog", " ball"]}`, `{"words": [7, 12]}`, `{"not": " bad"}`.',
      },
    );
  }
  const list = Array.isArray(given) ? given as unknown[] : [given];
  const counts = Object.hasOwn(ARGUMENTS, name) ? ARGUMENTS[name]! : [list.length];
  if (!counts.includes(list.length)) {
    throw new CallError(
      "control/argument",
      `\`${name}\` has ${list.length} arguments, expected ${counts.join(" or ")}`,
    );
  }
  if (Object.hasOwn(MANY, name)) return MANY[name as keyof typeof MANY](...list.map(constraintFromJson));
  if (Object.hasOwn(TIMES, name)) {
    return TIMES[name as keyof typeof TIMES](list[0] as number, constraintFromJson(list[1]));
  }
  switch (name) {
    case "phrase":
      return phrase(given as string);
    case "word":
      return word(given as string);
    case "not":
      return not(constraintFromJson(given));
    case "words":
      return words(...list as [number, number?]);
    case "matches":
      return matches(regexOf(given));
    case "jsonSchema":
      return jsonSchema(given as object);
    default:
      throw new CallError(
        "control/argument",
        `\`${name}\` is no constraint${didYouMean(name, CONSTRAINT_NAMES)}`,
        {
          hint: `There are ${CONSTRAINT_NAMES.join(", ")}.`,
        },
      );
  }
}

function regexOf(source: unknown): RegExp {
  if (typeof source !== "string") return refuseArgument("the expression of `matches`", source, "a text");
  try {
    return new RegExp(source, "u");
  } catch (error) {
    throw new CallError("control/regex", `\`matches\`: ${(error as Error).message}`, { cause: error });
  }
}
