import { z } from "zod";
import type { JsonObject } from "../foundation/canonical.ts";
import { CallError } from "../foundation/errors.ts";
import { didYouMean } from "../foundation/nearest.ts";

/** `{path}` in a text stands for what lies at that dotted path of a row. */
const template = z.string().min(1).max(200);

/** Where values stand in an output: rows of a JSON value. */
const valuesSchema = z.strictObject({
  /** The pipeline's output, a JSON artifact. */
  output: z.string().min(1),
  /** Dotted path of the list of rows; left out where the value itself is the list, or the only row. */
  rows: z.string().min(1).optional(),
  /** Dotted path in a row: a number, or a list of numbers, one a seed. */
  value: z.string().min(1),
  /** Whose value it is: `{arm}`, or a text for all rows. Rows of equal arm and setting are repetitions. */
  arm: template,
  /** What the arms are compared at: `{states} hidden states`. */
  setting: template.optional(),
  /** Dotted path in a row: false (or a list with it) where training was cut off. */
  converged: z.string().min(1).optional(),
  /** True for values that only stand beside: published ones, models of another kind. */
  reference: z.boolean().default(false),
});

const headlineSchema = z.strictObject({
  /** What is measured, in words: `test perplexity`. */
  metric: z.string().min(1).max(100),
  /** Its unit, in words: `bits per dimension`. */
  unit: z.string().min(1).max(100).optional(),
  /** Whether lower or higher values are better. */
  direction: z.enum(["lower", "higher"]),
  /** Decimals that are shown; by default four digits of the largest value. */
  decimals: z.int().min(0).max(12).optional(),
  /** The arm that the others are compared with. */
  baseline: z.string().min(1),
  /** The arm that the question is about; by default the first that is neither the baseline nor a reference. */
  subject: z.string().min(1).optional(),
  /** Names of arms for people, in the order in which they are shown; others follow by their own names. */
  arms: z.record(z.string(), z.string().min(1).max(100)).default({}),
  /** Where the values stand. */
  values: z.array(valuesSchema).min(1),
});

/** What a pipeline's outputs say to its question, as its file declares it. */
export type HeadlineDefinition = z.input<typeof headlineSchema>;

/** The same with defaults filled in: what is recorded with a run. */
export type Headline = z.output<typeof headlineSchema>;

/** A question with where its answer stands. No part of any key: changing it makes nothing run again. */
export interface PipelineQuestion {
  readonly question: string;
  readonly headline: Headline | null;
}

/**
 * Checks what a pipeline declares of its question.
 *
 * @param params checked parameters, for headlines that depend on them.
 * @param outputs names of what the build returned.
 * @throws CallError that names every fault.
 */
export function checkAsked(
  name: string,
  declared: { readonly question?: unknown; readonly headline?: unknown },
  params: unknown,
  outputs: readonly string[],
): PipelineQuestion | undefined {
  const { question } = declared;
  const fail = (faults: readonly string[]): never => {
    throw new CallError(
      "pipeline/declaration",
      faults.map((fault) => `pipeline \`${name}\`: ${fault}`).join("\n"),
      { hint: "See docs/pipelines.md, “The question”." },
    );
  };
  if (declared.headline !== undefined && question === undefined) {
    fail(["it has a `headline` but no `question`; expected the question that it answers"]);
  }
  if (question === undefined) return undefined;
  if (typeof question !== "string" || question.trim() === "" || question.length > 300) {
    return fail([`\`question\` is ${JSON.stringify(question)}; expected a sentence of 1 to 300 characters`]);
  }
  if (declared.headline === undefined) return { question, headline: null };
  const given = typeof declared.headline === "function" ? declared.headline({ params }) : declared.headline;
  const checked = headlineSchema.safeParse(given);
  if (!checked.success) {
    return fail(
      checked.error.issues.map(({ path, message }) =>
        `\`headline${path.length === 0 ? "" : `.${path.join(".")}`}\`: ${message}`
      ),
    );
  }
  const headline = checked.data;
  const unknown = headline.values.flatMap(({ output }, i) =>
    outputs.includes(output) ? [] : [
      `\`headline.values.${i}.output\` is \`${output}\`, which is no output of it${
        didYouMean(output, outputs)
      }`,
    ]
  );
  if (unknown.length > 0) fail(unknown);
  return { question, headline };
}

/** A recorded question and headline; undefined for one that this version cannot read. */
export function readAsked(question: string, headline: JsonObject | null): PipelineQuestion {
  const read = headlineSchema.safeParse(headline);
  return { question, headline: read.success ? read.data : null };
}
