import { z } from "zod";
import { accepts } from "../../control/automata/automaton.ts";
import type { Constraint } from "../../control/constraints/constraint.ts";
import type { Control } from "../../control/control.ts";
import { languageModelScores } from "../../control/score.ts";
import { AFTER, BEGINNING, spellingOf, textOfPieces } from "../../control/pieces/spelling.ts";
import type { Vocabulary } from "../../datasets/text/vocabulary.ts";
import { defineStage, type Stage } from "../../runner/stage.ts";
import { type CausalLm, openCausalLm } from "../../teachers/causal_sampling.ts";
import { circuit } from "../codecs/circuit.ts";
import { teacher } from "../text/teachers.ts";
import { controlledTexts } from "./codecs.ts";
import { openPlanned, planParams } from "./shared.ts";

/**
 * Texts of a language model that satisfy a constraint. `look-ahead`: a hidden Markov model weighs each token by how likely
 * the constraint is kept after it; `mask`: tokens after which it cannot be kept are left out, and nothing else;
 * `rejection`: texts are drawn freely, and those that break it are thrown away, which is exact and may take for ever.
 */
export const controlGenerate: Stage<
  z.ZodObject<{
    method: z.ZodDefault<
      z.ZodEnum<{
        "look-ahead": "look-ahead";
        mask: "mask";
        rejection: "rejection";
      }>
    >;
    count: z.ZodDefault<z.ZodInt>;
    temperature: z.ZodDefault<z.ZodNumber>;
    batch: z.ZodDefault<z.ZodInt>;
    attempts: z.ZodDefault<z.ZodInt>;
    constraint: z.ZodJSONSchema;
    tokens: z.ZodDefault<z.ZodTuple<[z.ZodInt, z.ZodInt], null>>;
    alpha: z.ZodDefault<z.ZodNumber>;
    candidates: z.ZodOptional<z.ZodInt>;
    begins: z.ZodOptional<
      z.ZodEnum<{
        window: "window";
        end: "end";
        anywhere: "anywhere";
      }>
    >;
    ends: z.ZodOptional<z.ZodBoolean>;
  }, z.core.$strip>,
  { circuit: typeof circuit; teacher: typeof teacher },
  { texts: typeof controlledTexts }
> = defineStage({
  name: "control.generate",
  params: z.object({
    ...planParams,
    /** How the constraint is kept. */
    method: z.enum(["look-ahead", "mask", "rejection"]).default("look-ahead"),
    /** How many texts. */
    count: z.int().min(1).default(200),
    /** What logits are divided by before they are adjusted: 1 is the model's own distribution. */
    temperature: z.number().positive().default(1),
    /** Texts that are drawn side by side. */
    batch: z.int().min(1).default(32),
    /** Texts that `rejection` draws at most. */
    attempts: z.int().min(1).default(100_000),
  }),
  inputs: { circuit, teacher },
  outputs: { texts: controlledTexts },
  seeded: true,
  engine: "use",
  async run({ inputs, params, context }) {
    context.engine.used("cpu", "ONNX Runtime");
    await using model = await openCausalLm(inputs.teacher);
    const { vocabulary } = model;
    const { method, count } = params;
    const opened = await openPlanned(inputs.circuit, vocabulary, params, context.log);
    await using control: Control = opened.control;
    const { constraint } = opened;
    const drawn: number[][] = [], logs: number[] = [];
    let attempts = 0;
    const began = performance.now();
    if (method === "rejection") {
      const limit = params.attempts.toLocaleString("en");
      context.log(
        `draws until ${count} texts keep to ${constraint.label}, and ${limit} texts at most (\`attempts\`)`,
      );
      while (drawn.length < count && attempts < params.attempts) {
        context.signal.throwIfAborted();
        for (const text of await drawFreely(model, attempts, params, context.seed)) {
          // The share of texts that are kept estimates their probability: it counts up to the last one.
          if (drawn.length === count || attempts === params.attempts) break;
          attempts++;
          if (isKept(text, constraint, vocabulary, params.tokens)) drawn.push([...text]);
        }
        // Whichever comes first ends it: a constraint that is never kept must not look like a hang.
        const isKeptOften = drawn.length / count > attempts / params.attempts;
        if (isKeptOften) context.progress(drawn.length, count, "texts");
        else context.progress(attempts, params.attempts, "attempts");
      }
      if (drawn.length < count) {
        context.log(
          `stopped after ${
            attempts.toLocaleString("en")
          } texts: ${drawn.length} of them keep to ${constraint.label}`,
        );
      }
    } else {
      const plan = await opened.plan();
      const { temperature, batch } = params;
      const alpha = method === "mask" ? 0 : params.alpha;
      const options = { count, seed: context.seed, batch, temperature, alpha };
      for await (
        const { tokens, logProbability } of plan.draw(model, { ...options, signal: context.signal })
      ) {
        drawn.push([...tokens]);
        logs.push(logProbability);
        context.progress(drawn.length, count, "texts");
      }
      attempts = drawn.length;
    }
    const seconds = (performance.now() - began) / 1000;
    const tokens = drawn.reduce((sum, text) => sum + text.length, 0);
    if (tokens > 0) context.metric("milliseconds a token", 1000 * seconds / tokens);
    const scores = await languageModelScores(model, drawn);
    const spelling = spellingOf(control.vocabulary);
    const texts = drawn.map((tokens, n) => ({
      text: textOfPieces(tokens, spelling),
      tokens,
      logProbability: scores[n]!,
      logDrawn: logs[n] ?? null,
    }));
    const satisfied = texts.filter(({ text }) => accepts(constraint.automaton, text)).length;
    const perplexity = tokens === 0 ? null : Math.exp(-scores.reduce((a, b) => a + b, 0) / tokens);
    context.metric("satisfied", satisfied / Math.max(1, texts.length));
    if (perplexity !== null) context.metric("perplexity", perplexity);
    const { temperature } = params;
    return {
      texts: { method, constraint: constraint.label, satisfied, attempts, perplexity, temperature, texts },
    };
  },
});

function drawFreely(
  model: CausalLm,
  first: number,
  { batch, tokens: [, most], temperature }: {
    batch: number;
    tokens: readonly [number, number];
    temperature: number;
  },
  seed: number,
): Promise<Int32Array[]> {
  return model.draw({ first, count: batch, length: most + 1, temperature, seed });
}

/** Whether a freely drawn text is one that a plan could have drawn: of tokens that are text, ended, of an allowed length. */
function isKept(
  tokens: Int32Array,
  { automaton }: Constraint,
  vocabulary: Vocabulary,
  [least, most]: readonly [number, number],
): boolean {
  const spelling = spellings(vocabulary);
  const length = tokens.length - 1;
  if (tokens.at(-1) !== vocabulary.end || length < least || length > most) return false;
  const isText = (token: number, t: number) =>
    spelling.spell(token, t === 0 ? BEGINNING : AFTER) !== undefined;
  return tokens.subarray(0, -1).every(isText) && accepts(automaton, textOfPieces(tokens, spelling));
}

const known = new WeakMap<Vocabulary, ReturnType<typeof spellingOf>>();

function spellings(vocabulary: Vocabulary): ReturnType<typeof spellingOf> {
  let spelling = known.get(vocabulary);
  if (spelling === undefined) known.set(vocabulary, spelling = spellingOf(vocabulary));
  return spelling;
}
