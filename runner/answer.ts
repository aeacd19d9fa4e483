import type { JsonValue } from "../foundation/canonical.ts";
import { type Spread, spreadOfValues } from "../foundation/spread.ts";
import type { Headline, PipelineQuestion } from "./headline.ts";

/** How one arm differs from the baseline. */
export interface Difference {
  /** Its mean less the baseline's. */
  readonly change: number;
  /** The same as a share of the baseline's mean; null where that is 0. */
  readonly relative: number | null;
  /** By the direction of the metric; null where both are equal. */
  readonly better: boolean | null;
  /** 95 % confidence interval of the change (Welch); null with fewer than two seeds on either side. */
  readonly interval: readonly [low: number, high: number] | null;
}

/** What an arm came to. */
export interface ArmValue {
  /** Its name in the outputs, and for people. */
  readonly arm: string;
  readonly label: string;
  readonly role: "subject" | "baseline" | "arm" | "reference";
  /** A value a seed. */
  readonly values: readonly number[];
  readonly mean: number;
  /** Sample standard deviation over seeds; null for one. */
  readonly deviation: number | null;
  readonly low: number;
  readonly high: number;
  /** Trainings that were cut off before the validation data ended them, of those that could tell. */
  readonly open: number;
  /** From the baseline of the same setting; null for itself, and where there is none. */
  readonly difference: Difference | null;
}

/** Arms that are compared with one another. */
export interface AnswerGroup {
  /** `128 hidden states`; empty where there is one alone. */
  readonly setting: string;
  readonly arms: readonly ArmValue[];
}

/** What a run's outputs say to its pipeline's question. Plain JSON. */
export interface RunAnswer {
  readonly question: string;
  readonly metric: string;
  readonly unit: string | null;
  readonly direction: "lower" | "higher";
  readonly decimals: number;
  /** Names for people. */
  readonly baseline: string;
  readonly subject: string;
  readonly groups: readonly AnswerGroup[];
}

interface Found {
  readonly arm: string;
  readonly setting: string;
  readonly reference: boolean;
  readonly values: number[];
  open: number;
}

/**
 * Reads the answer from a run's outputs.
 *
 * @param read the JSON value of an output; undefined where it is not there (yet).
 * @returns undefined where the outputs hold no value of any arm.
 */
export async function answerOf(
  { question, headline }: PipelineQuestion,
  read: (output: string) => Promise<JsonValue | undefined> | JsonValue | undefined,
): Promise<RunAnswer | undefined> {
  if (headline === null) return undefined;
  const found = new Map<string, Found>();
  for (const source of headline.values) {
    const value = await read(source.output);
    if (value === undefined) continue;
    const list = source.rows === undefined ? value : at(value, source.rows);
    for (const row of Array.isArray(list) ? list : list === undefined ? [] : [list]) take(found, row, source);
  }
  const values = [...found.values()].filter((one) => one.values.length > 0);
  if (values.every(({ reference }) => reference)) return undefined;
  return gathered(question, headline, values);
}

function take(found: Map<string, Found>, row: JsonValue, source: Headline["values"][number]): void {
  const arm = filled(source.arm, row), setting = filled(source.setting ?? "", row);
  const key = JSON.stringify([arm, setting]);
  const one = found.get(key) ?? { arm, setting, reference: source.reference, values: [], open: 0 };
  found.set(key, one);
  for (const value of [at(row, source.value)].flat()) {
    if (typeof value === "number" && Number.isFinite(value)) one.values.push(value);
  }
  if (source.converged !== undefined) {
    one.open += [at(row, source.converged)].flat().filter((told) => told === false).length;
  }
}

function gathered(question: string, headline: Headline, found: readonly Found[]): RunAnswer {
  const { metric, unit, direction, baseline } = headline;
  const own = found.filter(({ reference }) => !reference);
  const subject = headline.subject ?? own.find(({ arm }) => arm !== baseline)?.arm ?? baseline;
  const label = (arm: string) => headline.arms[arm] ?? arm;
  const order = [subject, baseline, ...Object.keys(headline.arms), ...found.map(({ arm }) => arm)];
  const settings = [...new Set(own.map(({ setting }) => setting))];
  // References that have no setting stand beside every one.
  const groups = settings.map((setting): AnswerGroup => {
    const members = found.filter((one) => one.setting === setting || one.reference && one.setting === "");
    const base = members.find(({ arm }) => arm === baseline);
    const rank = (one: Found) => (one.reference ? order.length : 0) + order.indexOf(one.arm);
    return {
      setting,
      arms: members.toSorted((a, b) => rank(a) - rank(b)).map((one): ArmValue => {
        const { mean, deviation, min, max } = spreadOfValues(one.values)!;
        return {
          arm: one.arm,
          label: label(one.arm),
          role: one.reference
            ? "reference"
            : one.arm === baseline
            ? "baseline"
            : one.arm === subject
            ? "subject"
            : "arm",
          values: one.values,
          mean,
          deviation,
          low: min,
          high: max,
          open: one.open,
          difference: base === undefined || base === one
            ? null
            : differenceOf(one.values, base.values, direction),
        };
      }),
    };
  });
  const largest = Math.max(...groups.flatMap(({ arms }) => arms.map(({ mean }) => Math.abs(mean))));
  return {
    question,
    metric,
    unit: unit ?? null,
    direction,
    decimals: headline.decimals ?? Math.min(12, Math.max(0, 3 - Math.floor(Math.log10(largest || 1)))),
    baseline: label(baseline),
    subject: label(subject),
    groups,
  };
}

/** How values differ from a baseline's. */
export function differenceOf(
  values: readonly number[],
  base: readonly number[],
  direction: "lower" | "higher",
): Difference {
  const a = spreadOfValues(values)!, b = spreadOfValues(base)!;
  const change = a.mean - b.mean;
  return {
    change,
    relative: b.mean === 0 ? null : change / Math.abs(b.mean),
    better: change === 0 ? null : change < 0 === (direction === "lower"),
    interval: welch(a, b),
  };
}

/** B. L. Welch, The generalization of “Student's” problem when several different population variances are involved, 1947. */
function welch(
  a: Spread,
  b: Spread,
): readonly [number, number] | null {
  if (a.deviation === null || b.deviation === null) return null;
  const [u, v] = [a.deviation ** 2 / a.n, b.deviation ** 2 / b.n];
  const change = a.mean - b.mean;
  if (u + v === 0) return [change, change];
  const freedom = (u + v) ** 2 / (u ** 2 / (a.n - 1) + v ** 2 / (b.n - 1));
  const half = student(freedom) * Math.sqrt(u + v);
  return [change - half, change + half];
}

/** 97.5 % quantiles of Student's t by degrees of freedom. */
const QUANTILES = [
  ...[
    12.706,
    4.303,
    3.182,
    2.776,
    2.571,
    2.447,
    2.365,
    2.306,
    2.262,
    2.228,
    2.201,
    2.179,
    2.16,
    2.145,
    2.131,
  ],
  ...[2.12, 2.11, 2.101, 2.093, 2.086, 2.08, 2.074, 2.069, 2.064, 2.06, 2.056, 2.052, 2.048, 2.045, 2.042],
];

/** The quantile for at most so many degrees of freedom: never too narrow. */
function student(freedom: number): number {
  // Rounding of equal variances may leave a whole number a little too small.
  const whole = Math.max(1, Math.floor(freedom + 1e-9));
  return QUANTILES[Math.min(whole, QUANTILES.length) - 1]!;
}

/** What lies at a dotted path. */
function at(value: JsonValue, path: string): JsonValue | undefined {
  let here: JsonValue | undefined = value;
  for (const part of path.split(".")) {
    if (typeof here !== "object" || here === null || Array.isArray(here)) return undefined;
    here = Object.hasOwn(here, part) ? here[part] : undefined;
  }
  return here;
}

/** A template with what a row holds. */
function filled(template: string, row: JsonValue): string {
  return template.replaceAll(/\{([^{}]+)\}/g, (_, path: string) => {
    const value = at(row, path);
    return typeof value === "string" ? value : value === undefined ? "" : JSON.stringify(value);
  });
}
