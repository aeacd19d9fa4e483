import type { RunAnswer } from "../../runner/answer.ts";

/** Which colour an arm has in every chart and on every page: the subject's, the baseline's, one of the others'. */
export type Role = number | "reference";

/** The subject is 0, the baseline 1; others follow in their order. References are grey. */
export function rolesOf(answer: RunAnswer): Map<string, Role> {
  const roles = new Map<string, Role>([[answer.subject, 0], [answer.baseline, 1]]);
  for (const { arms } of answer.groups) {
    for (const { label, role } of arms) {
      if (!roles.has(label)) {
        const count = [...roles.values()].filter((one) => one !== "reference").length;
        roles.set(label, role === "reference" ? "reference" : count);
      }
    }
  }
  return roles;
}

/** The colour of a role; it follows the theme of the page. */
export function roleColour(role: Role | undefined): string {
  return role === undefined || role === "reference" ? "var(--reference)" : `var(--series-${role % 7})`;
}
