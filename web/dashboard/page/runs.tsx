/// <reference lib="dom" />
import { useMemo, useState } from "preact/hooks";
import { durationText } from "../../../foundation/format.ts";
import { Time } from "../../parts/place.tsx";
import { countsText, Status } from "../../parts/status.tsx";
import { Table } from "../../parts/values.tsx";
import type { RunLine, RunList } from "../list.ts";
import { useLiveAsk } from "./client.ts";
import { Live, Shown, Title } from "./frame.tsx";
import { to } from "./routes.ts";

/** How often the list is loaded again at most, in milliseconds. */
const AGAIN = 1000;
/** Runs on a page, as the server has them. */
const PAGE = 50;

/** The list of runs: filtered, paged, live; chosen ones are compared. */
export function RunsPage({ query }: { query: URLSearchParams }) {
  const [fault, setFault] = useState<string>();
  const { loaded, connection } = useLiveAsk<RunList>(`api/runs?${query}`, "", AGAIN, (event, again) => {
    if (event.type === "fault") setFault(event.message);
    if (event.type === "runs") {
      setFault(undefined);
      again();
    }
  });
  const [chosen, setChosen] = useState<ReadonlySet<string>>(new Set());
  const choose = (id: string) => setChosen((before) => before.symmetricDifference(new Set([id])));
  return (
    <>
      <Title text="Runs" />
      <div class="bar">
        <Filters query={query} pipelines={loaded.value?.pipelines ?? []} />
        <Live connection={connection} fault={fault} />
        <button
          type="button"
          disabled={chosen.size < 2}
          onClick={() => {
            location.hash = to.compare([...chosen].sort());
          }}
        >
          Compare {chosen.size} chosen
        </button>
      </div>
      <Shown loaded={loaded}>
        {(list) => (
          <>
            {list.runs.length === 0 ? <p>no runs</p> : (
              <Table
                caption="Runs, newest first"
                head={["compare", "run", "pipeline", "status", "started", "took", "nodes"]}
                short={[1, 2, 3, 4, 5]}
                rows={list.runs.map((run) => lineOf(run, chosen.has(run.id), () => choose(run.id)))}
              />
            )}
            <Pager list={list} query={query} />
          </>
        )}
      </Shown>
    </>
  );
}

function lineOf(run: RunLine, chosen: boolean, choose: () => void) {
  return [
    <input
      key="c"
      type="checkbox"
      checked={chosen}
      onChange={choose}
      aria-label={`choose run ${run.id} to compare`}
    />,
    <a key="r" href={to.run(run.id)}>{run.id}</a>,
    run.pipeline,
    <Status key="s" status={run.status} />,
    <Time key="t" at={run.started} />,
    run.ended === null ? "–" : durationText(run.ended - run.started),
    countsText(run.states),
  ];
}

function Filters({ query, pipelines }: { query: URLSearchParams; pipelines: readonly string[] }) {
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
  const select = (name: string, label: string, options: readonly string[]) => (
    <label>
      {label}{" "}
      <select value={query.get(name) ?? ""} onChange={(event) => change(name, event.currentTarget.value)}>
        <option value="">all</option>
        {options.map((option) => <option key={option} value={option}>{option}</option>)}
      </select>
    </label>
  );
  return (
    <search class="bar">
      {select("pipeline", "Pipeline", pipelines)}
      {select("status", "Status", ["running", "done", "failed", "interrupted", "killed"])}
      <label>
        Search{" "}
        <input
          type="search"
          defaultValue={query.get("text") ?? ""}
          onInput={(event) => late(event.currentTarget.value)}
        />
      </label>
    </search>
  );
}

function Pager({ list, query }: { list: RunList; query: URLSearchParams }) {
  const at = (offset: number) => {
    const next = new URLSearchParams(query);
    next.set("offset", String(offset));
    return to.runs(next);
  };
  const { offset, total, runs } = list;
  const last = offset + runs.length;
  return (
    <nav class="bar" aria-label="Pages">
      {offset > 0 && <a href={at(Math.max(0, offset - PAGE))}>newer</a>}
      <span>{runs.length === 0 ? `of ${total}` : `${offset + 1} to ${last} of ${total}`}</span>
      {last < total && <a href={at(offset + PAGE)}>older</a>}
    </nav>
  );
}
