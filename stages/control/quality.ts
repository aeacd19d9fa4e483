import { z } from "zod";
import { hmmOfCircuit } from "../../control/hmm/token_hmm.ts";
import { hmmScore, languageModelScores } from "../../control/score.ts";
import { tableText } from "../../foundation/text.ts";
import type { Codec } from "../../runner/codec.ts";
import { json } from "../../runner/codecs/json.ts";
import { defineStage, type Many, many, type Stage } from "../../runner/stage.ts";
import { openCausalLm } from "../../teachers/causal_sampling.ts";
import { charts, type NamedChart } from "../charts/codec.ts";
import { pointOf } from "../charts/line_chart.ts";
import { circuit } from "../codecs/circuit.ts";
import { trainingLog } from "../codecs/score.ts";
import { convergenceText, HOLLOW } from "../convergence.ts";
import { tokens } from "../text/codecs.ts";
import { teacher } from "../text/teachers.ts";
import { controlledTexts } from "./codecs.ts";
import { bitsPerToken, exactTexts, firstTexts, measuresOf, type TextMeasures } from "./measures.ts";

/** How well a hidden Markov model knows its language model, and what it does to texts under a constraint. */
export interface QualityRow extends TextMeasures {
  /** Texts of the language model that it was distilled from. */
  readonly draws: number;
  /** Its hidden states. */
  readonly states: number;
  /** Bits a token of the language model's texts under it. */
  readonly bits: number;
  /** Whether validation texts ended its training; null where there were none. */
  readonly converged: boolean | null;
}

/** Hidden Markov models of one language model, from poor to good, and the ways to do without one. */
export interface QualityTable {
  /** Bits a token of the language model's own texts, under itself: no model needs fewer. */
  readonly languageModel: number;
  /** A model each. */
  readonly rows: readonly QualityRow[];
  /** Ways without a hidden Markov model: `mask` and `rejection`. */
  readonly floors: readonly ({ readonly method: string } & TextMeasures)[];
}

const number = z.number().nullable();
const measures = {
  texts: z.int(),
  satisfied: z.number(),
  perplexity: number,
  attempts: z.number(),
  length: z.number(),
  tokenDistance: number,
  lengthDistance: number,
  divergence: number,
};

/** What the quality of hidden Markov models does to texts under a constraint. */
export const qualityTable: Codec<QualityTable, QualityTable, "control-quality"> = json(
  "control-quality",
  z.object({
    languageModel: z.number(),
    rows: z.array(z.object({
      draws: z.int(),
      states: z.int(),
      bits: z.number(),
      converged: z.boolean().nullable(),
      ...measures,
    })),
    floors: z.array(z.object({ method: z.string(), ...measures })),
  }),
  1,
  {
    summary: ({ languageModel, rows, floors }) =>
      [
        tableText(
          ["draws", "states", "bits a token", "perplexity", "bits from exact", "satisfied", "training"],
          [
            ...rows.map((row) => [
              String(row.draws),
              String(row.states),
              row.bits.toFixed(3),
              ...measured(row),
              convergenceText([row.converged]),
            ]),
            ...floors.map((row) => [row.method, "", "", ...measured(row), ""]),
          ],
        ),
        `bits a token of held-out draws under the language model: ${languageModel.toFixed(3)}`,
      ].join("\n"),
  },
);

function measured({ perplexity, divergence, satisfied }: TextMeasures): string[] {
  return [perplexity?.toFixed(1) ?? "", divergence?.toFixed(2) ?? "", satisfied.toFixed(3)];
}

/**
 * What the quality of a hidden Markov model, in bits a token of its language model's texts, does to texts under a constraint:
 * a table and charts. Texts satisfy the constraint whatever it is.
 */
export const controlQuality: Stage<
  z.ZodObject<{
    rows: z.ZodArray<z.ZodObject<{ draws: z.ZodInt; states: z.ZodInt }, z.core.$strip>>;
    measured: z.ZodDefault<z.ZodInt>;
  }, z.core.$strip>,
  {
    circuits: Many<typeof circuit>;
    logs: Many<typeof trainingLog>;
    texts: Many<typeof controlledTexts>;
    floors: Many<typeof controlledTexts>;
    teacher: typeof teacher;
    held: typeof tokens;
  },
  { table: typeof qualityTable; charts: typeof charts }
> = defineStage({
  name: "control.quality",
  params: z.object({
    /** What each model is: texts that it was distilled from, and hidden states. */
    rows: z.array(z.object({ draws: z.int(), states: z.int() })),
    /** Most texts of the language model by which models are measured. */
    measured: z.int().min(1).default(1000),
  }),
  inputs: {
    /** Models of one language model. */
    circuits: many(circuit),
    /** How they were trained. */
    logs: many(trainingLog),
    /** What was drawn with each. */
    texts: many(controlledTexts),
    /** What was drawn without one. */
    floors: many(controlledTexts),
    teacher,
    /** Texts of the language model by which all are measured. */
    held: tokens,
  },
  outputs: { table: qualityTable, charts },
  engine: "use",
  async run({ inputs, params, context }) {
    context.engine.used("cpu", "ONNX Runtime");
    const exact = exactTexts(inputs.floors);
    const held = await firstTexts(inputs.held, params.measured);
    await using model = await openCausalLm(inputs.teacher);
    const table: QualityTable = {
      languageModel: bitsPerToken(await languageModelScores(model, held), held),
      rows: params.rows.map((row, i) => {
        const hmm = hmmOfCircuit(inputs.circuits[i]!);
        context.progress(i, params.rows.length, "models");
        return {
          ...row,
          bits: bitsPerToken(held.map((text) => hmmScore(hmm, text)), held),
          converged: inputs.logs[i]!.converged,
          ...measuresOf(inputs.texts[i]!, exact),
        };
      }),
      floors: inputs.floors.map((texts) => ({ method: texts.method, ...measuresOf(texts, exact) })),
    };
    return { table, charts: qualityCharts(table) };
  },
});

/** Perplexity, and distance from the exact distribution, against what the distillation lost. */
export function qualityCharts({ languageModel, rows, floors }: QualityTable): NamedChart[] {
  return ([
    ["perplexity", "perplexity under the language model", "Perplexity of constrained texts"],
    ["divergence", "divergence from the exact distribution (bits a text)", "Distance of constrained texts"],
  ] as const).map(([name, label, what]) => {
    const series = [...Map.groupBy(rows, ({ draws }) => draws)].map(([draws, of]) => ({
      label: `${draws.toLocaleString("en")} draws`,
      points: of.flatMap((row) => {
        const y = row[name];
        return y === null ? [] : [pointOf(row.bits - languageModel, [y], row.converged === false)];
      }).sort((a, b) => a.x - b.x),
    }));
    const title = `${what} against what the hidden Markov model lost of the language model`;
    return {
      name,
      chart: {
        title: rows.some(({ converged }) => converged === false) ? `${title} (${HOLLOW})` : title,
        x: { label: "bits a token more than the language model", ticks: "round" },
        y: { label },
        series,
        levels: floors.flatMap(({ method, [name]: y }) => y === null ? [] : [{ label: method, y }]),
      },
    };
  });
}
