import { z } from "zod";
import { ScoreSum } from "../circuits/learning/score.ts";
import { ascending, batchCount, batchOf, readBatch } from "../circuits/learning/source.ts";
import { defineStage, type Stage } from "../runner/stage.ts";
import { circuit } from "./codecs/circuit.ts";
import { samples } from "./codecs/samples.ts";
import { plainScore, score } from "./codecs/score.ts";
import { openLearner } from "./open_learner.ts";

/** Mean log-likelihood of samples under a circuit, with the standard error of the mean. */
export const evaluateCircuit: Stage<
  z.ZodObject<{
    batchSize: z.ZodDefault<z.ZodInt>;
  }, z.core.$strip>,
  { circuit: typeof circuit; data: typeof samples },
  { score: typeof score }
> = defineStage({
  name: "evaluate.circuit",
  params: z.object({
    /** Most samples at a time. */
    batchSize: z.int().min(1).default(256),
  }),
  inputs: { circuit, data: samples },
  outputs: { score },
  engine: "use",
  async run({ inputs, params, context }) {
    const { data } = inputs;
    const learner = await openLearner(inputs.circuit, context);
    try {
      const sum = new ScoreSum(), order = ascending(data.count);
      let squares = 0;
      const batches = batchCount(data.count, params.batchSize);
      for (let b = 0; b < batches; b++) {
        context.signal.throwIfAborted();
        const batch = await readBatch(data, batchOf(order, b, params.batchSize));
        const logs = await learner.logLikelihoods(batch.samples);
        sum.add(logs, batch.weights);
        logs.forEach((l, s) => squares += l > -Infinity ? (batch.weights?.[s] ?? 1) * l * l : 0);
        context.progress(b + 1, batches, "batches");
      }
      const result = plainScore(sum.score(inputs.circuit.variables.length));
      const { logLikelihood: mean } = result;
      const variance = mean === null ? 0 : Math.max(0, squares / sum.weight - mean * mean);
      if (mean !== null) context.metric("log-likelihood", mean);
      if (result.bitsPerVariable !== null) context.metric("bits per variable", result.bitsPerVariable);
      if (result.impossible > 0) {
        context.log(`${result.impossible} of ${result.samples} samples are impossible`);
      }
      return {
        score: { ...result, standardError: mean === null ? null : Math.sqrt(variance / sum.weight) },
      };
    } finally {
      await learner.close();
    }
  },
});
