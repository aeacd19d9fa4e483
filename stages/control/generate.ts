import { z } from "zod";
import { accepts } from "../../control/automata/automaton.ts";
import { UTF8 } from "../../control/automata/utf8.ts";
import type { Constraint } from "../../control/constraints/constraint.ts";
import type { Control } from "../../control/control.ts";
import { bytesOf, isText, type Spelling, spellingOf, textOfPieces } from "../../control/pieces/spelling.ts";
import type { ControlPlan } from "../../control/plan.ts";
import { languageModelScores } from "../../control/score.ts";
import { defineStage, type Stage, type StageContext } from "../../runner/stage.ts";
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
    const opened = await openPlanned(inputs.circuit, model.vocabulary, params, context.log);
    await using control: Control = opened.control;
    const { constraint } = opened;
    const spelling = spellingOf(control.vocabulary);
    const began = performance.now();
    const { drawn, logs, attempts } = params.method === "rejection"
      ? await rejected(model, { constraint, spelling, params, context })
      : await controlled(model, await opened.plan(), params, context);
    const seconds = (performance.now() - began) / 1000;
    const tokens = drawn.reduce((sum, text) => sum + text.length, 0);
    if (tokens > 0) context.metric("milliseconds a token", 1000 * seconds / tokens);
    const scores = await languageModelScores(model, drawn);
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
    const { method, temperature } = params;
    return {
      texts: { method, constraint: constraint.label, satisfied, attempts, perplexity, temperature, texts },
    };
  },
});

/** Texts that were drawn, and what it took. */
interface Drawn {
  readonly drawn: readonly number[][];
  /** Natural logarithm of the probability with which each was drawn; none where that is not known. */
  readonly logs: readonly number[];
  /** Texts that were drawn for them. */
  readonly attempts: number;
}

/** What of the parameters decides how texts are drawn. */
interface DrawParams {
  readonly method: "look-ahead" | "mask" | "rejection";
  readonly count: number;
  readonly temperature: number;
  readonly batch: number;
  readonly attempts: number;
  readonly tokens: readonly [number, number];
  readonly alpha: number;
}

type Context = Pick<StageContext, "log" | "progress" | "seed" | "signal">;

/** Draws under the constraint, by looking ahead or by the mask alone. */
async function controlled(
  model: CausalLm,
  plan: ControlPlan,
  { method, count, batch, temperature, alpha }: DrawParams,
  context: Context,
): Promise<Drawn> {
  const drawn: number[][] = [], logs: number[] = [];
  const { seed, signal } = context;
  const options = { count, seed, batch, temperature, alpha: method === "mask" ? 0 : alpha, signal };
  for await (const { tokens, logProbability } of plan.draw(model, options)) {
    drawn.push([...tokens]);
    logs.push(logProbability);
    context.progress(drawn.length, count, "texts");
  }
  return { drawn, logs, attempts: drawn.length };
}

/** Draws freely and keeps what a plan could have drawn, until there are texts enough or attempts are spent. */
async function rejected(
  model: CausalLm,
  { constraint, spelling, params, context }: {
    readonly constraint: Constraint;
    readonly spelling: Spelling;
    readonly params: DrawParams;
    readonly context: Context;
  },
): Promise<Drawn> {
  const { count, batch, temperature, tokens: [least, most] } = params;
  const drawn: number[][] = [];
  let attempts = 0;
  context.log(
    `draws until ${count} texts keep to ${constraint.label}, and ${
      params.attempts.toLocaleString("en")
    } texts at most (\`attempts\`)`,
  );
  while (drawn.length < count && attempts < params.attempts) {
    context.signal.throwIfAborted();
    for (
      const text of await model.draw({
        first: attempts,
        count: batch,
        length: most + 1,
        temperature,
        seed: context.seed,
      })
    ) {
      // The share of texts that are kept estimates their probability: it counts up to the last one.
      if (drawn.length === count || attempts === params.attempts) break;
      attempts++;
      const isEnded = text.at(-1) === model.vocabulary.end && text.length > least;
      if (isEnded && isKept(text.subarray(0, -1), constraint, spelling)) drawn.push([...text]);
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
  return { drawn, logs: [], attempts };
}

/** Whether tokens are a text of a plan: all of them text, which is valid UTF-8 and satisfies the constraint. */
function isKept(tokens: Int32Array, { automaton }: Constraint, spelling: Spelling): boolean {
  const bytes = bytesOf(tokens, spelling);
  return tokens.every((token) => isText(token, spelling)) && accepts(UTF8, bytes) &&
    accepts(automaton, bytes);
}
