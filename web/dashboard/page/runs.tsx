/// <reference lib="dom" />
import { useState } from "preact/hooks";
import type { RunList } from "../list.ts";
import { tagsOf, useAnnotate } from "./annotate.tsx";
import { useLiveAsk } from "./client.ts";
import { Copy } from "./copy.tsx";
import { Live, Problem, Shown, Title } from "./frame.tsx";
import { dataOf, to } from "./routes.ts";
import { askedRuns, chosenColumns, withColumns } from "./asked_runs.ts";
import { ColumnPicker } from "./run_columns.tsx";
import { Filters, Pager } from "./run_filters.tsx";
import { RunPlot } from "./run_plot.tsx";
import { RunTable, SortChoice, tabbed } from "./run_table.tsx";

/** Minimum milliseconds between reloads of the list. */
const AGAIN = 1000;

/** The list of runs: filtered, sorted, paged and live. Selected runs can be compared, tagged and archived. */
export function RunsPage({ query }: { query: URLSearchParams }) {
  const [fault, setFault] = useState<string>();
  const columns = chosenColumns(query);
  const asked = askedRuns(query);
  const { loaded, connection } = useLiveAsk<RunList>(dataOf.runs(asked), "", AGAIN, (event, again) => {
    if (event.type === "fault") setFault(event.message);
    if (event.type === "runs") {
      setFault(undefined);
      again();
    }
  });
  const [chosen, setChosen] = useState<ReadonlySet<string>>(new Set());
  const choose = (id: string) => setChosen((before) => before.symmetricDifference(new Set([id])));
  const go = (next: URLSearchParams) => location.hash = to.runs(next);
  return (
    <>
      <div class="bar">
        <Title text="Runs" />
        <Live connection={connection} fault={fault} />
      </div>
      <div class="controls">
        <Filters query={query} list={loaded.value} />
        <div class="tools">
          <ColumnPicker
            pipeline={query.get("pipeline") ?? ""}
            chosen={columns}
            onChoose={(next) => go(withColumns(query, next))}
          />
          <RunPlot
            query={query}
            onChoose={(axes) => {
              const next = new URLSearchParams(query);
              for (const [name, value] of Object.entries(axes)) next.set(name, value);
              go(next);
            }}
          />
        </div>
      </div>
      <SortChoice query={query} columns={columns} />
      {chosen.size > 0 && <Chosen chosen={chosen} onDone={() => setChosen(new Set())} />}
      <Shown loaded={loaded}>
        {(list) => (
          <>
            {list.runs.length === 0
              ? <Nothing query={query} />
              : <RunTable list={list} query={query} columns={columns} chosen={chosen} choose={choose} />}
            {list.total > 0 && (
              <div class="bar below">
                <Pager list={list} query={query} />
                <a download="runs.csv" href={`api/csv?${asked}`}>CSV of all {list.total}</a>
                <Copy text={() => tabbed(list, columns)} what="this page" />
              </div>
            )}
          </>
        )}
      </Shown>
    </>
  );
}

/** A list without runs: what to do about it. */
function Nothing({ query }: { query: URLSearchParams }) {
  const narrowed = ["pipeline", "status", "tag", "text", "archived", "offset"].some((name) =>
    query.get(name)
  );
  return (
    <p class="empty">
      {narrowed
        ? (
          <>
            There are no runs that fit. <a href={to.runs(new URLSearchParams())}>Show all</a>
          </>
        )
        : (
          <>
            There are no runs yet: <code>deno task run pipelines/quickstart.ts</code>{" "}
            makes one, and it appears here as it begins.
          </>
        )}
    </p>
  );
}

/** Actions on the selected runs. */
function Chosen({ chosen, onDone }: { chosen: ReadonlySet<string>; onDone: () => void }) {
  const [tags, setTags] = useState("");
  const { error, annotate } = useAnnotate();
  const runs = [...chosen].sort();
  const change = async (what: { addTags: string[] } | { archived: boolean }) => {
    if (await annotate({ runs, ...what })) onDone();
  };
  return (
    <div class="bar chosen-bar" role="region" aria-label="What is done with the chosen runs">
      <button
        type="button"
        class="action"
        disabled={chosen.size < 2}
        onClick={() => {
          location.hash = to.compare(runs);
        }}
      >
        Compare {chosen.size} chosen
      </button>
      <button type="button" onClick={() => change({ archived: true })}>Archive</button>
      <button type="button" onClick={() => change({ archived: false })}>Bring back</button>
      <form
        class="bar"
        onSubmit={(event) => {
          event.preventDefault();
          change({ addTags: tagsOf(tags) });
        }}
      >
        <label>
          Tags <input type="text" value={tags} onInput={(event) => setTags(event.currentTarget.value)} />
        </label>
        <button type="submit" disabled={tagsOf(tags).length === 0}>Add tags</button>
      </form>
      {error !== undefined && <Problem error={error} />}
    </div>
  );
}
