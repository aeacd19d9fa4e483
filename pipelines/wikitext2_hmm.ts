/**
 * The paper's language experiment: hidden Markov models of WikiText-2 with increasing numbers of hidden states,
 * initialised at random and by latent variable distillation from a transformer and from two control teachers: the
 * decayed sum of static word vectors (no sentence context) and noise (no information). Every arm is trained by
 * mini-batch EM until the validation score stops improving, keeps the epoch with the best validation score, and is
 * smoothed by the amount that scores best on validation. `text_hmm.ts` does the same for your own text.
 *
 *     deno task run pipelines/wikitext2_hmm.ts
 *     deno task run pipelines/wikitext2_hmm.ts --set states=[64,128] --set seeds=3
 */
import { z } from "zod";
import { definePipeline } from "retort";
import { dataSet } from "retort/stages";
import { compareArms, experimentParams, loadText, textHeadline, tokenize } from "retort/stages/text";

export default definePipeline({
  name: "wikitext2-hmm",
  question:
    "Does distilling a transformer make better hidden Markov models of WikiText-2 than a random start?",
  headline: ({ params }) => textHeadline(params.teachers[0] ?? "random"),
  params: z.object(experimentParams),
  async build({ params, read }) {
    const text = loadText({ files: dataSet({}, { name: "wikitext-2" }).files }, {
      format: "file",
      split: "names",
    });
    const { table, charts } = await compareArms(
      tokenize(text, { by: "spaces", ends: "lines" }),
      { ...params, read },
      "WikiText-2",
    );
    return { table, charts };
  },
});
