/** How devices take the steps of learning, one file a kind. */
import { type StepName, STEPS } from "../../circuits/mod.ts";
import { anemoneWgsl } from "./anemone.ts";
import { emWgsl } from "./em.ts";
import { inertiaWgsl } from "./inertia.ts";

/** WGSL that sets the factors of a row, by kind: see `StepRule.factors`. */
export const deviceSteps: Readonly<Record<StepName, string>> = {
  em: emWgsl,
  inertia: inertiaWgsl,
  anemone: anemoneWgsl,
};

/** What update.wgsl takes in. */
export const STEP_SNIPPETS = {
  STEPS: `  switch (rule.step) {
${STEPS.map((kind, i) => `    case ${i}u: {\n${deviceSteps[kind]}\n    }`).join("\n")}
    default: {}
  }`,
};
