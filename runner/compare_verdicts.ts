import type { RunAnswer } from "./answer.ts";
import { type Verdict, verdictOf } from "./verdict.ts";

/** What compared runs say of the subject, and whether they say the same. */
export interface ComparedVerdicts {
  /** Of each run; null where it has no answer. */
  readonly runs: readonly (Verdict | null)[];
  /** `the verdict changes: distilled is better than random start in 1 run, worse in 2`. */
  readonly text: string;
  /** Whether one run says another thing than the others; how sure they are may differ all the same. */
  readonly changed: boolean;
}

/** The verdicts of answers to one question; undefined where fewer than two say anything. */
export function compareVerdicts(answers: readonly (RunAnswer | undefined)[]): ComparedVerdicts | undefined {
  const runs = answers.map((answer) => answer === undefined ? null : verdictOf(answer));
  const told = runs.filter((one) => one !== null && one.word !== null) as (Verdict & { word: string })[];
  if (told.length < 2) return undefined;
  const { subject, baseline } = answers.find((answer) => answer !== undefined)!;
  const words = [...Map.groupBy(told, ({ word }) => word)];
  const sure = told.filter((one) => one.sure).length;
  if (words.length > 1) {
    const parts = words.map(([word, some], i) => {
      const what = i === 0 ? `${word} ${baseline}` : word.replace(/ (than|as)$/, "");
      return `${what} in ${some.length}${i === 0 ? some.length === 1 ? " run" : " runs" : ""}`;
    });
    return { runs, changed: true, text: `the verdict changes: ${subject} is ${parts.join(", ")}` };
  }
  const all = told.length === 2 ? "both" : `all ${told.length}`;
  const certain = sure === told.length
    ? `sure in ${all}`
    : sure === 0
    ? "sure in none"
    : `sure in ${sure} of ${told.length}`;
  return {
    runs,
    changed: false,
    text: `the verdict stays: ${subject} is ${words[0]![0]} ${baseline} in ${all}, ${certain}`,
  };
}
