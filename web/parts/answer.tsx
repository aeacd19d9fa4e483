import type { AnswerGroup, ArmValue, RunAnswer } from "../../runner/answer.ts";
import { barOf, differenceText, metricText, openArms, spreadValue, verdictOf } from "../../runner/verdict.ts";
import { colourVariable } from "../../foundation/palette.ts";
import { roleOf, type Roles } from "../view/roles.ts";

/** A run's answer to its pipeline's question: the verdict, its certainty, and one bar per arm. */
export function AnswerCard({ answer, roles }: { answer: RunAnswer; roles: Roles }) {
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
      <p class="metric">{sentence(metricText(answer))}</p>
      <Bars answer={answer} roles={roles} />
      <p class="faint">
        Differences are from {answer.baseline}
        {answer.groups.some(({ arms }) => arms.some(({ values }) => values.length > 1)) &&
          "; ± is the standard deviation over seeds, whiskers their range"}
        {openArms(answer).length > 0 &&
          "; * not converged: training ended while it still got better on validation data"}.
      </p>
    </section>
  );
}

function sentence(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/** Values as bars from 0 in a table, so that they can also be read without seeing. */
function Bars({ answer, roles }: { answer: RunAnswer; roles: Roles }) {
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
        {groupsShown(answer).map(({ setting, arms }) => (
          <tbody key={setting}>
            {setting !== "" && (
              <tr class="setting">
                <th colSpan={4} scope="rowgroup">{setting}</th>
              </tr>
            )}
            {arms.map((arm) => (
              <tr key={arm.arm} class={`role-${arm.role}`}>
                <th scope="row">{arm.label}</th>
                <td class="number">{spreadValue(answer, arm)}</td>
                <td class="bar-cell">
                  <Bar
                    answer={answer}
                    arm={arm}
                    colour={colourVariable({
                      colour: roleOf(roles, arm),
                      dash: "",
                    })}
                  />
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

/** Settings are shown under their names; references that are the same in all of them are shown once, at the end. */
function groupsShown({ groups }: RunAnswer): readonly AnswerGroup[] {
  if (groups.length < 2) return groups.map((group) => ({ ...group, setting: "" }));
  const valueText = (arm: ArmValue) => JSON.stringify([arm.arm, arm.values]);
  const common = groups[0]!.arms.filter((one) =>
    one.role === "reference" &&
    groups.every(({ arms }) => arms.some((other) => valueText(other) === valueText(one)))
  );
  const known = new Set(common.map(valueText));
  return [
    ...groups.map(({ setting, arms }) => ({
      setting,
      arms: arms.filter((arm) => !known.has(valueText(arm))),
    })),
    // Deltas are omitted: it would be unclear which setting's baseline they refer to.
    ...(common.length === 0
      ? []
      : [{ setting: "for comparison", arms: common.map((arm) => ({ ...arm, difference: null })) }]),
  ];
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
