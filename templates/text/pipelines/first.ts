/**
 * Hidden Markov models of your own texts: one that starts from clusters of word vectors, one that starts at random. Ends with their
 * perplexities and with sentences drawn from the first.
 */
import { definePipeline, type Ref } from "retort";
import { type circuit, clusterVectors } from "retort/stages";
import {
  clustersFor,
  embedStatic,
  evaluateText,
  layWindows,
  loadText,
  localText,
  materialiseHmm,
  randomHmm,
  sampleText,
  tokenize,
  trainText,
  wordVectors,
} from "retort/stages/text";
import { z } from "zod";
import { comparePerplexities } from "../stages/mine.ts";

export default definePipeline({
  name: "first",
  params: z.object({
    /** A folder of texts, or one file. */
    text: z.string().min(1).default("texts"),
    /** Number of hidden states. */
    states: z.int().min(2).default(32),
    /** Number of words in a window. */
    window: z.int().min(2).default(24),
    /** Words with fewer occurrences become the unknown word. */
    minimum: z.int().min(1).default(2),
    /** Most epochs of training. */
    epochs: z.int().min(1).default(20),
  }),
  build({ params }) {
    const { states, window: length, minimum, epochs } = params;
    const parts = loadText({ files: localText({}, { path: params.text }).files }, {
      format: "paragraphs",
      split: "hash",
    });
    const { vocabulary, train, valid, test } = tokenize(parts, { lowercase: true, minimum });
    const lay = (tokens: typeof train, split: string) =>
      layWindows({ tokens, vocabulary }, { length, partial: "pad" }, { name: `windows ${split}` }).windows;
    const windows = { train: lay(train, "train"), valid: lay(valid, "valid"), test: lay(test, "test") };

    const { words } = wordVectors({ tokens: train, vocabulary }, { width: 16 });
    const { vectors } = embedStatic({ words, tokens: train, windows: windows.train }, {});
    const { labels } = clusterVectors({ vectors }, { clusters: clustersFor(states), zeros: "skip" });
    const distilled = materialiseHmm({ tokens: train, windows: windows.train, vocabulary, labels }, {});
    const random = randomHmm({ vocabulary }, { states, length });

    const finish = (arm: string, start: Ref<typeof circuit>) => {
      const trained = trainText(
        {
          circuit: start,
          train,
          trainWindows: windows.train,
          valid,
          validWindows: windows.valid,
        },
        { epochs, pseudocount: { sums: 0.1, leaves: 20 }, leafBase: "marginal" },
        { arm, name: `train ${arm}` },
      );
      const { score } = evaluateText({ circuit: trained.circuit, tokens: test, windows: windows.test }, {}, {
        arm,
        name: `test ${arm}`,
      });
      return { circuit: trained.circuit, score };
    };
    const arms = {
      distilled: finish("distilled", distilled.circuit),
      random: finish("random", random.circuit),
    };
    return {
      perplexities: comparePerplexities({ distilled: arms.distilled.score, random: arms.random.score }).table,
      sentences: sampleText({ circuit: arms.distilled.circuit, vocabulary }, { count: 8 }).sentences,
      model: arms.distilled.circuit,
    };
  },
});
