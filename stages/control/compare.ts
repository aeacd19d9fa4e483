import { z } from "zod";
import { hmmOfCircuit } from "../../control/hmm/token_hmm.ts";
import { hmmScore, languageModelScores } from "../../control/score.ts";
import { defineStage, type Many, many, type Stage } from "../../runner/stage.ts";
import { openCausalLm } from "../../teachers/causal_sampling.ts";
import { circuit } from "../codecs/circuit.ts";
import { tokens } from "../text/codecs.ts";
import { teacher } from "../text/teachers.ts";
import { controlledTexts, controlTable } from "./codecs.ts";
import { bitsPerToken, exactTexts, firstTexts, measuresOf } from "./measures.ts";

/**
 * Ways to keep to one constraint beside each other, and how well the hidden Markov model knows the language model: bits a
 * token of texts that the language model drew, under both. The distances are to the texts of rejection sampling, which are
 * exactly the language model's own.
 */
export const controlCompare: Stage<
  z.ZodObject<{
    measured: z.ZodDefault<z.ZodInt>;
  }, z.core.$strip>,
  {
    texts: Many<typeof controlledTexts>;
    circuit: typeof circuit;
    teacher: typeof teacher;
    held: typeof tokens;
  },
  { table: typeof controlTable }
> = defineStage({
  name: "control.compare",
  params: z.object({
    /** Most texts of the language model by which the hidden Markov model is measured. */
    measured: z.int().min(1).default(1000),
  }),
  inputs: { texts: many(controlledTexts), circuit, teacher, held: tokens },
  outputs: { table: controlTable },
  engine: "use",
  async run({ inputs, params, context }) {
    context.engine.used("cpu", "ONNX Runtime");
    const exact = exactTexts(inputs.texts);
    const rows = inputs.texts.map((texts) => ({ method: texts.method, ...measuresOf(texts, exact) }));
    await using model = await openCausalLm(inputs.teacher);
    const hmm = hmmOfCircuit(inputs.circuit);
    const held = await firstTexts(inputs.held, params.measured);
    const quality = {
      languageModel: bitsPerToken(await languageModelScores(model, held), held),
      hmm: bitsPerToken(held.map((text) => hmmScore(hmm, text)), held),
      tokens: held.reduce((sum, text) => sum + text.length, 0),
    };
    context.metric("bits a token, language model", quality.languageModel);
    context.metric("bits a token, HMM", quality.hmm);
    return { table: { rows, quality } };
  },
});
