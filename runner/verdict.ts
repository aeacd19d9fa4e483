import { shareText } from "../foundation/format.ts";
import type { ArmValue, Difference, RunAnswer } from "./answer.ts";

/** An answer in words. */
export interface Verdict {
  /** `distilled is better than random by 0.8 (0.6 %)`. */
  readonly text: string;
  /** What it says of the subject beside the baseline; null where there is nothing to say. */
  readonly word: "better than" | "worse than" | "as good as" | null;
  /** True when the seeds tell the difference from chance in every setting, and no training in question was cut off. */
  readonly sure: boolean;
  /** Why it is sure, or what stands against it. */
  readonly why: readonly string[];
}

/** What an answer says of its subject beside the baseline, by how much, and whether that is sure. */
export function verdictOf(answer: RunAnswer): Verdict {
  const { subject, baseline } = answer;
  const pairs = answer.groups.flatMap(({ setting, arms }) => {
    const [own] = arms.filter(({ role }) => role === "subject");
    const [base] = arms.filter(({ role }) => role === "baseline");
    return own === undefined || base === undefined ? [] : [{ setting, own, base }];
  });
  if (pairs.length === 0) {
    return { text: `there is nothing to compare ${subject} with`, word: null, sure: false, why: [] };
  }
  const better = pairs.filter(({ own }) => own.difference!.better === true);
  const worse = pairs.filter(({ own }) => own.difference!.better === false);
  const mixed = better.length > 0 && worse.length > 0;
  const most = mixed ? better.length >= worse.length ? better : worse : pairs;
  const word = most.every(({ own }) => own.difference!.better === null)
    ? "as good as"
    : most === worse || better.length === 0
    ? "worse than"
    : "better than";
  const by = word === "as good as" ? "" : ` by ${amountText(answer, most.map(({ own }) => own))}`;
  const where = pairs.length === 1
    ? ""
    : most.length === pairs.length
    ? ` at ${pairs.length === 2 ? "both" : `all ${pairs.length}`} settings`
    : ` at ${most.length} of ${pairs.length} settings`;
  const why = doubts(pairs.flatMap(({ own, base }) => [own, base]));
  const unsure = pairs.filter(({ own }) => {
    const interval = own.difference!.interval;
    return interval === null || interval[0] <= 0 && interval[1] >= 0;
  });
  if (mixed) why.push(`${worse === most ? "better" : "worse"} at ${pairs.length - most.length}`);
  if (why.length === 0 && unsure.length > 0) {
    why.push(
      pairs.length === 1
        ? `the difference may be chance: ${intervalText(answer, unsure[0]!.own)}`
        : `at ${unsure.length} of ${pairs.length} settings the difference may be chance`,
    );
  }
  const sure = why.length === 0;
  if (sure) why.push(pairs.length === 1 ? intervalText(answer, pairs[0]!.own) : "no 95 % interval reaches 0");
  return { text: `${subject} is ${word} ${baseline}${by}${where}`, word, sure, why };
}

/** What speaks against values, whatever they are. */
function doubts(arms: readonly ArmValue[]): string[] {
  const open = openLabels(arms);
  const single = arms.filter(({ values }) => values.length < 2).length;
  return [
    ...(single === 0
      ? []
      : [single === arms.length ? "one seed each, so its spread is unknown" : "some have one seed only"]),
    ...(open.length === 0 ? [] : [`not converged: ${open.join(", ")}`]),
  ];
}

function amountText(answer: RunAnswer, arms: readonly ArmValue[]): string {
  const spread = (values: readonly number[], text: (value: number) => string) => {
    const [low, high] = [text(Math.min(...values)), text(Math.max(...values))];
    return low === high ? low : `${low} to ${high}`;
  };
  const changes = arms.map(({ difference }) => Math.abs(difference!.change));
  const shares = arms.flatMap(({ difference: one }) =>
    one!.relative === null ? [] : [Math.abs(one!.relative)]
  );
  const percent = shares.length < arms.length ? "" : ` (${spread(shares, percentText)} %)`;
  return `${spread(changes, (value) => changeText(answer, value))}${percent}`;
}

/** A share in percent, two digits. */
function percentText(share: number): string {
  const percent = 100 * share;
  return percent >= 10
    ? shareText(share, 0)
    : percent >= 0.1 || percent === 0
    ? shareText(share, 1)
    : percent.toPrecision(1);
}

function intervalText(answer: RunAnswer, { difference }: ArmValue): string {
  const interval = difference?.interval;
  if (!interval) return "";
  const [low, high] = interval.map((value) => signedText(answer, value));
  return `95 % interval ${low} to ${high}`;
}

/** A value with as many decimals as the answer has, and its spread; a cut-off training is marked: `126.4 ± 0.8*`. */
export function spreadValue(answer: RunAnswer, arm: ArmValue): string {
  const { decimals } = answer;
  const spread = arm.deviation === null ? "" : ` ± ${fixed(arm.deviation, decimals)}`;
  return `${fixed(arm.mean, decimals)}${spread}${arm.open > 0 ? "*" : ""}`;
}

function changeText({ decimals }: RunAnswer, value: number): string {
  const text = fixed(value, decimals);
  // A difference below the shown digits is none to the eye: two digits of it say that there is one.
  return value !== 0 && Number(text) === 0 ? String(Number(value.toPrecision(2))) : text;
}

function signedText(answer: RunAnswer, value: number): string {
  return `${value > 0 ? "+" : value < 0 ? "−" : ""}${changeText(answer, Math.abs(value))}`;
}

function fixed(value: number, decimals: number): string {
  return value < 0 ? `−${(-value).toFixed(decimals)}` : value.toFixed(decimals);
}

/** `−0.8 (−0.6 %), better`; the baseline says that it is it. */
export function differenceText(answer: RunAnswer, arm: ArmValue): string {
  if (arm.role === "baseline") return "baseline";
  return arm.difference === null ? "" : differenceWords(answer, arm.difference);
}

/** A difference in words: `−0.8 (−0.6 %), better`. */
export function differenceWords(answer: RunAnswer, { change, relative, better }: Difference): string {
  const sign = change > 0 ? "+" : change < 0 ? "−" : "";
  const share = relative === null ? "" : ` (${sign}${percentText(Math.abs(relative))} %)`;
  return `${signedText(answer, change)}${share}${better === null ? "" : better ? ", better" : ", worse"}`;
}

/** What the values are: `test perplexity, lower is better`. */
export function metricText({ metric, unit, direction }: RunAnswer): string {
  return `${metric}${unit === null ? "" : ` in ${unit}`}, ${direction} is better`;
}

/** Labels of arms of which some training was cut off. */
export function openArms({ groups }: RunAnswer): string[] {
  return openLabels(groups.flatMap(({ arms }) => arms));
}

function openLabels(arms: readonly ArmValue[]): string[] {
  return [...new Set(arms.filter(({ open }) => open > 0).map(({ label }) => label))];
}

/** Where a value's bar begins and ends, and its spread, as shares of the width: bars begin at 0. */
export function barOf({ groups }: RunAnswer, arm: ArmValue) {
  const all = groups.flatMap(({ arms }) => arms.flatMap(({ low, high }) => [low, high]));
  const [from, to] = [Math.min(0, ...all), Math.max(0, ...all)];
  const share = (value: number) => to === from ? 0 : (value - from) / (to - from);
  return {
    from: share(Math.min(0, arm.mean)),
    to: share(Math.max(0, arm.mean)),
    low: share(arm.low),
    high: share(arm.high),
  };
}
