/** Device implementations of the learning steps, one file each. */
import { type StepName, STEPS } from "../../circuits/mod.ts";
import * as kinds from "./kinds.ts";

/** WGSL that sets the factors of a row, by kind; see `StepRule.factors`. */
export const deviceSteps: Readonly<Record<StepName, string>> = { ...kinds };

/** Snippets for update.wgsl. */
export const STEP_SNIPPETS = {
  STEPS: `  switch (rule.step) {
${STEPS.map((kind, i) => `    case ${i}u: {\n${deviceSteps[kind]}\n    }`).join("\n")}
    default: {}
  }`,
};
