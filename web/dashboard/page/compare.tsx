/// <reference lib="dom" />
import { useState } from "preact/hooks";
import { valueText } from "../../../foundation/format.ts";
import type { ComparedRow } from "../../../runner/compare.ts";
import { CurveFigure } from "../../parts/curves.tsx";
import { Table } from "../../parts/values.tsx";
import type { ComparePageData } from "../api.ts";
import { useAsk } from "./client.ts";
import { Section, Shown, Title } from "./frame.tsx";
import { to } from "./routes.ts";

/** Runs side by side: what differs in parameters and metrics, and their curves together. */
export function ComparePage({ runs }: { runs: readonly string[] }) {
  const query = new URLSearchParams(runs.map((run) => ["run", run]));
  const loaded = useAsk<ComparePageData>(`api/compare?${query}`);
  const [all, setAll] = useState(false);
  return (
    <>
      <Title text={`Comparison of ${runs.length} runs`} />
      <label class="scale">
        <input type="checkbox" checked={all} onChange={(event) => setAll(event.currentTarget.checked)} />{" "}
        also what is the same
      </label>
      <Shown loaded={loaded}>
        {({ comparison, charts }) => (
          <>
            <Section title="Parameters">
              <Rows
                rows={comparison.params}
                runs={comparison.runs.map((run) => run.id)}
                all={all}
                name="parameter"
              />
            </Section>
            <Section title="Metrics">
              <Rows
                rows={comparison.metrics}
                runs={comparison.runs.map((run) => run.id)}
                all={all}
                name="metric"
              />
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
        )}
      </Shown>
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
    <Table
      caption={`Differences of ${name}s`}
      head={["node", name, ...runs.map((run) => <a key={run} href={to.run(run)}>{run}</a>), "difference"]}
      numeric={[...runs.map((_, i) => i + 2), runs.length + 2]}
      rows={shown.map((row) => [row.node, row.name, ...row.values.map(valueText), difference(row)])}
    />
  );
}

/** From the first to the last. */
function difference(row: ComparedRow): string {
  const first = row.values[0];
  const last = row.values.at(-1);
  if (row.same || typeof first !== "number" || typeof last !== "number") return row.same ? "" : "≠";
  const change = last - first;
  const sign = change > 0 ? "+" : "";
  const relative = first === 0 ? "" : ` (${sign}${(100 * change / Math.abs(first)).toPrecision(3)} %)`;
  return `${sign}${valueText(change)}${relative}`;
}
