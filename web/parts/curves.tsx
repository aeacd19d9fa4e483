import { useMemo, useState } from "preact/hooks";
import { valueText } from "../../foundation/format.ts";
import { type Chart, metricParts, seriesStyles } from "../view/curves.ts";
import { spreadOfValues } from "../../foundation/spread.ts";
import { colourVariable, type Style } from "../../foundation/palette.ts";
import { drawCurves, isPositive } from "./plot.ts";
import { Drawing, usePlace } from "./place.tsx";
import { Table } from "./values.tsx";

/** Small enough that its text is readable on a phone. */
const SHOWN = { width: 480, height: 250 };

/** A chart with a legend whose entries toggle their curves, and the numbers as a table. */
export function CurveFigure({ chart }: { chart: Chart }) {
  const [hidden, setHidden] = useState<ReadonlySet<string>>(new Set());
  const [logarithmic, setLogarithmic] = useState(false);
  const draw = useMemo(() => curveDrawer(chart, hidden, logarithmic), [chart, hidden, logarithmic]);
  const written = usePlace().document !== undefined;
  const toggle = (label: string) => setHidden((before) => before.symmetricDifference(new Set([label])));
  const { name, unit } = metricParts(chart.metric);
  return (
    <figure class="chart">
      <figcaption>
        {name}
        {unit === undefined ? "" : ` in ${unit}`}
        <span class="about">
          {chart.stage}, by {chart.unit}
          {chart.alike !== undefined && <>; up to a constant also {chart.alike.join(", ")}</>}
        </span>
      </figcaption>
      <Drawing draw={draw} className="plot" />
      {written && isPositive(chart) && (
        <Drawing draw={curveDrawer(chart, hidden, true)} className="plot" hidden />
      )}
      <Legend styles={seriesStyles(chart.series)} hidden={hidden} toggle={toggle} />
      {isPositive(chart) && (
        <label class="scale">
          <input
            type="checkbox"
            checked={logarithmic}
            onChange={(event) => setLogarithmic(event.currentTarget.checked)}
          />{" "}
          logarithmic
        </label>
      )}
      <details>
        <summary>Numbers</summary>
        <Table
          caption={`Numbers of ${chart.metric} of ${chart.stage}`}
          head={["curve", "node", "steps", "first", "lowest", "highest", "last"]}
          numeric={[2, 3, 4, 5, 6]}
          rows={chart.series.map((one) => {
            const values = one.points.map(([, value]) => value);
            const spread = spreadOfValues(values);
            return [
              one.label,
              one.node,
              String(one.points.at(-1)?.[0] ?? 0),
              ...[values[0], spread?.min, spread?.max, values.at(-1)].map(valueText),
            ];
          })}
        />
      </details>
    </figure>
  );
}

function curveDrawer(chart: Chart, hidden: ReadonlySet<string>, logarithmic: boolean) {
  return (document: Document) => {
    const svg = drawCurves(document, chart, { ...SHOWN, logarithmic });
    for (const group of svg.querySelectorAll("[data-label]")) {
      if (hidden.has(group.getAttribute("data-label")!)) group.setAttribute("display", "none");
    }
    return svg;
  };
}

function Legend(
  { styles, hidden, toggle }: {
    styles: ReadonlyMap<string, Style>;
    hidden: ReadonlySet<string>;
    toggle: (label: string) => void;
  },
) {
  return (
    <ul class="legend" aria-label="curves">
      {[...styles].map(([label, style]) => (
        <li key={label}>
          <button
            type="button"
            class="variant"
            data-label={label}
            aria-pressed={!hidden.has(label)}
            onClick={() => toggle(label)}
          >
            <svg width="28" height="10" aria-hidden="true">
              <line
                x1="0"
                x2="28"
                y1="5"
                y2="5"
                stroke={colourVariable(style)}
                stroke-width="2.5"
                stroke-dasharray={style.dash}
              />
            </svg>{" "}
            {label}
          </button>
        </li>
      ))}
    </ul>
  );
}
