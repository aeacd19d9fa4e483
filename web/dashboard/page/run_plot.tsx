/// <reference lib="dom" />
import { useState } from "preact/hooks";
import type { ColumnChoice, Point } from "../columns.ts";
import { useAsk } from "./client.ts";
import { Shown } from "./frame.tsx";
import { later } from "./later.tsx";
import { columnTitle } from "./run_columns.tsx";

const RunScatter = later(async () => (await import("./run_scatter.tsx")).RunScatter);

/**
 * Plot of any metric against any parameter or metric of the matching runs; folded unless it is opened or named in the
 * address.
 */
export function RunPlot(
  { query, onChoose }: { query: URLSearchParams; onChoose: (axes: { x: string; y: string }) => void },
) {
  const [opened, setOpened] = useState(query.has("x"));
  return (
    <details class="tool" open={opened} onToggle={(event) => setOpened(event.currentTarget.open)}>
      <summary>Plot</summary>
      {opened && <Axes query={query} onChoose={onChoose} />}
    </details>
  );
}

function Axes({ query, onChoose }: Parameters<typeof RunPlot>[0]) {
  const loaded = useAsk<ColumnChoice>(
    `api/columns?${new URLSearchParams({ pipeline: query.get("pipeline") ?? "" })}`,
  );
  return (
    <Shown loaded={loaded}>
      {(choice) => {
        const ys = [...choice.metrics, ...choice.outputs];
        const y = query.get("y") ?? choice.axes?.y ?? ys[0] ?? "";
        const stage = /^metric:([^/]*)/.exec(y)?.[1] ?? "";
        const xs = [...choice.params, ...choice.nodes[stage] ?? [], ...ys];
        const x = query.get("x") ?? [choice.axes?.x].find((one) => xs.includes(one!)) ?? xs[0] ?? "";
        const axis = (name: "x" | "y", label: string, value: string, options: readonly string[]) => (
          <label>
            {label}{" "}
            <select
              value={value}
              onChange={(event) => onChoose({ x, y, [name]: event.currentTarget.value })}
            >
              {options.map((one) => (
                <option key={one} value={one}>
                  {columnTitle(one)}
                  {one.startsWith("node:") ? ` (of ${stage})` : ""}
                </option>
              ))}
            </select>
          </label>
        );
        if (y === "" || x === "") return <p>No run has a metric yet.</p>;
        return (
          <>
            <div class="bar">
              {axis("y", "Metric", y, ys)}
              {axis("x", "against", x, xs)}
            </div>
            <Points query={query} x={x} y={y} />
          </>
        );
      }}
    </Shown>
  );
}

function Points({ query, x, y }: { query: URLSearchParams; x: string; y: string }) {
  const asked = new URLSearchParams(query);
  asked.set("x", x);
  asked.set("y", y);
  const loaded = useAsk<Point[]>(`api/points?${asked}`);
  return (
    <Shown loaded={loaded}>
      {(points) => points.length === 0 ? <p>No run has both.</p> : <RunScatter points={points} x={x} y={y} />}
    </Shown>
  );
}
