import { z } from "zod";
import type { Circuit } from "../../circuits/circuit.ts";
import type { Control } from "../../control/control.ts";
import { type ControlOptions, openControl } from "../../control/open.ts";
import { constraintFromJson } from "../../control/constraints/from_json.ts";
import { constraintFromText, looksTyped } from "../../control/constraints/from_text.ts";
import type { Constraint } from "../../control/constraints/constraint.ts";
import type { ControlPlan } from "../../control/plan.ts";
import { hmmAfter, hmmOfCircuit } from "../../control/hmm/token_hmm.ts";
import { RetortError } from "../../foundation/errors.ts";
import type { Vocabulary } from "../../datasets/text/vocabulary.ts";
import { frameParams } from "../text/frame.ts";
import { askedFrame } from "../text/frame_notes.ts";

/**
 * A constraint among parameters: JSON, a phrase, or what people type, `inOrder(" we", " our")`. A text that looks like a call
 * or like JSON is one, and never a phrase.
 */
function constraintOf(given: z.core.util.JSONType): Constraint {
  return typeof given === "string" && looksTyped(given)
    ? constraintFromText(given)
    : constraintFromJson(given);
}

/** A constraint, checked where parameters are: before anything runs. */
export const constraintParam: z.ZodJSONSchema = z.json().superRefine((given, context) => {
  try {
    constraintOf(given);
  } catch (error) {
    if (!(error instanceof RetortError)) throw error;
    const { message, hint } = error;
    context.addIssue({ code: "custom", message: hint === undefined ? message : `${message}. ${hint}` });
  }
});

/** Parameters of stages that make plans. */
export const planParams: {
  /** The constraint: a phrase, or an object such as `{"inOrder": [" dog", {"words": [2, 4]}]}`; see docs/control.md. */
  constraint: z.ZodJSONSchema;
  /** Fewest and most tokens, the end not counted. */
  tokens: z.ZodDefault<z.ZodTuple<[z.ZodInt, z.ZodInt], null>>;
  /** How much the hidden Markov model says: 1 is Bayes' rule, 0 the mask alone. */
  alpha: z.ZodDefault<z.ZodNumber>;
  /** Number of likeliest tokens among which it decides; all if omitted. */
  candidates: z.ZodOptional<z.ZodInt>;
  begins: z.ZodOptional<
    z.ZodEnum<{
      window: "window";
      end: "end";
      anywhere: "anywhere";
    }>
  >;
  ends: z.ZodOptional<z.ZodBoolean>;
} = {
  ...frameParams,
  /** The constraint: a phrase, or an object such as `{"inOrder": [" dog", {"words": [2, 4]}]}`; see docs/control.md. */
  constraint: constraintParam,
  /** Fewest and most tokens, the end not counted. */
  tokens: z.tuple([z.int().min(0), z.int().min(0)]).default([0, 32]),
  /** How much the hidden Markov model says: 1 is Bayes' rule, 0 the mask alone. */
  alpha: z.number().min(0).max(1).default(1),
  /** Number of likeliest tokens among which it decides; all if omitted. */
  candidates: z.int().min(1).optional(),
};

type PlanParams = z.output<z.ZodObject<typeof planParams>>;

/**
 * The control of a circuit's model. Models of windows in which texts begin after an end token are asked after one.
 *
 * @throws {RetortError} when the circuit is no homogeneous HMM over this vocabulary
 */
export async function openHmmControl(
  circuit: Circuit,
  vocabulary: Vocabulary,
  params: Pick<PlanParams, "begins" | "ends">,
  log: (line: string) => void,
  options: ControlOptions = {},
): Promise<Control> {
  const frame = askedFrame(circuit, vocabulary, params, log);
  const hmm = hmmOfCircuit(circuit);
  return await openControl(
    frame.begins === "end" ? hmmAfter(hmm, [vocabulary.end!]) : hmm,
    vocabulary,
    options,
  );
}

/** The control of a circuit's model with the constraint of parameters. */
export async function openPlanned(
  circuit: Circuit,
  vocabulary: Vocabulary,
  params: PlanParams,
  log: (line: string) => void,
): Promise<{ control: Control; constraint: Constraint; plan: () => Promise<ControlPlan> }> {
  const constraint = constraintOf(params.constraint);
  const control = await openHmmControl(circuit, vocabulary, params, log);
  const { tokens, alpha, candidates } = params;
  return {
    control,
    constraint,
    plan: () => control.plan(constraint, { tokens, alpha, ...(candidates !== undefined && { candidates }) }),
  };
}
