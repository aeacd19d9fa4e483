/**
 * Makes a language model keep to a constraint: trains a small causal transformer on State of the Union addresses, distils
 * it into a hidden Markov model (Ctrl-G), and draws 200 sentences with keywords in order and 10 to 20 words: with the
 * hidden Markov model looking ahead, by a mask alone, and by rejection. Needs no download beyond the npm packages of
 * deno.json.
 *
 * What it trained is among its outputs: `languageModel` and `model`, its hidden Markov model.
 *
 *     deno task run pipelines/controlled.ts
 *     deno task run pipelines/controlled.ts --set from=2000 --set passes=2 --set texts=2000 --set states=32 --set epochs=3
 */
import { z } from "zod";
import { definePipeline } from "retort";
import { constraintParam, controlCompare, controlGenerate, controlPlan } from "retort/stages/control";
import {
  type Corpus,
  distilledArm,
  drawTexts,
  embedSuffixes,
  emParams,
  layWindows,
  loadText,
  sotuText,
  tokenize,
  trainCausalLm,
} from "retort/stages/text";

const { budget: _budget, ...em } = emParams;

export default definePipeline({
  name: "controlled",
  question: "Does looking ahead keep a language model to a constraint and to its own distribution?",
  headline: {
    metric: "perplexity under the language model",
    direction: "lower",
    decimals: 1,
    subject: "look-ahead",
    baseline: "mask",
    arms: { "look-ahead": "HMM look-ahead", mask: "mask alone", rejection: "rejection" },
    values: [{ output: "table", rows: "rows", value: "perplexity", arm: "{method}" }],
  },
  params: z.object({
    ...em,
    /** First year of the addresses used. */
    from: z.int().default(1930),
    /** Words with fewer occurrences in the training text become the unknown word. */
    minimum: z.int().min(1).default(5),
    /** Passes of the language model over the addresses. */
    passes: z.int().min(1).default(4),
    /** Numbers in a vector of the language model. */
    width: z.int().min(1).default(128),
    /** Texts that the language model draws for the hidden Markov model; a tenth as many are held out. */
    texts: z.int().min(10).default(10_000),
    /** Tokens of a text at most. */
    length: z.int().min(4).default(32),
    /** Hidden states. */
    states: z.int().min(2).default(128),
    /** The constraint: see docs/control.md. */
    constraint: constraintParam.default({ all: [{ inOrder: [" we", " our"] }, { words: [10, 20] }] }),
    /** How many constrained texts. */
    count: z.int().min(1).default(200),
    /** Texts that rejection draws at most. */
    attempts: z.int().min(1).default(20_000),
  }),
  async build({ params, read }) {
    const { length, states, width, constraint, count, attempts } = params;
    const text = loadText(sotuText({}, { from: params.from }), { format: "file" });
    const corpus = tokenize(text, { lowercase: true, minimum: params.minimum });
    const { teacher, log } = trainCausalLm(
      { train: corpus.train, valid: corpus.valid, vocabulary: corpus.vocabulary },
      { length: length + 1, width, hiddenWidth: 4 * width, epochs: params.passes },
    );
    const draw = (split: string, count: number) =>
      drawTexts({ teacher }, { count, length, batch: 32 }, { name: `texts.${split}` });
    const held = Math.ceil(params.texts / 10);
    const { vocabulary, tokens: train } = draw("train", params.texts);
    const tokens = { vocabulary, train, valid: draw("valid", held).tokens, test: draw("test", held).tokens };
    const lay = (split: "train" | "valid" | "test") =>
      layWindows({ tokens: tokens[split], vocabulary }, { length, within: "documents", partial: "pad" }, {
        name: `windows.${split}`,
      }).windows;
    const drawn: Corpus = {
      tokens,
      length,
      windows: { train: lay("train"), valid: lay("valid"), test: lay("test") },
    };
    const { vectors } = embedSuffixes({ teacher, tokens: train, windows: drawn.windows.train, vocabulary }, {
      mode: "causal",
      state: "before",
    });
    const { circuit } = await distilledArm(drawn, vectors, "distilled", states, 0, {
      iterations: 20,
      em: { ...params, budget: 0, read },
    });
    const asked = { constraint, tokens: [0, length - 1] as [number, number] };
    const arm = (method: "look-ahead" | "mask" | "rejection") =>
      controlGenerate({ circuit, teacher }, { ...asked, method, count, attempts }, {
        arm: method,
        name: method,
      }).texts;
    const texts = [arm("look-ahead"), arm("mask"), arm("rejection")];
    return {
      table: controlCompare({ texts, circuit, teacher, held: tokens.test }, {}).table,
      plan: controlPlan({ circuit, vocabulary }, asked).plan,
      texts: texts[0]!,
      language: log,
      languageModel: teacher,
      vocabulary,
      model: circuit,
    };
  },
});
