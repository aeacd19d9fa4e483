import { z } from "zod";
import { hmmOfCircuit } from "../../control/hmm/token_hmm.ts";
import { hmmScore, languageModelScores } from "../../control/score.ts";
import { defineStage, type Many, many, type Stage } from "../../runner/stage.ts";
import { openCausalLm } from "../../teachers/causal_sampling.ts";
import { circuit } from "../codecs/circuit.ts";
import { type NewTokens, type Tokens, tokens } from "../text/codecs.ts";
import { teacher } from "../text/teachers.ts";
import { controlledTexts, controlTable } from "./codecs.ts";
import type { Circuit } from "../../circuits/circuit.ts";
import type { Codec } from "../../runner/codec.ts";
import type { TeacherFiles } from "../../teachers/config.ts";

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
    texts: Many<
      Codec<{
        method: "look-ahead" | "mask" | "rejection";
        constraint: string;
        satisfied: number;
        attempts: number;
        perplexity: number | null;
        texts: {
          text: string;
          tokens: number[];
          logProbability: number;
        }[];
      }, {
        method: "look-ahead" | "mask" | "rejection";
        constraint: string;
        satisfied: number;
        attempts: number;
        perplexity: number | null;
        texts: {
          text: string;
          tokens: number[];
          logProbability: number;
        }[];
      }, "controlled-texts">
    >;
    circuit: Codec<Circuit, Circuit, "circuit">;
    teacher: Codec<TeacherFiles, TeacherFiles, "teacher">;
    held: Codec<Tokens, NewTokens, "tokens">;
  },
  {
    table: Codec<{
      rows: {
        method: string;
        texts: number;
        satisfied: number;
        perplexity: number | null;
        attempts: number;
        length: number;
        tokenDistance: number | null;
        lengthDistance: number | null;
      }[];
      quality: {
        languageModel: number;
        hmm: number;
        tokens: number;
      };
    }, {
      rows: {
        method: string;
        texts: number;
        satisfied: number;
        perplexity: number | null;
        attempts: number;
        length: number;
        tokenDistance: number | null;
        lengthDistance: number | null;
      }[];
      quality: {
        languageModel: number;
        hmm: number;
        tokens: number;
      };
    }, "control-table">;
  }
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
    const exact = inputs.texts.find(({ method, texts }) => method === "rejection" && texts.length > 0);
    const rows = inputs.texts.map(({ method, satisfied, attempts, perplexity, texts }) => ({
      method,
      texts: texts.length,
      satisfied: texts.length === 0 ? 0 : satisfied / texts.length,
      perplexity,
      attempts: attempts / Math.max(1, texts.length),
      length: texts.reduce((sum, { tokens }) => sum + tokens.length, 0) / Math.max(1, texts.length),
      tokenDistance: exact === undefined || texts.length === 0 ? null : jensenShannon(
        shares(exact.texts.flatMap(({ tokens }) => tokens)),
        shares(texts.flatMap(({ tokens }) => tokens)),
      ),
      lengthDistance: exact === undefined || texts.length === 0 ? null : totalVariation(
        shares(exact.texts.map(({ tokens }) => tokens.length)),
        shares(texts.map(({ tokens }) => tokens.length)),
      ),
    }));
    await using model = await openCausalLm(inputs.teacher);
    const hmm = hmmOfCircuit(inputs.circuit);
    const ids = await inputs.held.ids.all(), { starts } = inputs.held;
    const held = Array.from(
      { length: Math.min(params.measured, starts.length - 1) },
      (_, n) => ids.subarray(starts[n], starts[n + 1]),
    );
    const count = held.reduce((sum, text) => sum + text.length, 0);
    const bits = (nats: Iterable<number>) => -[...nats].reduce((a, b) => a + b, 0) / count / Math.LN2;
    const quality = {
      languageModel: bits(await languageModelScores(model, held)),
      hmm: bits(held.map((text) => hmmScore(hmm, text))),
      tokens: count,
    };
    context.metric("bits a token, language model", quality.languageModel);
    context.metric("bits a token, HMM", quality.hmm);
    return { table: { rows, quality } };
  },
});

/** Shares of numbers among others. */
function shares(list: readonly number[]): Map<number, number> {
  const found = new Map<number, number>();
  for (const x of list) found.set(x, (found.get(x) ?? 0) + 1 / list.length);
  return found;
}

/** Jensen-Shannon divergence in bits: 0 for equal distributions, 1 for those that share nothing. */
function jensenShannon(a: ReadonlyMap<number, number>, b: ReadonlyMap<number, number>): number {
  let sum = 0;
  for (const key of new Set([...a.keys(), ...b.keys()])) {
    const p = a.get(key) ?? 0, q = b.get(key) ?? 0, mean = (p + q) / 2;
    for (const x of [p, q]) if (x > 0) sum += x * Math.log2(x / mean) / 2;
  }
  return Math.max(0, sum);
}

function totalVariation(a: ReadonlyMap<number, number>, b: ReadonlyMap<number, number>): number {
  let sum = 0;
  for (const key of new Set([...a.keys(), ...b.keys()])) {
    sum += Math.abs((a.get(key) ?? 0) - (b.get(key) ?? 0)) / 2;
  }
  return sum;
}
