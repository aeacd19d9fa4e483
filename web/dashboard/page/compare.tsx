/// <reference lib="dom" />
import { useState } from "preact/hooks";
import { nameInWords } from "../../../foundation/format.ts";
import { readableText } from "../../../foundation/readable.ts";
import { changeOf, isUnchangedReference } from "../../../runner/change_text.ts";
import type { ComparedAnswers, ComparedRow } from "../../../runner/compare.ts";
import { CurveFigure } from "../../parts/curves.tsx";
import type { ComparePageData } from "../api.ts";
import { useAsk } from "./client.ts";
import { Section, Shown, Title } from "./frame.tsx";
import { dataOf, to } from "./routes.ts";

/** Page that compares runs: their answers, differences in parameters and metrics, and their curves in one chart. */
export function ComparePage({ runs }: { runs: readonly string[] }) {
  const loaded = useAsk<ComparePageData>(dataOf.compare(runs));
  const [all, setAll] = useState(false);
  return (
    <>
      <Title text={`Comparison of ${runs.length} runs`} />
      <Shown loaded={loaded}>
        {({ comparison, labels, answers, charts }) => {
          const ids = comparison.runs.map((run) => run.id);
          const runs: Compared[] = ids.map((id, i) => ({ id, label: labels?.[i] ?? "" }));
          return (
            <>
              <div class="bar">
                <Baseline runs={runs} />
                <label>
                  <input
                    type="checkbox"
                    checked={all}
                    onChange={(event) => setAll(event.currentTarget.checked)}
                  />{" "}
                  also what is the same
                </label>
              </div>
              {answers !== null && (
                <Section title="What they answer">
                  <Answers answers={answers} runs={runs} all={all} />
                </Section>
              )}
              <Section title="Parameters">
                <Rows rows={comparison.params} runs={runs} all={all} name="parameter" />
              </Section>
              <Section title="Metrics">
                <Rows rows={comparison.metrics} runs={runs} all={all} name="metric" />
              </Section>
              {charts.length > 0 && (
                <Section title="Curves">
                  <div class="charts">
                    {charts.map((chart) => (
                      <CurveFigure key={`${chart.stage} ${chart.metric}`} chart={chart} />
                    ))}
                  </div>
                </Section>
              )}
            </>
          );
        }}
      </Shown>
    </>
  );
}

/** A compared run. */
interface Compared {
  readonly id: string;
  /** What tells it apart from the others; empty where only its id does. */
  readonly label: string;
}

/** Selects the run that the others are compared with: the first in the address. */
function Baseline({ runs }: { runs: readonly Compared[] }) {
  return (
    <label>
      Baseline{" "}
      <select
        value={runs[0]!.id}
        onChange={(event) => {
          const first = event.currentTarget.value;
          location.hash = to.compare([first, ...runs.map(({ id }) => id).filter((id) => id !== first)]);
        }}
      >
        {runs.map(({ id, label }, i) => (
          <option key={i} value={id}>{label === "" ? id : `${label} (${id})`}</option>
        ))}
      </select>
    </label>
  );
}

interface Line {
  readonly key: string;
  /** What the row describes, shown in the first columns. */
  readonly about: readonly string[];
  readonly cells: readonly {
    readonly value: string;
    readonly change: string;
    readonly better: boolean | null;
  }[];
}

/**
 * A table with one column per run, baseline first, and differences below the values; what rows begin with is said once. On
 * narrow windows, one block per row.
 */
function Side(
  { caption, about, runs, lines }: {
    caption: string;
    about: readonly string[];
    runs: readonly Compared[];
    lines: readonly Line[];
  },
) {
  const heads = runs.map(({ id, label }, i) => `${label || id}${i === 0 ? ", baseline" : ""}`);
  return (
    <table class="compared" role="table" aria-label={caption}>
      <thead role="rowgroup">
        <tr role="row">
          {about.map((title) => <th key={title} scope="col" role="columnheader">{title}</th>)}
          {runs.map(({ id, label }, i) => (
            <th key={i} scope="col" role="columnheader">
              <a href={to.run(id)}>{label || id}</a>
              <span class="under">
                {[...label === "" ? [] : [id], ...i === 0 ? ["baseline"] : []].join(", ")}
              </span>
            </th>
          ))}
        </tr>
      </thead>
      <tbody role="rowgroup">
        {lines.map(({ key, about: texts, cells }, line) => (
          <tr key={key} role="row" class={begins(lines, line) ? "begins" : undefined}>
            {texts.map((text, i) => (
              <td key={i} role="cell" class="about">
                {i === 0 && !begins(lines, line) ? <span class="again">{text}</span> : text}
              </td>
            ))}
            {cells.map(({ value, change, better }, i) => (
              <td key={i} role="cell" data-run={heads[i]}>
                {value}
                {change !== "" && (
                  <span class={`change ${better === null ? "faint" : better ? "better" : "worse"}`}>
                    {change}
                  </span>
                )}
              </td>
            ))}
          </tr>
        ))}
      </tbody>
    </table>
  );
}

/** Whether a row is about another thing than the one above it. */
function begins(lines: readonly Line[], line: number): boolean {
  return lines[line]!.about[0] !== lines[line - 1]?.about[0];
}

function Answers(
  { answers, runs, all }: { answers: ComparedAnswers; runs: readonly Compared[]; all: boolean },
) {
  const { verdicts } = answers;
  return (
    <>
      {verdicts !== null && (
        <p class="verdicts">
          <span class={`badge ${verdicts.changed ? "state-running" : "state-ran"}`}>
            {verdicts.changed ? "changes" : "the same"}
          </span>{" "}
          {verdicts.text.charAt(0).toUpperCase() + verdicts.text.slice(1)}.
        </p>
      )}
      <p class="metric">
        {answers.metric.charAt(0).toUpperCase() + answers.metric.slice(1)}
        {answers.arms.some(({ values }) => values.some((value) => value?.includes("*"))) &&
          <span class="faint">; * not converged</span>}
      </p>
      <Side
        caption={answers.metric}
        about={["arm"]}
        runs={runs}
        lines={[
          ...answers.arms.filter((arm) => all || !isUnchangedReference(arm)).map((
            { label, role, values, changes, texts },
          ) => ({
            key: `arm ${label}`,
            about: [label],
            cells: values.map((value, i) => ({
              value: value ?? "–",
              change: texts[i]!,
              better: role === "reference" ? null : changes[i]?.better ?? null,
            })),
          })),
          ...verdicts === null ? [] : [{
            key: "verdict",
            about: ["verdict"],
            cells: verdicts.runs.map((one) => ({
              value: one?.text ?? "–",
              change: one === null
                ? ""
                : one.sure
                ? "✓ sure"
                : ["? not sure", ...one.why.slice(0, 1)].join(": "),
              better: null,
            })),
          }],
        ]}
      />
    </>
  );
}

function Rows(
  { rows, runs, all, name }: {
    rows: readonly ComparedRow[];
    runs: readonly Compared[];
    all: boolean;
    name: string;
  },
) {
  const shown = rows.filter((row) => all || !row.same);
  if (shown.length === 0) return <p>no {name} differs</p>;
  return (
    <Side
      caption={`Differences of ${name}s`}
      about={["node", name]}
      runs={runs}
      lines={shown.map((row, i) => ({
        key: `${i} ${row.node} ${row.name}`,
        about: [
          row.node === "params" ? "the pipeline" : row.node,
          name === "metric" ? row.name.split(".").map(nameInWords).join(": ") : row.name,
        ],
        cells: row.values.map((value, run) => {
          const { text, better } = name === "metric" ? changeOf(row, run) : { text: "", better: null };
          return { value: readableText(value), change: text, better };
        }),
      }))}
    />
  );
}
