/// <reference lib="dom" />
import { useState } from "preact/hooks";
import { valueText } from "../../../foundation/format.ts";
import { changeOf } from "../../../runner/change_text.ts";
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
        {({ comparison, answers, charts }) => {
          const ids = comparison.runs.map((run) => run.id);
          return (
            <>
              <Baseline runs={ids} />
              {answers !== null && (
                <Section title="What they answer">
                  <Answers answers={answers} runs={ids} />
                </Section>
              )}
              <label class="scale">
                <input
                  type="checkbox"
                  checked={all}
                  onChange={(event) => setAll(event.currentTarget.checked)}
                />{" "}
                also what is the same
              </label>
              <Section title="Parameters">
                <Rows rows={comparison.params} runs={ids} all={all} name="parameter" />
              </Section>
              <Section title="Metrics">
                <Rows rows={comparison.metrics} runs={ids} all={all} name="metric" />
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

/** Selects the run that the others are compared with: the first in the address. */
function Baseline({ runs }: { runs: readonly string[] }) {
  return (
    <label class="scale">
      Baseline{" "}
      <select
        value={runs[0]}
        onChange={(event) => {
          const first = event.currentTarget.value;
          location.hash = to.compare([first, ...runs.filter((run) => run !== first)]);
        }}
      >
        {runs.map((run, i) => <option key={i} value={run}>{run}</option>)}
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
 * A table with one column per run, baseline first, and differences below the values; on narrow windows, one block per
 * row.
 */
function Compared(
  { caption, about, runs, lines }: {
    caption: string;
    about: readonly string[];
    runs: readonly string[];
    lines: readonly Line[];
  },
) {
  const heads = runs.map((run, i) => i === 0 ? `${run}, baseline` : run);
  return (
    <table class="compared" role="table" aria-label={caption}>
      <thead role="rowgroup">
        <tr role="row">
          {about.map((title) => <th key={title} scope="col" role="columnheader">{title}</th>)}
          {runs.map((run, i) => (
            <th key={i} scope="col" role="columnheader">
              <a href={to.run(run)}>{run}</a>
              {i === 0 && <span class="baseline">baseline</span>}
            </th>
          ))}
        </tr>
      </thead>
      <tbody role="rowgroup">
        {lines.map(({ key, about: texts, cells }) => (
          <tr key={key} role="row">
            {texts.map((text, i) => <td key={i} role="cell" class="about">{text}</td>)}
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

function Answers({ answers, runs }: { answers: ComparedAnswers; runs: readonly string[] }) {
  return (
    <>
      <p class="metric">
        {answers.metric.charAt(0).toUpperCase() + answers.metric.slice(1)}
        {answers.arms.some(({ values }) => values.some((value) => value?.includes("*"))) &&
          <span class="faint">; * not converged</span>}
      </p>
      <Compared
        caption={answers.metric}
        about={["arm"]}
        runs={runs}
        lines={answers.arms.map(({ label, role, values, changes, texts }) => ({
          key: label,
          about: [label],
          cells: values.map((value, i) => ({
            value: value ?? "–",
            change: texts[i]!,
            better: role === "reference" ? null : changes[i]?.better ?? null,
          })),
        }))}
      />
    </>
  );
}

function Rows(
  { rows, runs, all, name }: {
    rows: readonly ComparedRow[];
    runs: readonly string[];
    all: boolean;
    name: string;
  },
) {
  const shown = rows.filter((row) => all || !row.same);
  if (shown.length === 0) return <p>no {name} differs</p>;
  return (
    <Compared
      caption={`Differences of ${name}s`}
      about={["node", name]}
      runs={runs}
      lines={shown.map((row, i) => ({
        key: `${i} ${row.node} ${row.name}`,
        about: [row.node === "params" ? "the pipeline" : row.node, row.name],
        cells: row.values.map((value, run) => {
          const { text, better } = name === "metric" ? changeOf(row, run) : { text: "", better: null };
          return { value: valueText(value), change: text, better };
        }),
      }))}
    />
  );
}
