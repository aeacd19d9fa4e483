import { z } from "zod";
import { RetortError } from "../../foundation/errors.ts";
import type { Codec, ReadOf } from "../../runner/codec.ts";
import { json } from "../../runner/codecs/json.ts";
import { defineStage, type Many, many, type Stage } from "../../runner/stage.ts";
import { circuit } from "../codecs/circuit.ts";
import { trainingLog } from "../codecs/score.ts";

/** The chosen circuit and the candidates. */
export interface CircuitChoice {
  /** What the chosen circuit is called. */
  label: string;
  /** Its mean log-likelihood of the validation samples, in nats. */
  valid: number;
  /** Whether the validation samples ended its training; null where that is not known. */
  converged: boolean | null;
  /** All that could be chosen. */
  candidates: {
    label: string;
    valid: number | null;
    converged: boolean | null;
  }[];
}

/** The chosen circuit and the candidates. */
export const choice: Codec<CircuitChoice, CircuitChoice, "circuit-choice"> = json(
  "circuit-choice",
  z.object({
    label: z.string(),
    /** Mean log-likelihood of the validation samples, in nats. */
    valid: z.number(),
    /** Whether training converged on the validation samples; null if unknown. */
    converged: z.boolean().nullable(),
    candidates: z.array(z.object({
      label: z.string(),
      valid: z.number().nullable(),
      converged: z.boolean().nullable(),
    })),
  }),
  2,
);

/** Chooses the trained circuit with the best validation score; the first one on ties. */
export const chooseCircuit: Stage<
  z.ZodObject<{
    labels: z.ZodArray<z.ZodString>;
  }, z.core.$strip>,
  { circuits: Many<typeof circuit>; logs: Many<typeof trainingLog> },
  { circuit: typeof circuit; choice: typeof choice }
> = defineStage({
  name: "density.choose",
  params: z.object({ labels: z.array(z.string()).min(1) }),
  inputs: { circuits: many(circuit), logs: many(trainingLog) },
  outputs: { circuit, choice },
  run({ inputs, params, context }) {
    const { circuits, logs } = inputs, { labels } = params;
    if (circuits.length !== labels.length || logs.length !== labels.length) {
      throw new RetortError(
        "inputs/mismatch",
        `${circuits.length} circuits, ${logs.length} logs and ${labels.length} labels`,
      );
    }
    const candidates = labels.map((label, i) => ({
      label,
      valid: validOf(logs[i]!),
      converged: logs[i]!.converged,
    }));
    const best = candidates.reduce<number | undefined>(
      (at, { valid }, i) => valid !== null && (at === undefined || valid > candidates[at]!.valid!) ? i : at,
      undefined,
    );
    if (best === undefined) {
      throw new RetortError(
        "evaluation/impossible",
        "every candidate gives some validation sample probability 0",
        { hint: "Train with pseudocounts." },
      );
    }
    const { label, valid, converged } = candidates[best]!;
    for (const one of candidates) if (one.valid !== null) context.metric(one.label, one.valid);
    context.metric("valid log-likelihood", valid!);
    context.chosen("circuit", label);
    return { circuit: circuits[best]!, choice: { label, valid: valid!, converged, candidates } };
  },
});

/** Validation score of the epoch whose parameters were kept; null if some validation samples are impossible. */
function validOf({ bestEpoch, epochs }: ReadOf<typeof trainingLog>): number | null {
  const valid = epochs.find(({ epoch }) => epoch === bestEpoch)?.valid;
  return valid === undefined || valid.impossible > 0 ? null : valid.logLikelihood;
}
