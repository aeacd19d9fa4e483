/// <reference lib="dom" />
import * as Plot from "@observablehq/plot";
import { useMemo } from "preact/hooks";
import { withVisibleMarks } from "../../../foundation/bidi.ts";
import { valueText } from "../../../foundation/format.ts";
import { Drawing } from "../../parts/place.tsx";
import { Table } from "../../parts/values.tsx";
import type { Point } from "../columns.ts";
import { to } from "./routes.ts";
import { columnTitle } from "./run_columns.tsx";

/** Maximum number of points listed below a plot. */
const LISTED = 200;

/** The points of two columns, each a link to what it stands for, with a table of them. */
export function RunScatter({ points, x, y }: { points: readonly Point[]; x: string; y: string }) {
  const draw = useMemo(() => (document: Document) => drawPoints(document, points, x, y), [points, x, y]);
  return (
    <figure class="chart">
      <figcaption>{columnTitle(y)} against {columnTitle(x)}, {points.length} points</figcaption>
      <div class="points" onClick={follow}>
        <Drawing draw={draw} className="plot" />
      </div>
      <Arms points={points} />
      <details>
        <summary>Numbers</summary>
        <Table
          caption={`${columnTitle(y)} against ${columnTitle(x)}`}
          head={["run", "node", columnTitle(x), columnTitle(y)]}
          numeric={[2, 3]}
          rows={points.slice(0, LISTED).map((point) => [
            <a key="r" href={to.run(point.run)}>{point.run}</a>,
            point.node === null ? "–" : <a key="n" href={to.node(point.run, point.node)}>{point.node}</a>,
            valueText(point.x),
            valueText(point.y),
          ])}
        />
        {points.length > LISTED && <p>and {points.length - LISTED} more</p>}
      </details>
    </figure>
  );
}

/** What the colours mean, where there are arms. */
function Arms({ points }: { points: readonly Point[] }) {
  const arms = new Map(points.map((point) => [point.arm?.label ?? "of no arm", colourOf(point)]));
  if (!points.some(({ arm }) => arm !== undefined)) return null;
  return (
    <ul class="legend">
      {[...arms].map(([label, colour]) => (
        <li key={label} class="of-arm">
          <span class="dot" aria-hidden="true" style={`background:${colour}`} /> {label}
        </li>
      ))}
    </ul>
  );
}

/** That of its arm; what belongs to none has the colour of the brand, which no arm has. */
function colourOf({ arm }: Pick<Point, "arm">): string {
  return arm === undefined ? "var(--brand)" : `var(--series-${arm.colour})`;
}

function hrefOf({ run, node }: Point): string {
  return node === null ? to.run(run) : to.node(run, node);
}

/** Follows the link of the clicked point. */
function follow(event: Event): void {
  const href = (event.target as Element).closest("[data-href]")?.getAttribute("data-href");
  if (href !== null && href !== undefined) location.hash = href;
}

function drawPoints(document: Document, points: readonly Point[], x: string, y: string): SVGSVGElement {
  const numeric = points.every((point) => typeof point.x === "number");
  const svg = Plot.plot({
    document,
    // Small enough that its text is readable on a phone.
    width: 480,
    height: 260,
    marginLeft: 64,
    marginBottom: 44,
    grid: true,
    inset: 8,
    style: { fontSize: "12px" },
    x: {
      label: withVisibleMarks(columnTitle(x)),
      labelArrow: "none",
      labelAnchor: "center",
      ...(numeric ? {} : { type: "point" }),
    },
    y: { label: withVisibleMarks(columnTitle(y)), labelArrow: "none" },
    marks: [
      Plot.dot(points.map((point) => ({ ...point, x: numeric ? point.x : valueText(point.x) })), {
        x: "x",
        y: "y",
        r: 4,
        stroke: colourOf,
        fill: colourOf,
        fillOpacity: 0.25,
        title: (point: Point) =>
          withVisibleMarks(
            `${point.run}${point.node === null ? "" : ` ${point.node}`}: ${valueText(point.x)}, ${
              valueText(point.y)
            }`,
          ),
      }),
    ],
  }) as unknown as SVGSVGElement;
  // Points open their links by pointer; for the keyboard the same links are in the table below.
  svg.querySelectorAll("circle").forEach((circle, i) => circle.setAttribute("data-href", hrefOf(points[i]!)));
  for (const part of svg.querySelectorAll("[aria-label]")) part.removeAttribute("aria-label");
  svg.setAttribute("role", "img");
  svg.setAttribute(
    "aria-label",
    withVisibleMarks(`${columnTitle(y)} against ${columnTitle(x)}; the table below has the numbers`),
  );
  return svg;
}
