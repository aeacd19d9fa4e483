/**
 * Distills a causal language model into a hidden Markov model (GeLaTo, Ctrl-G): samples texts from the model, clusters
 * its hidden vectors at every position into the HMM's hidden states, then runs EM. Perplexities are measured on sampled
 * texts that were held out of training. The model is a folder with an `.onnx` file (logits, optionally hidden states),
 * its `tokenizer.json` and the other files it was published with.
 *
 *     deno task run pipelines/causal_hmm.ts --set model=FOLDER
 *     deno task run pipelines/causal_hmm.ts --set model=FOLDER --set states=256 --set texts=50000 --set output=last_hidden_state
 */
import { z } from "zod";
import { definePipeline } from "retort";
import {
  causalParams,
  type Corpus,
  distilledArm,
  drawTexts,
  embeddingState,
  embedSuffixes,
  emParams,
  layWindows,
  localText,
  onnxTeacher,
  portNames,
  randomArm,
  sampleText,
  tableOf,
  textHeadline,
} from "retort/stages/text";

export default definePipeline({
  name: "causal-hmm",
  question: "Does distilling a causal language model make a better hidden Markov model than a random start?",
  headline: textHeadline("distilled"),
  params: z.object({
    ...emParams,
    /** Folder of the language model; relative paths are resolved against the working directory of the command. */
    model: z.string().min(1).default("model"),
    /** The `.onnx` file, if the folder has several: `onnx/model_fp16.onnx`. */
    graph: z.string().optional(),
    ...causalParams,
    /** Names of the graph's ports, if they are not the usual ones: see docs/text.md. */
    names: portNames,
    /** Which hidden state represents a position: the one that predicts its piece (Ctrl-G), or the one after reading it. */
    state: embeddingState,
    /** The output whose vectors are clustered; by default the graph's hidden states if it has any, otherwise its logits. */
    output: z.string().optional(),
    /** Number of training texts; validation and test get a tenth as many each. */
    texts: z.int().min(10).default(10_000),
    /** Maximum number of pieces in a text. */
    length: z.int().min(2).default(32),
    /** Sampling temperature: logits are divided by it. */
    temperature: z.number().positive().default(1),
    /** Number of hidden states. */
    states: z.int().min(2).default(128),
    /** Maximum number of k-means iterations. */
    iterations: z.int().min(1).default(30),
  }),
  async build({ params, read }) {
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
    // Seeds derive from node names, so each split samples different texts.
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
    const { iterations } = params, em = { ...params, read };
    const [random, distilled] = await Promise.all([
      randomArm(corpus, states, 0, em),
      distilledArm(corpus, vectors, "distilled", states, 0, { iterations, em }),
    ]);
    const { circuit } = distilled;
    return {
      clusters: distilled.clusters,
      table: tableOf(corpus, [random, distilled], params.budget),
      sentences: sampleText({ circuit, vocabulary }, { count: 10 }).sentences,
      model: circuit,
    };
  },
});
