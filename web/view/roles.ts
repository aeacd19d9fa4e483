import type { ArmValue } from "../../runner/answer.ts";
import type { Headline } from "../../runner/headline.ts";
import { COLOURS, REFERENCE } from "../../foundation/palette.ts";

/**
 * Colour indices of arms, the same in every chart and on every page: 0 is the subject, 1 the baseline, then the others;
 * references are grey.
 */
export type Roles = Readonly<Record<string, number>>;

/**
 * The roles of a run's arms. Of more arms than there are colours some have the same, but none that of the subject, the baseline or
 * references.
 *
 * @param arms labels of the nodes, in the order of the graph.
 */
export function armRoles(headline: Headline | null, arms: Iterable<string>): Roles {
  const roles: Record<string, number> = {};
  let others = 0;
  const known = [...new Set(arms)];
  const subject = headline?.subject ?? known.find((arm) => !isOf(headline?.baseline, arm));
  const named = Object.keys(headline?.arms ?? {}).filter((arm) => known.includes(arm));
  for (const arm of [...named, ...known]) {
    roles[arm] ??= isOf(subject, arm)
      ? 0
      : isOf(headline?.baseline, arm)
      ? 1
      : 2 + others++ % (COLOURS.length - 2);
  }
  return roles;
}

/** Whether a value in a table belongs to an arm: the arm's name, optionally followed by a setting. */
function isOf(name: string | undefined, arm: string): boolean {
  return name === arm || name?.startsWith(`${arm}, `) === true;
}

/**
 * The colour index of an arm of an answer: that of its nodes; of an arm that no node belongs to, that of its role in the
 * question; grey for what only stands beside.
 */
export function roleOf(roles: Roles, { arm, role }: Pick<ArmValue, "arm" | "role">): number {
  if (role === "reference") return REFERENCE;
  const found = Object.keys(roles).filter((known) => isOf(arm, known));
  if (found.length > 0) return roles[found.reduce((a, b) => b.length > a.length ? b : a)]!;
  return role === "subject" ? 0 : role === "baseline" ? 1 : REFERENCE;
}
