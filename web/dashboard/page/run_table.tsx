/// <reference lib="dom" />
import type { ComponentChildren } from "preact";
import { useEffect, useMemo, useState } from "preact/hooks";
import { durationText, timeText, valueText } from "../../../foundation/format.ts";
import { Time } from "../../parts/place.tsx";
import { countsText, Status } from "../../parts/status.tsx";
import type { RunLine, RunList } from "../list.ts";
import { Elapsed } from "./elapsed.tsx";
import { to } from "./routes.ts";
import { columnTitle } from "./run_columns.tsx";
import { ThumbnailView, useThumbnails } from "./thumbnail.tsx";

/** A column of the list: what it says of a run, and by what the list is sorted with it. */
interface Column {
  readonly title: ComponentChildren;
  /** Name of its class; narrow windows lay cells out by it. */
  readonly name: string;
  readonly sort?: string;
  readonly cell: (run: RunLine) => ComponentChildren;
}

/** Columns that every list can be sorted by. */
const SORTS: readonly (readonly [key: string, title: string])[] = [
  ["started", "started"],
  ["took", "took"],
  ["status", "status"],
  ["pipeline", "pipeline"],
  ["id", "run"],
];

/** The runs of a page of the list: a table, on narrow windows a card a run. */
export function RunTable(
  { list, query, columns, chosen, choose }: {
    list: RunList;
    query: URLSearchParams;
    columns: readonly string[];
    chosen: ReadonlySet<string>;
    choose: (id: string) => void;
  },
) {
  const runs = useBegun(list.runs);
  const thumbnails = useThumbnails(list.runs);
  // The column is there from the start, so that nothing moves when the pictures come, and goes when there are none.
  const drawn = list.runs.some(({ id }) => thumbnails.get(id) !== null);
  const said = list.runs.some((run) => run.note !== "" || run.tags.length > 0 || run.archived);
  const all: Column[] = [
    {
      title: <span class="hidden">choose</span>,
      name: "choose",
      cell: ({ id }) => (
        <input
          type="checkbox"
          checked={chosen.has(id)}
          onChange={() => choose(id)}
          aria-label={`choose run ${id}`}
        />
      ),
    },
    {
      title: "run",
      name: "id",
      sort: "id",
      cell: ({ id }) => (
        <a href={to.run(id)}>
          <code>{id}</code>
        </a>
      ),
    },
    { title: "pipeline", name: "pipeline", sort: "pipeline", cell: ({ pipeline }) => pipeline },
    { title: "status", name: "status", sort: "status", cell: ({ status }) => <Status status={status} /> },
    ...drawn
      ? [{ title: "result", name: "came", cell: ({ id }: RunLine) => <Came drawn={thumbnails.get(id)} /> }]
      : [],
    ...columns.map((column, i): Column => ({
      title: columnTitle(column),
      name: "number",
      sort: column,
      cell: (run) => cellText(run.cells[i] ?? []),
    })),
    { title: "started", name: "started", sort: "started", cell: (run) => <Time at={run.started} /> },
    {
      title: "took",
      name: "took",
      sort: "took",
      cell: (run) =>
        run.status === "running"
          ? <Elapsed started={run.started} now={list.now} left={run.left} />
          : tookText(run),
    },
    {
      title: "nodes and sweeps",
      name: "nodes",
      cell: ({ states, sweeps }) => (
        <>
          {countsText(states)}
          {sweeps !== "" && <span class="sweeps" title={sweeps}>{sweeps}</span>}
        </>
      ),
    },
    ...said ? [{ title: "notes", name: "said", cell: (run: RunLine) => <Said run={run} /> }] : [],
  ];
  const sorted = sortOf(query);
  const open = runs.some(({ id }) => thumbnails.get(id)?.bars.some((bar) => bar.open));
  return (
    <>
      <div class="scroll" role="region" aria-label={captionOf(query)} tabIndex={0}>
        <table class="runs" role="table" aria-label={captionOf(query)}>
          <thead role="rowgroup">
            <tr role="row">
              {all.map(({ title, name, sort }, i) => (
                <th
                  key={i}
                  scope="col"
                  role="columnheader"
                  class={name}
                  aria-sort={sort === sorted.key ? `${sorted.order}ending` : undefined}
                >
                  {sort === undefined ? title : (
                    <a class="sort" href={to.runs(sortedBy(query, sort))}>
                      {title}{" "}
                      <span aria-hidden="true">
                        {sort === sorted.key ? sorted.order === "asc" ? "▲" : "▼" : ""}
                      </span>
                    </a>
                  )}
                </th>
              ))}
            </tr>
          </thead>
          <tbody role="rowgroup">
            {runs.map((run) => (
              <Row
                key={run.id}
                run={run}
                columns={all}
                chosen={chosen.has(run.id)}
                shown={[run, thumbnails.get(run.id), chosen.has(run.id), all.length, ...columns]}
              />
            ))}
          </tbody>
        </table>
      </div>
      {open && (
        <p class="faint">
          * and stripes: not converged, training ended while it still got better on validation data
        </p>
      )}
    </>
  );
}

/** A row, made anew only when something of what it shows has changed: a list is drawn again with every piece of thumbnails. */
function Row(
  { run, columns, chosen, shown }: {
    run: RunLine;
    columns: readonly Column[];
    chosen: boolean;
    shown: readonly unknown[];
  },
) {
  return useMemo(
    () => (
      <tr role="row" class={chosen ? "chosen" : undefined}>
        {columns.map(({ title, name, cell }, i) => (
          <td
            key={i}
            role="cell"
            class={name}
            data-title={typeof title === "string" && name === "number" ? title : undefined}
          >
            {cell(run)}
          </td>
        ))}
      </tr>
    ),
    [shown.length, ...shown],
  );
}

/** Number of runs that a table begins with, as many as a window shows; and milliseconds until the others follow. */
const FIRST = 15, REST = 100;

/** The first runs at once, the others when those can be read. */
function useBegun(runs: readonly RunLine[]): readonly RunLine[] {
  const [begun, setBegun] = useState(false);
  useEffect(() => {
    const timer = setTimeout(() => setBegun(true), REST);
    return () => clearTimeout(timer);
  }, []);
  return begun ? runs : runs.slice(0, FIRST);
}

/** The order of the list as a field: narrow windows show no heads of columns. */
export function SortChoice({ query, columns }: { query: URLSearchParams; columns: readonly string[] }) {
  const { key, order } = sortOf(query);
  const known = [...SORTS, ...columns.map((column) => [column, columnTitle(column)] as const)];
  return (
    <div class="fields narrow">
      <div>
        <label for="sorted-by">Sorted by</label>
        <select
          id="sorted-by"
          value={key}
          onChange={(event) => location.hash = to.runs(sortedBy(query, event.currentTarget.value))}
        >
          {known.map(([name, title]) => <option key={name} value={name}>{title}</option>)}
        </select>
      </div>
      <a class="button" href={to.runs(sortedBy(query, key))}>
        {order === "asc" ? "least first" : "greatest first"}
      </a>
    </div>
  );
}

function sortOf(query: URLSearchParams): { key: string; order: "asc" | "desc" } {
  return { key: query.get("sort") ?? "started", order: query.get("order") === "asc" ? "asc" : "desc" };
}

/** The query for a list sorted by a column, the other way round if it is sorted by it already. */
function sortedBy(query: URLSearchParams, key: string): URLSearchParams {
  const now = sortOf(query);
  const next = new URLSearchParams(query);
  next.delete("offset");
  next.set("sort", key);
  next.set("order", now.key === key && now.order === "desc" ? "asc" : "desc");
  return next;
}

function captionOf(query: URLSearchParams): string {
  return query.has("sort") ? "Runs" : "Runs, newest first";
}

function Came({ drawn }: { drawn: Parameters<typeof ThumbnailView>[0]["drawn"] | null | undefined }) {
  if (drawn === null) return null;
  return drawn === undefined ? <div class="thumbnail awaited" /> : <ThumbnailView drawn={drawn} />;
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
export function tabbed(list: RunList, columns: readonly string[]): string {
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
