import { CallError, messageOf } from "../../foundation/errors.ts";
import { expression } from "../regex/elements.ts";
import type { RegexElement } from "../regex/nodes.ts";
import type { Constraint } from "./constraint.ts";
import { found } from "./within.ts";

/**
 * `regex.test(text)` is true: the expression is found somewhere in the text; write `^` and `$` for the whole text. It is
 * read with the flag `u` (or `v`): characters are code points. Look-ahead, look-behind and `\b` are understood; so are the
 * flags `i`, `m` and `s`; `g` and `d` change nothing, and `y` is refused. As a part, in `inOrder` and in counts, it stands in
 * the whole text: so do `^`, `$`, `\b` and what look-around finds.
 *
 * @throws {CallError} for references to groups, and where the flag `u` makes the expression invalid
 */
export function matches(regex: RegExp): Constraint {
  if (!(regex instanceof RegExp)) {
    throw new CallError("control/argument", "`matches` expects a regular expression: `matches(/^[a-z ]+$/)`");
  }
  if (regex.sticky) {
    throw new CallError(
      "control/regex",
      `\`matches(${regex})\` has the flag \`y\`, which asks where a search goes on`,
      {
        hint: "Write `^` for the beginning of a text, and leave the flag out.",
      },
    );
  }
  const flags = regex.flags.replaceAll(/[gdu]/g, "");
  let element: RegexElement;
  try {
    element = expression(regex.source, flags.includes("v") ? flags : `${flags}u`);
  } catch (error) {
    throw new CallError("control/regex", `\`matches(${regex})\`: ${messageOf(error)}`, {
      hint:
        "Write it without references to groups, and so that it is valid with the flag `u`: only special characters have a backslash.",
      cause: error,
    });
  }
  return found(`matches(${regex})`, element);
}
