import { useMemo, useRef, useState } from "preact/hooks";
import type { Chart, Series } from "../../view/curves.ts";
import { thin } from "../../view/curves.ts";
import type { RunView } from "../../view/run.ts";
import type { RunPageData } from "../api.ts";
import type { LiveEvent } from "../live.ts";
import { type Connection, type Fetched, throttled, useLiveAsk } from "./client.ts";
import { dataOf } from "./routes.ts";
import type { LogPiece } from "../../view/log.ts";

/** Minimum milliseconds between redraws of curves, and between reloads of a run. */
const DRAW = 1000, AGAIN = 2000;
/** Number of points kept of a growing series; it is thinned when it reaches twice as many. */
const KEPT = 600;

/** Number of first points of a new curve that trigger a reload: the run needs a chart, and a chart needs two points. */
const FIRST = 3;

/** A run that is kept up to date. */
export interface LiveRun {
  readonly loaded: Fetched<RunPageData>;
  readonly connection: Connection;
  readonly fault: string | undefined;
}

/**
 * Loads a run and keeps it up to date from the event stream: states and progress immediately, curves by their new
 * points, and everything else that a finished node adds by reloading.
 */
export function useLiveRun(id: string, log?: string, onLog?: (piece: LogPiece) => void): LiveRun {
  const [, redraw] = useState(0);
  const [fault, setFault] = useState<string>();
  const changes = useRef<Changes>(new Changes());
  const base = useRef<RunPageData | undefined>(undefined);
  const draw = useMemo(() => throttled(DRAW, () => redraw((n) => n + 1)), []);
  const query = new URLSearchParams({ run: id, ...(log === undefined ? {} : { log }) });
  const { loaded, connection } = useLiveAsk<RunPageData>(
    dataOf.run(id),
    String(query),
    AGAIN,
    (event, again) => {
      if (event.type === "fault") return setFault(event.message);
      setFault(undefined);
      if (event.type === "log") return onLog?.(event.piece);
      const ended = changes.current.take(event);
      if (ended) again();
      if (event.type === "metrics") draw();
      else redraw((n) => n + 1);
    },
    {
      onOpen: () => changes.current.told = false,
      ended: ({ view }) => view.run.ended !== null,
    },
  );
  if (loaded.value !== base.current) {
    base.current = loaded.value;
    changes.current.restart(loaded.value?.view);
  }
  const value = useMemo(
    () =>
      loaded.value === undefined
        ? undefined
        : { ...loaded.value, view: changes.current.applied(loaded.value.view) },
    [loaded.value, changes.current.version],
  );
  return { loaded: { ...loaded, value }, connection, fault };
}

/** Events since the run was loaded. */
export class Changes {
  version = 0;
  /** Whether the stream has reported the states yet. */
  told = false;
  #states = new Map<string, RunView["nodes"][number]["state"]>();
  #status: RunView["status"] | undefined;
  #progress = new Map<string, RunView["nodes"][number]["progress"]>();
  #points = new Map<string, [number, number | null][]>();
  /** Curves that the loaded run has. */
  #charted: ReadonlySet<string> = new Set();
  /** Number of points received for curves that the loaded run lacks. */
  #uncharted = new Map<string, number>();

  /**
   * Called when the run was reloaded: its curves now have all points; states and progress stay at their last reported
   * values.
   */
  restart(view: RunView | undefined): void {
    this.#points.clear();
    this.#charted = new Set(
      view?.charts.flatMap((chart) => chart.series.map((one) => JSON.stringify([one.node, chart.metric]))),
    );
    this.version++;
  }

  /** Handles an event. Returns true if a node's state or the run's status has changed, which requires a reload. */
  take(event: LiveEvent): boolean {
    this.version++;
    if (event.type === "state") {
      const changed = this.told &&
        (this.#status !== event.status ||
          event.nodes.some(([name, state]) => this.#states.get(name) !== state));
      this.#status = event.status;
      this.#states = new Map(event.nodes);
      this.told = true;
      return changed;
    }
    if (event.type === "progress") this.#progress = new Map(event.progress.map((one) => [one.node, one]));
    if (event.type === "metrics") {
      let fresh = false;
      for (const [node, name, step, value] of event.metrics) {
        if (step === null) continue;
        const key = JSON.stringify([node, name]);
        const points = this.#points.get(key);
        if (points === undefined) this.#points.set(key, [[step, value]]);
        else points.push([step, value]);
        if (this.#charted.has(key)) continue;
        const told = (this.#uncharted.get(key) ?? 0) + 1;
        this.#uncharted.set(key, told);
        fresh ||= told <= FIRST;
      }
      return fresh;
    }
    return false;
  }

  applied(view: RunView): RunView {
    return {
      ...view,
      status: this.#status ?? view.status,
      nodes: view.nodes.map((node) => ({
        ...node,
        state: this.#states.get(node.name) ?? node.state,
        progress: this.#progress.get(node.name) ?? node.progress,
      })),
      charts: view.charts.map((chart) => this.#grown(chart)),
    };
  }

  #grown(chart: Chart): Chart {
    const series = chart.series.map((one): Series => {
      const more = this.#points.get(JSON.stringify([one.node, chart.metric]));
      if (more === undefined) return one;
      const last = one.points.at(-1)?.[0] ?? -Infinity;
      const points = [...one.points, ...more.filter(([step]) => step > last)];
      return { ...one, points: points.length > 2 * KEPT ? thin(points, KEPT) : points };
    });
    return series.every((one, i) => one === chart.series[i]) ? chart : { ...chart, series };
  }
}
