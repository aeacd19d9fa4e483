/// <reference lib="dom" />
import type { ComponentChildren } from "preact";
import { useState } from "preact/hooks";
import { durationText, timeText, valueText } from "../../../foundation/format.ts";
import { Time } from "../../parts/place.tsx";
import { countsText, Status } from "../../parts/status.tsx";
import { Table } from "../../parts/values.tsx";
import type { RunLine, RunList } from "../list.ts";
import { tagsOf, useAnnotate } from "./annotate.tsx";
import { useLiveAsk } from "./client.ts";
import { Copy } from "./copy.tsx";
import { Elapsed } from "./elapsed.tsx";
import { Live, Problem, Shown, Title } from "./frame.tsx";
import { to } from "./routes.ts";
import { chosenColumns, ColumnPicker, columnTitle, withColumns } from "./run_columns.tsx";
import { Filters, Pager } from "./run_filters.tsx";
import { RunPlot } from "./run_plot.tsx";

/** Minimum milliseconds between reloads of the list. */
const AGAIN = 1000;

/** The list of runs: filtered, sorted, paged and live. Selected runs can be compared, tagged and archived. */
export function RunsPage({ query }: { query: URLSearchParams }) {
  const [fault, setFault] = useState<string>();
  const columns = chosenColumns(query);
  const asked = new URLSearchParams(query);
  asked.delete("column");
  for (const column of columns) asked.append("column", column);
  const { loaded, connection } = useLiveAsk<RunList>(`api/runs?${asked}`, "", AGAIN, (event, again) => {
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
      <Title text="Runs" />
      <div class="bar">
        <Filters query={query} list={loaded.value} />
        <Live connection={connection} fault={fault} />
      </div>
      <Chosen chosen={chosen} onDone={() => setChosen(new Set())} />
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
      <Shown loaded={loaded}>
        {(list) => (
          <>
            {list.runs.length === 0
              ? <p>no runs</p>
              : <Lines list={list} query={query} columns={columns} chosen={chosen} choose={choose} />}
            <div class="bar">
              <Pager list={list} query={query} />
              <a download="runs.csv" href={`api/csv?${asked}`}>CSV of all {list.total}</a>
              <Copy text={() => tabbed(list, columns)} what="this page of the list" />
            </div>
          </>
        )}
      </Shown>
    </>
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
    <div class="bar">
      <button
        type="button"
        disabled={chosen.size < 2}
        onClick={() => {
          location.hash = to.compare(runs);
        }}
      >
        Compare {chosen.size} chosen
      </button>
      {chosen.size > 0 && (
        <>
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
        </>
      )}
      {error !== undefined && <Problem error={error} />}
    </div>
  );
}

function Lines(
  { list, query, columns, chosen, choose }: {
    list: RunList;
    query: URLSearchParams;
    columns: readonly string[];
    chosen: ReadonlySet<string>;
    choose: (id: string) => void;
  },
) {
  const sort = query.get("sort") ?? "started";
  const order = query.get("order") === "asc" ? "asc" : "desc";
  const sorted: ("ascending" | "descending" | undefined)[] = [];
  const heads = (keys: readonly (readonly [key: string, title: string])[]) =>
    keys.map(([key, title]): ComponentChildren => {
      const mine = key === sort;
      sorted.push(mine ? order === "asc" ? "ascending" : "descending" : undefined);
      const next = new URLSearchParams(query);
      next.delete("offset");
      next.set("sort", key);
      next.set("order", mine && order === "desc" ? "asc" : "desc");
      return (
        <a class="sort" href={to.runs(next)}>
          {title} <span aria-hidden="true">{mine ? order === "asc" ? "▲" : "▼" : ""}</span>
        </a>
      );
    });
  const plain = (...titles: string[]) =>
    titles.map((title): ComponentChildren => (sorted.push(undefined), title));
  const sweeps = list.runs.some((run) => run.sweeps !== "");
  const said = list.runs.some((run) => run.note !== "" || run.tags.length > 0);
  const head = [
    ...plain("choose"),
    ...heads([
      ["id", "run"],
      ["pipeline", "pipeline"],
      ["status", "status"],
      ["started", "started"],
      ["took", "took"],
    ]),
    ...heads(columns.map((column) => [column, columnTitle(column)])),
    ...plain("nodes", ...sweeps ? ["sweeps"] : [], ...said ? ["notes"] : []),
  ];
  return (
    <Table
      caption={query.has("sort") ? "Runs" : "Runs, newest first"}
      head={head}
      sorted={sorted}
      numeric={columns.map((_, i) => 6 + i)}
      short={[1, 2, 3, 4, 5]}
      rows={list.runs.map((run) => [
        <input
          key="c"
          type="checkbox"
          checked={chosen.has(run.id)}
          onChange={() => choose(run.id)}
          aria-label={`choose run ${run.id}`}
        />,
        <a key="r" href={to.run(run.id)}>{run.id}</a>,
        run.pipeline,
        <Status key="s" status={run.status} />,
        <Time key="t" at={run.started} />,
        run.status === "running"
          ? <Elapsed key="e" started={run.started} now={list.now} left={run.left} />
          : tookText(run),
        ...run.cells.map((cells) => cellText(cells)),
        countsText(run.states),
        ...sweeps ? [run.sweeps] : [],
        ...said ? [<Said key="n" run={run} />] : [],
      ])}
    />
  );
}

function Said({ run }: { run: RunLine }) {
  return (
    <>
      {run.tags.map((tag) => <a key={tag} class="badge" href={to.runs(new URLSearchParams({ tag }))}>{tag}
      </a>)} {run.archived && <span class="badge">archived</span>} {run.note}
    </>
  );
}

function tookText(run: RunLine): string {
  return run.ended === null ? "–" : durationText(run.ended - run.started);
}

/** A single value, or the minimum and maximum of several. */
function cellText(cells: RunLine["cells"][number]): string {
  if (cells.length <= 1) return valueText(cells[0]);
  const numbers = cells.filter((value) => typeof value === "number");
  if (numbers.length < cells.length) return `${cells.length} values`;
  return `${valueText(Math.min(...numbers))} … ${valueText(Math.max(...numbers))} (${cells.length})`;
}

/** The current page of the list as tab-separated values, to paste into spreadsheets. */
function tabbed(list: RunList, columns: readonly string[]): string {
  const head = ["run", "pipeline", "status", "started", "took", ...columns.map(columnTitle), "note", "tags"];
  const rows = list.runs.map((run) => [
    ...[run.id, run.pipeline, run.status, timeText(run.started), tookText(run)],
    ...run.cells.map((cells) => cells.map((value) => valueText(value)).join(" ")),
    ...[run.note, run.tags.join(" ")],
  ]);
  return [head, ...rows].map((row) => row.map((cell) => cell.replaceAll(/[\t\n\r]/g, " ")).join("\t")).join(
    "\n",
  );
}
