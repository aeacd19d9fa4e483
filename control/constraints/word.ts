import { expression, literal, sequence } from "../regex/elements.ts";
import type { Constraint } from "./constraint.ts";
import { phrase } from "./phrase.ts";
import { found } from "./within.ts";

/**
 * The text holds this as a whole word, or as whole words: `word("we")` finds `we`, and not `were`. Letters, digits and `_`,
 * as Unicode has them, neither precede nor follow it. Letter for letter: `We` is another word.
 *
 * @throws {CallError} when it is no text, or an empty one
 */
export function word(text: string): Constraint {
  const { texts } = phrase(text);
  const element = sequence(
    expression("(?<![\\p{L}\\p{N}_])"),
    literal(text),
    expression("(?![\\p{L}\\p{N}_])"),
  );
  return found(`word(${JSON.stringify(text)})`, element, texts);
}
