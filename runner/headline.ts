import { z } from "zod";
import type { JsonObject } from "../foundation/canonical.ts";
import { CallError } from "../foundation/errors.ts";
import { didYouMean } from "../foundation/nearest.ts";
import { once } from "../foundation/once.ts";

/** Where values stand in an output: rows of a JSON value. `{path}` in a text stands for what lies at that dotted path of a row. */
export interface HeadlineValues {
  /** The pipeline's output, a JSON artifact. */
  readonly output: string;
  /** Dotted path of the list of rows; left out where the value itself is the list, or the only row. */
  readonly rows?: string | undefined;
  /** Dotted path in a row: a number, or a list of numbers, one a seed. */
  readonly value: string;
  /** Whose value it is: `{arm}`, or a text for all rows. Rows of equal arm and setting are repetitions. */
  readonly arm: string;
  /** What the arms are compared at: `{states} hidden states`. */
  readonly setting?: string | undefined;
  /** Dotted path in a row: false (or a list with it) where training was cut off. */
  readonly converged?: string | undefined;
  /** True for values that only stand beside: published ones, models of another kind. */
  readonly reference?: boolean | undefined;
}

/** What a pipeline's outputs say to its question, as its file declares it. */
export interface HeadlineDefinition {
  /** What is measured, in words: `test perplexity`. */
  readonly metric: string;
  /** Its unit, in words: `bits per dimension`. */
  readonly unit?: string | undefined;
  /** Whether lower or higher values are better. */
  readonly direction: "lower" | "higher";
  /** Decimals that are shown; by default four digits of the largest value. */
  readonly decimals?: number | undefined;
  /** The arm that the others are compared with. */
  readonly baseline: string;
  /** The arm that the question is about; by default the first that is neither the baseline nor a reference. */
  readonly subject?: string | undefined;
  /** Names of arms for people, in the order in which they are shown; others follow by their own names. */
  readonly arms?: Readonly<Record<string, string>> | undefined;
  /** Where the values stand. */
  readonly values: readonly HeadlineValues[];
}

/** Made when a pipeline with a question is checked. */
const headlineSchema = once(() => {
  const template = z.string().min(1).max(200);
  return z.strictObject({
    metric: z.string().min(1).max(100),
    unit: z.string().min(1).max(100).optional(),
    direction: z.enum(["lower", "higher"]),
    decimals: z.int().min(0).max(12).optional(),
    baseline: z.string().min(1),
    subject: z.string().min(1).optional(),
    arms: z.record(z.string(), z.string().min(1).max(100)).default({}),
    values: z.array(z.strictObject({
      output: z.string().min(1),
      rows: z.string().min(1).optional(),
      value: z.string().min(1),
      arm: template,
      setting: template.optional(),
      converged: z.string().min(1).optional(),
      reference: z.boolean().default(false),
    })).min(1),
  });
});

/** The same with defaults filled in: what is recorded with a run. */
export interface Headline extends HeadlineDefinition {
  readonly arms: Readonly<Record<string, string>>;
  readonly values: readonly (HeadlineValues & { readonly reference: boolean })[];
}

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
  const checked = headlineSchema().safeParse(given);
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
  const read = headlineSchema().safeParse(headline);
  return { question, headline: read.success ? read.data : null };
}
