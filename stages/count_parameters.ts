import { z } from "zod";
import { nodeNamed, withNotes } from "../circuits/circuit.ts";
import { withParameters } from "../circuits/parameters.ts";
import { countComplete } from "../circuits/learning/count.ts";
import { materialise } from "../circuits/materialise.ts";
import { defineStage, type Stage } from "../runner/stage.ts";
import { circuit } from "./codecs/circuit.ts";
import { samples } from "./codecs/samples.ts";
import { openLearner } from "./open_learner.ts";

/**
 * Learns a circuit from complete data by counting: the columns of `data` are the circuit's variables,
 * followed by the latent variables of the sum nodes named in `latents`, in that order, which must be all that
 * the circuit has. Gives the circuit over its own variables, ready for EM.
 */
export const countParameters: Stage<
  z.ZodObject<{
    latents: z.ZodDefault<z.ZodArray<z.ZodString>>;
    pseudocount: z.ZodPrefault<
      z.ZodObject<{
        sums: z.ZodDefault<z.ZodNumber>;
        leaves: z.ZodDefault<z.ZodNumber>;
      }, z.core.$strict>
    >;
    batchSize: z.ZodDefault<z.ZodInt>;
  }, z.core.$strip>,
  { circuit: typeof circuit; data: typeof samples },
  { circuit: typeof circuit }
> = defineStage({
  name: "count.parameters",
  params: z.object({
    /** Names of the sum nodes whose latent variables are observed; empty for a circuit that has them explicit. */
    latents: z.array(z.string()).default([]),
    /** Virtual samples of every row of a sum and of every unit of a leaf. */
    pseudocount: z.strictObject({
      sums: z.number().min(0).default(0),
      leaves: z.number().min(0).default(0),
    }).prefault({}),
    /** Most samples at a time. */
    batchSize: z.int().min(1).default(256),
  }),
  inputs: { circuit, data: samples },
  outputs: { circuit },
  engine: "use",
  async run({ inputs, params, context }) {
    const chosen = params.latents.map((name) => nodeNamed(inputs.circuit, name));
    const explicit = chosen.length === 0 ? inputs.circuit : materialise(inputs.circuit, chosen).circuit;
    const learner = await openLearner(explicit, context);
    try {
      const { impossible, samples } = await countComplete(learner, inputs.data, {
        batchSize: params.batchSize,
        smoothing: {
          sums: { pseudocount: params.pseudocount.sums },
          leaves: { pseudocount: params.pseudocount.leaves },
        },
      });
      if (impossible > 0) {
        context.log(`${impossible} of ${samples} samples are impossible and count for nothing`);
      }
      const learned = await learner.parameters();
      // Factors that `materialise` adds where a latent variable is unused are none of the circuit's.
      const own = new Map([...learned].filter(([id]) => inputs.circuit.parameters.has(id)));
      return { circuit: withNotes(withParameters(inputs.circuit, own), inputs.data.notes) };
    } finally {
      await learner.close();
    }
  },
});
