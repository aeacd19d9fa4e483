import type { Headline } from "../../runner/headline.ts";
import { REFERENCE } from "../../foundation/palette.ts";

/**
 * Numbers of the colours that arms have in every chart and on every page: the subject's is 0, the baseline's 1, others
 * follow; what only stands beside is grey.
 */
export type Roles = Readonly<Record<string, number>>;

/**
 * The roles of a run's arms.
 *
 * @param arms as nodes are called, in the order of the graph.
 */
export function armRoles(headline: Headline | null, arms: Iterable<string>): Roles {
  const roles: Record<string, number> = {};
  let next = 2;
  const known = [...new Set(arms)];
  const subject = headline?.subject ?? known.find((arm) => !isOf(headline?.baseline, arm));
  const named = Object.keys(headline?.arms ?? {}).filter((arm) => known.includes(arm));
  for (const arm of [...named, ...known]) {
    roles[arm] ??= isOf(subject, arm) ? 0 : isOf(headline?.baseline, arm) ? 1 : next++;
  }
  return roles;
}

/** Whether a value in a table belongs to an arm: its own name, or that with a setting behind it. */
function isOf(name: string | undefined, arm: string): boolean {
  return name === arm || name?.startsWith(`${arm}, `) === true;
}

/** The colour of an arm of an answer; grey for what is no arm of the graph. */
export function roleOf(roles: Roles, arm: string): number {
  const found = Object.keys(roles).filter((known) => isOf(arm, known));
  return found.length === 0 ? REFERENCE : roles[found.reduce((a, b) => b.length > a.length ? b : a)]!;
}
