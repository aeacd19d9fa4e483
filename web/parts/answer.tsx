import type { ArmValue, RunAnswer } from "../../runner/answer.ts";
import { barOf, differenceText, metricText, openArms, spreadValue, verdictOf } from "../../runner/verdict.ts";
import { roleColour, rolesOf } from "../view/roles.ts";

/** What a run says to its pipeline's question: the verdict, whether it is sure, and a bar an arm. */
export function AnswerCard({ answer }: { answer: RunAnswer }) {
  const { text, sure, why } = verdictOf(answer);
  return (
    <section class="answer" aria-label="The answer">
      <p class="question">{answer.question}</p>
      <p class="verdict">{sentence(text)}</p>
      <p class="sureness">
        <span class={`badge ${sure ? "state-ran" : "state-running"}`}>{sure ? "✓ sure" : "? not sure"}</span>
        {" "}
        {why.join("; ")}
      </p>
      <Bars answer={answer} />
      <p class="faint">
        {sentence(metricText(answer))}. Differences are from {answer.baseline}
        {answer.groups.some(({ arms }) => arms.some(({ values }) => values.length > 1)) &&
          "; ± is the standard deviation over seeds, whiskers their range"}
        {openArms(answer).length > 0 && "; * not converged: training ended before the validation data did"}.
      </p>
    </section>
  );
}

function sentence(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/** Values as bars from 0 in a table, so that they are read without seeing them as well. */
function Bars({ answer }: { answer: RunAnswer }) {
  const roles = rolesOf(answer);
  const settings = answer.groups.length > 1;
  return (
    <div class="scroll" role="region" aria-label={`${answer.metric} by arm`} tabIndex={0}>
      <table class="bars">
        <thead class="hidden">
          <tr>
            {["arm", answer.metric, "bar", "difference"].map((title) => (
              <th key={title} scope="col">{title}</th>
            ))}
          </tr>
        </thead>
        {answer.groups.map(({ setting, arms }) => (
          <tbody key={setting}>
            {settings && (
              <tr class="setting">
                <th colSpan={4} scope="rowgroup">{setting}</th>
              </tr>
            )}
            {arms.map((arm) => (
              <tr key={arm.arm} class={`role-${arm.role}`}>
                <th scope="row">{arm.label}</th>
                <td class="number">{spreadValue(answer, arm)}</td>
                <td class="bar-cell">
                  <Bar answer={answer} arm={arm} colour={roleColour(roles.get(arm.label))} />
                </td>
                <td class={arm.difference === null ? "faint" : tone(arm)}>{differenceText(answer, arm)}</td>
              </tr>
            ))}
          </tbody>
        ))}
      </table>
    </div>
  );
}

function tone({ role, difference }: ArmValue): string {
  if (role === "reference" || difference?.better === null) return "faint";
  return difference!.better ? "better" : "worse";
}

function Bar({ answer, arm, colour }: { answer: RunAnswer; arm: ArmValue; colour: string }) {
  const { from, to, low, high } = barOf(answer, arm);
  const percent = (share: number) => `${(100 * share).toFixed(3)}%`;
  return (
    <span class="amounts" aria-hidden="true">
      <span
        class={arm.open > 0 ? "amount open" : "amount"}
        style={`left:${percent(from)};width:${percent(to - from)};--colour:${colour}`}
      />
      {high > low && <span class="whisker" style={`left:${percent(low)};width:${percent(high - low)}`} />}
    </span>
  );
}
