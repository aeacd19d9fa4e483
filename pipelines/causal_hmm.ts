/**
 * A hidden Markov model of what a causal language model says (GeLaTo, Ctrl-G): texts are drawn from the model, the hidden
 * states are clusters of its vectors at each position, then EM. Perplexities are those of texts of the model that were not
 * trained on. The model is a folder with an `.onnx` file (logits, hidden states besides if there are), its
 * `tokenizer.json` and what else the model came with.
 *
 *     deno task run pipelines/causal_hmm.ts --set model=FOLDER
 *     deno task run pipelines/causal_hmm.ts --set model=FOLDER --set states=256 --set texts=50000 --set output=last_hidden_state
 */
import { z } from "zod";
import { definePipeline } from "../mod.ts";
import { drawTexts } from "../stages/text/draw_texts.ts";
import { embeddingState, embedSuffixes } from "../stages/text/embed.ts";
import { localText } from "../stages/text/local.ts";
import { sampleText } from "../stages/text/sample_text.ts";
import { causalParams, onnxTeacher, portNames } from "../stages/text/teachers.ts";
import { layWindows } from "../stages/text/windows.ts";
import { type Corpus, distilledArm, emParams, randomArm, tableOf, textHeadline } from "./parts/hmm_arms.ts";

export default definePipeline({
  name: "causal-hmm",
  question: "Does distilling a causal language model make a better hidden Markov model than a random start?",
  headline: textHeadline("distilled"),
  params: z.object({
    ...emParams,
    /** The folder of the language model; a relative one starts where the command is run. */
    model: z.string().min(1).default("model"),
    /** The `.onnx` file, where the folder has several: `onnx/model_fp16.onnx`. */
    graph: z.string().optional(),
    ...causalParams,
    /** Names of the graph's ports, where they are not the usual ones: see docs/text.md. */
    names: portNames,
    /** What a position's vector is: the state from which its piece is predicted (Ctrl-G), or the one that has read it. */
    state: embeddingState,
    /** The output whose vectors are clustered; by default what the graph calls hidden states, else its logits. */
    output: z.string().optional(),
    /** Texts for training; a tenth of it for validation, and again for the test. */
    texts: z.int().min(10).default(10_000),
    /** Pieces of a text at most. */
    length: z.int().min(2).default(32),
    /** What logits are divided by in drawing. */
    temperature: z.number().positive().default(1),
    /** Hidden states. */
    states: z.int().min(2).default(128),
    /** Most iterations of k-means. */
    iterations: z.int().min(1).default(30),
  }),
  build({ params }) {
    const { length, temperature, states, output, graph, begin, end, prompt, names, state } = params;
    const { teacher } = onnxTeacher({ files: [localText({}, { path: params.model }).files] }, {
      name: "causal language model",
      causal: true,
      names,
      ...(graph !== undefined && { model: graph }),
      ...(output !== undefined && { output }),
      ...(begin !== undefined && { begin }),
      ...(end !== undefined && { end }),
      ...(prompt !== undefined && { prompt }),
    });
    // Nodes of other names draw from other seeds.
    const draw = (split: string, count: number) =>
      drawTexts({ teacher }, { count, length, temperature }, { name: `texts.${split}` });
    const held = Math.ceil(params.texts / 10);
    const { vocabulary, tokens: train } = draw("train", params.texts);
    const tokens = { vocabulary, train, valid: draw("valid", held).tokens, test: draw("test", held).tokens };
    const lay = (split: "train" | "valid" | "test") =>
      layWindows({ tokens: tokens[split], vocabulary }, { length, within: "documents", partial: "pad" }, {
        name: `windows.${split}`,
      }).windows;
    const corpus: Corpus = {
      tokens,
      length,
      windows: { train: lay("train"), valid: lay("valid"), test: lay("test") },
    };
    const { vectors } = embedSuffixes({ teacher, tokens: train, windows: corpus.windows.train, vocabulary }, {
      mode: "causal",
      state,
    });
    const random = randomArm(corpus, states, 0, params);
    const { iterations } = params;
    const distilled = distilledArm(corpus, vectors, "distilled", states, 0, { iterations, em: params });
    const { circuit } = distilled;
    return {
      clusters: distilled.clusters,
      table: tableOf(corpus, [random, distilled], params.budget),
      sentences: sampleText({ circuit, vocabulary }, { count: 10 }).sentences,
      model: circuit,
    };
  },
});
