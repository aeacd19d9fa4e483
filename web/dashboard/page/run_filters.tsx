/// <reference lib="dom" />
import { useMemo } from "preact/hooks";
import { LISTED_STATUSES } from "../../../runner/records/rows.ts";
import type { RunList } from "../list.ts";
import { to } from "./routes.ts";

/** Number of runs per page, the same as the server's. */
const PAGE = 50;

/** Filters of the list. A change goes back to the first page. */
export function Filters({ query, list }: { query: URLSearchParams; list: RunList | undefined }) {
  const change = (name: string, value: string) => {
    const next = new URLSearchParams(query);
    next.delete("offset");
    if (value === "") next.delete(name);
    else next.set(name, value);
    location.hash = to.runs(next);
  };
  const late = useMemo(() => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    return (value: string) => {
      clearTimeout(timer);
      timer = setTimeout(() => change("text", value), 250);
    };
  }, [String(query)]);
  const select = (
    name: string,
    label: string,
    options: readonly (readonly [value: string, text: string])[],
  ) => (
    <div>
      <label for={`filter-${name}`}>{label}</label>
      <select
        id={`filter-${name}`}
        value={query.get(name) ?? ""}
        onChange={(event) => change(name, event.currentTarget.value)}
      >
        {options.map(([value, text]) => <option key={value} value={value}>{text}</option>)}
      </select>
    </div>
  );
  const all = (values: readonly string[]) =>
    [["", "all"], ...values.map((one) => [one, one])] as [string, string][];
  const tags = list?.tags ?? [];
  return (
    <search class="fields">
      {select("pipeline", "Pipeline", all(list?.pipelines ?? []))}
      {select("status", "Status", all(LISTED_STATUSES))}
      {tags.length > 0 && select("tag", "Tag", all(tags))}
      {select("archived", "Archive", [["", "left out"], ["all", "with the others"], ["only", "alone"]])}
      <div class="wide">
        <label for="filter-text">Search</label>
        <input
          id="filter-text"
          type="search"
          defaultValue={query.get("text") ?? ""}
          title="in ids, pipelines, commands, parameters, nodes, states, outputs, metrics, notes and tags"
          onInput={(event) => late(event.currentTarget.value)}
        />
      </div>
    </search>
  );
}

/** Links to the pages of the list. */
export function Pager({ list, query }: { list: RunList; query: URLSearchParams }) {
  const at = (offset: number) => {
    const next = new URLSearchParams(query);
    next.set("offset", String(offset));
    return to.runs(next);
  };
  const { offset, total, runs } = list;
  const last = offset + runs.length;
  const [before, after] = query.has("sort") ? ["before", "after"] : ["newer", "older"];
  return (
    <nav class="bar" aria-label="Pages">
      {offset > 0 && <a href={at(Math.max(0, offset - PAGE))}>{before}</a>}
      <span>{runs.length === 0 ? `of ${total}` : `${offset + 1} to ${last} of ${total}`}</span>
      {last < total && <a href={at(offset + PAGE)}>{after}</a>}
    </nav>
  );
}
