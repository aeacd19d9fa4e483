import { type Circuit, describeVariable, type ParameterArray } from "../circuit.ts";
import { parameterOwners, settingsFor } from "../learner.ts";
import { stepRules } from "../steps/mod.ts";
import { topDownRows } from "../top_down.ts";
import { type FullOptions, ruleAt } from "./options.ts";
import type { Score } from "./score.ts";
import { requireCircuit, requireObject } from "../guards.ts";

/** Error tolerance of a float32 engine: nats per sample, and relative to the log-likelihood. */
const ABSOLUTE = 1e-4, RELATIVE = 1e-6;

/** Weight in samples below which a unit counts as unused. */
const NOTHING = 1e-6;

/** Maximum number of units named in a warning. */
const NAMED = 5;

/**
 * Whether every update of a training is the exact M-step over all samples, which never lowers their likelihood.
 * Smoothing, hidden values, dropped states and steps that keep part of the old parameters may legitimately lower it.
 * @param batches per epoch
 */
export function isMonotone(circuit: Circuit, options: FullOptions, batches: number): boolean {
  requireCircuit(circuit);
  requireObject("the options of `isMonotone`", options);
  const { step, dropout, stateDropout, batchesPerUpdate } = options;
  if (!stepRules[step.kind].monotone || batchesPerUpdate < batches) return false;
  if (dropout > 0 || stateDropout > 0) return false;
  const rule = ruleAt(options, 0, 1);
  return parameterOwners(circuit).entries().every(([id, node]) => {
    const { pseudocount, mix, frozen } = settingsFor(rule, id, node.kind);
    return frozen || (pseudocount === 0 && mix === 0);
  });
}

/** A warning if the update between two epochs lowered the likelihood of the training samples by more than rounding. */
export function fallWarning(before: Score | undefined, now: Score | undefined): string | undefined {
  if (before === undefined || now === undefined) return undefined;
  const remedy =
    "EM on all samples never does that: were parameters set below the floor of their leaves, or do " +
    "values change from read to read? `deno task doctor` examines the engines.";
  if (now.impossible > before.impossible) {
    return `the last update made ${
      now.impossible - before.impossible
    } training samples impossible. ${remedy}`;
  }
  // A mean over different samples is not comparable.
  if (now.impossible < before.impossible) return undefined;
  const fall = before.logLikelihood - now.logLikelihood;
  if (!(fall > ABSOLUTE + RELATIVE * Math.abs(before.logLikelihood))) return undefined;
  return `the last update lowered the log-likelihood of the training samples from ${before.logLikelihood} to ` +
    `${now.logLikelihood} nats a sample. ${remedy}`;
}

/**
 * A warning if the first update took all weight from units that had some, by parameter and row, since EM never restores
 * it.
 * @param start the circuit before
 * @param values all parameters after
 * @param weight of the samples
 */
export function lostUnitsWarning(
  start: Circuit,
  values: ReadonlyMap<string, ParameterArray>,
  weight: number,
): string | undefined {
  const before = topDownRows(start), after = topDownRows(start, values);
  const lost: string[] = [];
  for (const [id, node] of parameterOwners(start)) {
    after.get(id)?.forEach((mass, row) => {
      if (!(weight * mass < NOTHING) || !(weight * (before.get(id)?.[row] as number) >= NOTHING)) return;
      lost.push(
        node.kind === "sum"
          ? `row ${row} of \`${id}\``
          : `unit ${row} of \`${id}\` (${describeVariable(start, node.variable)})`,
      );
    });
  }
  if (lost.length === 0) return undefined;
  const named = lost.slice(0, NAMED).join(", ");
  const more = lost.length > NAMED ? ` and ${lost.length - NAMED} more` : "";
  return `the first update gave no weight to ${named}${more}: EM will never come back to ${
    lost.length === 1 ? "it" : "them"
  }. Start from the data (\`startFromData\`), or learn with pseudocounts.`;
}
