import { z } from "zod";
import { defineStage, type Stage } from "../../runner/stage.ts";
import { circuit } from "../codecs/circuit.ts";
import { vocabulary } from "../text/codecs.ts";
import { planFacts } from "./codecs.ts";
import { openPlanned, planParams } from "./shared.ts";

/** How likely a constraint is under a hidden Markov model, and what it costs to look ahead for it. */
export const controlPlan: Stage<
  z.ZodObject<{
    constraint: z.ZodJSONSchema;
    tokens: z.ZodDefault<z.ZodTuple<[z.ZodInt, z.ZodInt], null>>;
    alpha: z.ZodDefault<z.ZodNumber>;
    candidates: z.ZodOptional<z.ZodInt>;
    begins: z.ZodOptional<
      z.ZodEnum<{
        window: "window";
        end: "end";
        anywhere: "anywhere";
      }>
    >;
    ends: z.ZodOptional<z.ZodBoolean>;
  }, z.core.$strip>,
  { circuit: typeof circuit; vocabulary: typeof vocabulary },
  { plan: typeof planFacts }
> = defineStage({
  name: "control.plan",
  params: z.object(planParams),
  inputs: { circuit, vocabulary },
  outputs: { plan: planFacts },
  engine: "use",
  async run({ inputs, params, context }) {
    context.engine.used("cpu", "ONNX Runtime");
    const opened = await openPlanned(inputs.circuit, inputs.vocabulary, params, context.log);
    await using _control = opened.control;
    const began = performance.now();
    const plan = await opened.plan();
    context.metric("seconds for the table", (performance.now() - began) / 1000);
    if (Number.isFinite(plan.logProbability)) context.metric("log probability", plan.logProbability);
    return {
      plan: {
        constraint: opened.constraint.label,
        tokens: params.tokens,
        logProbability: Number.isFinite(plan.logProbability) ? plan.logProbability : null,
        states: plan.states,
        classes: plan.classes,
        bytes: plan.bytes,
      },
    };
  },
});
