import { z } from "zod";
import { sample } from "../circuits/queries/sampling.ts";
import { defineStage, type Stage } from "../runner/stage.ts";
import { circuit } from "./codecs/circuit.ts";
import { samples } from "./codecs/samples.ts";
import { openLearner } from "./open_learner.ts";

/** Samples drawn from a circuit: exact and independent. */
export const sampleCircuit: Stage<
  z.ZodObject<{
    count: z.ZodDefault<z.ZodInt>;
  }, z.core.$strip>,
  { circuit: typeof circuit },
  { samples: typeof samples }
> = defineStage({
  name: "sample.circuit",
  params: z.object({
    /** How many. */
    count: z.int().min(1).default(16),
  }),
  inputs: { circuit },
  outputs: { samples },
  seeded: true,
  engine: "use",
  async run({ inputs, params, context }) {
    const learner = await openLearner(inputs.circuit, context);
    try {
      return { samples: await sample(learner, params.count, { seed: context.seed }) };
    } finally {
      await learner.close();
    }
  },
});
