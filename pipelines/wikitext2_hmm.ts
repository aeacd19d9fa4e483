/**
 * The paper's language experiment: hidden Markov models of WikiText-2, more and more hidden states, started at random
 * and by latent variable distillation from a transformer and from control teachers: the decayed sum of static word
 * vectors (which knows no sentences), and noise (which knows nothing). Every arm is trained by EM in
 * mini-batches until the validation text ends it, keeps the epoch that predicts that text best, and is smoothed as that
 * text wants it. `text_hmm.ts` is the same for a text of one's own.
 *
 *     deno task run pipelines/wikitext2_hmm.ts
 *     deno task run pipelines/wikitext2_hmm.ts --set states=[64,128] --set seeds=3
 */
import { z } from "zod";
import { definePipeline } from "../mod.ts";
import { dataSet } from "../stages/data_set.ts";
import { loadText } from "../stages/text/load.ts";
import { tokenize } from "../stages/text/tokenize.ts";
import { textHeadline } from "./parts/hmm_arms.ts";
import { compareArms, experimentParams } from "./parts/text_experiment.ts";

export default definePipeline({
  name: "wikitext2-hmm",
  question:
    "Does distilling a transformer make better hidden Markov models of WikiText-2 than a random start?",
  headline: ({ params }) => textHeadline(params.teachers[0] ?? "random"),
  params: z.object(experimentParams),
  build({ params }) {
    const text = loadText({ files: dataSet({}, { name: "wikitext-2" }).files }, {
      format: "file",
      split: "names",
    });
    const { table, charts } = compareArms(
      tokenize(text, { by: "spaces", ends: "lines" }),
      params,
      "WikiText-2",
    );
    return { table, charts };
  },
});
