import type { ArmValue, RunAnswer } from "../runner/answer.ts";
import { barOf, differenceText, metricText, openArms, spreadValue, verdictOf } from "../runner/verdict.ts";
import { clean, paint, table } from "./output.ts";

/** Characters of the longest bar. */
const WIDTH = 30;

/** The answer to a pipeline's question, for a terminal: the verdict, then a bar an arm. */
export function terminalAnswer(answer: RunAnswer): string {
  const { text, sure, why } = verdictOf(answer);
  const because = why.length === 0 ? "" : `: ${why.join("; ")}`;
  const lines = [
    paint("bold", clean(answer.question)),
    clean(`  ${text}`),
    `  ${paint(sure ? "green" : "yellow", sure ? "sure" : "not sure")}${clean(because)}`,
    clean(`  ${metricText(answer)}`),
  ];
  const rows = answer.groups.flatMap(({ setting, arms }) =>
    arms.map((arm, i) => [
      ...(answer.groups.length > 1 ? [i === 0 ? setting : ""] : []),
      arm.label,
      spreadValue(answer, arm),
      bar(answer, arm),
      differenceText(answer, arm),
    ])
  );
  const body = table([], rows).split("\n").map((line) => `  ${line}`);
  const open = openArms(answer).length > 0
    ? ["  * not converged: training ended while it still got better on validation data"]
    : [];
  return [...lines, "", ...body, ...open].join("\n");
}

/** A bar in eighths of a character; of references a light one. */
function bar(answer: RunAnswer, arm: ArmValue): string {
  const { from, to } = barOf(answer, arm);
  const eighths = Math.round(8 * WIDTH * (to - from));
  if (arm.role === "reference") return "░".repeat(Math.round(eighths / 8));
  const rest = eighths % 8;
  return "█".repeat((eighths - rest) / 8) + (rest === 0 ? "" : " ▏▎▍▌▋▊▉"[rest]);
}
