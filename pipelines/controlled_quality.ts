/**
 * How well must a hidden Markov model know a language model to keep it to a constraint? Distils one language model of State of
 * the Union addresses from fewer and from more of its texts, into fewer and more hidden states, and draws constrained texts
 * with each. Needs no download beyond the npm packages of deno.json.
 *
 *     deno task run pipelines/controlled_quality.ts
 *     deno task run pipelines/controlled_quality.ts --set texts=[500,4000] --set states=[8,64]
 */
import { z } from "zod";
import { definePipeline } from "retort";
import { constraintParam, controlGenerate, controlQuality } from "retort/stages/control";
import {
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
  name: "controlled-quality",
  question: "How well must a hidden Markov model know a language model to keep it to a constraint?",
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
    /** Numbers of texts that the language model draws for hidden Markov models. */
    texts: z.array(z.int().min(10)).min(1).default([500, 2000, 10_000]),
    /** Texts that it draws to end trainings, and as many to measure by. */
    held: z.int().min(1).default(500),
    /** Tokens of a text at most. */
    length: z.int().min(4).default(32),
    /** Numbers of hidden states. */
    states: z.array(z.int().min(2)).min(1).default([4, 16, 64, 128]),
    /** The constraint: see docs/control.md. */
    constraint: constraintParam.default({ all: [{ inOrder: [" we", " our"] }, { words: [10, 20] }] }),
    /** How many constrained texts each way. */
    count: z.int().min(1).default(400),
    /** Texts that rejection draws at most. */
    attempts: z.int().min(1).default(40_000),
  }),
  async build({ params, read }) {
    const { length, width, constraint, count, attempts } = params;
    const text = loadText(sotuText({}, { from: params.from }), { format: "file" });
    const corpus = tokenize(text, { lowercase: true, minimum: params.minimum });
    const { teacher } = trainCausalLm(
      { train: corpus.train, valid: corpus.valid, vocabulary: corpus.vocabulary },
      { length: length + 1, width, hiddenWidth: 4 * width, epochs: params.passes },
    );
    const draw = (count: number, split: string) => {
      const { vocabulary, tokens } = drawTexts({ teacher }, { count, length, batch: 32 }, {
        name: `texts.${split}`,
      });
      const { windows } = layWindows(
        { tokens, vocabulary },
        { length, within: "documents", partial: "pad" },
        {
          name: `windows.${split}`,
        },
      );
      return { vocabulary, tokens, windows };
    };
    const valid = draw(params.held, "valid"), test = draw(params.held, "test");
    const models = (await Promise.all(params.texts.map(async (draws) => {
      const train = draw(draws, String(draws));
      const { vocabulary, tokens, windows } = train;
      const { vectors } = embedSuffixes({ teacher, tokens, windows, vocabulary }, {
        mode: "causal",
        state: "before",
      }, { name: `vectors.${draws}` });
      const drawn = {
        tokens: { vocabulary, train: tokens, valid: valid.tokens, test: test.tokens },
        length,
        windows: { train: windows, valid: valid.windows, test: test.windows },
      };
      return await Promise.all(params.states.map(async (states) => {
        const { circuit, log } = await distilledArm(drawn, vectors, `${draws} draws`, states, 0, {
          iterations: 20,
          em: { ...params, budget: 0, read },
        });
        return { row: { draws, states }, circuit, log };
      }));
    }))).flat();
    const asked = { constraint, tokens: [0, length - 1] as [number, number], count };
    const [{ circuit: any }] = models as [typeof models[number]];
    const without = (method: "mask" | "rejection") =>
      controlGenerate({ circuit: any, teacher }, { ...asked, method, attempts }, { name: method }).texts;
    return controlQuality({
      circuits: models.map(({ circuit }) => circuit),
      logs: models.map(({ log }) => log),
      texts: models.map(({ circuit, row: { draws, states } }) =>
        controlGenerate({ circuit, teacher }, asked, {
          arm: `${draws} draws`,
          setting: `${states} hidden states`,
          name: `texts ${draws} draws@${states}`,
        }).texts
      ),
      floors: [without("mask"), without("rejection")],
      teacher,
      held: test.tokens,
    }, { rows: models.map(({ row }) => row) });
  },
});
