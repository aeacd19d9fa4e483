import type { JsonValue } from "../../foundation/canonical.ts";
import { csvText, plainText } from "../../foundation/csv.ts";
import {
  liveNodeCounts,
  type LiveNodeState,
  type LiveStatus,
  liveStatus,
  runsOfStatus,
} from "../../runner/liveness.ts";
import { sweepsOf, sweepsText } from "../../runner/compare.ts";
import type { RunFilter } from "../../runner/records/filter.ts";
import type { RecordReader } from "../../runner/records/reader.ts";
import {
  type Annotation,
  LISTED_STATUSES,
  type ListedRun,
  NO_ANNOTATION,
} from "../../runner/records/rows.ts";
import type { Store } from "../../runner/store/store.ts";
import { type TimeLeft, timeLeft } from "../view/left.ts";
import { cellsOf, columnOf, paramsOnce, type Point, pointsOf, withArms } from "./columns.ts";
import { WrongQuestion } from "./wrong_question.ts";

/** A row in the list of runs. */
export interface RunLine extends Annotation {
  readonly id: string;
  readonly pipeline: string;
  readonly status: LiveStatus;
  readonly started: number;
  readonly ended: number | null;
  readonly seed: number;
  readonly states: Partial<Record<LiveNodeState, number>>;
  /** Description of the sweeps. */
  readonly sweeps: string;
  /** Estimated remaining time of a running run, if known. */
  readonly left: TimeLeft | null;
  /** Values of each requested column: several if several nodes have one. */
  readonly cells: readonly (readonly JsonValue[])[];
}

/** A page of the list of runs. */
export interface RunList {
  readonly total: number;
  readonly offset: number;
  readonly runs: readonly RunLine[];
  readonly pipelines: readonly string[];
  /** All existing tags. */
  readonly tags: readonly string[];
  /** Seconds since 1970 by the dashboard's clock. */
  readonly now: number;
}

/** Number of runs per page. */
export const PAGE = 50;

/** Columns that every list has and can be sorted by. */
export const SORTED = ["id", "pipeline", "status", "started", "took", "seed"] as const;

/** A page of the matching runs: newest first, or in the order given by `sort` and `order`. */
export function listRuns(store: Store, records: RecordReader, query: URLSearchParams): RunList {
  const offset = Math.max(0, Math.min(2 ** 31, Math.trunc(Number(query.get("offset"))) || 0));
  const { runs, values, annotations } = chosenRuns(store, records, query);
  const now = Date.now() / 1000;
  return {
    total: runs.length,
    offset,
    runs: runs.slice(offset, offset + PAGE).map((run) => {
      const status = liveStatus(store, run);
      const nodes = records.nodes(run.id);
      return {
        ...run,
        status,
        states: liveNodeCounts(records.nodeStates(run.id), status),
        sweeps: sweepsText(sweepsOf(nodes)),
        left: status === "running" ? timeLeft(nodes, records.progress(run.id), now) ?? null : null,
        ...annotations.get(run.id) ?? NO_ANNOTATION,
        cells: values.map((column) => column.get(run.id) ?? []),
      };
    }),
    pipelines: records.pipelines(),
    tags: [...new Set([...annotations.values()].flatMap((one) => one.tags))].sort(),
    now,
  };
}

/** The matching runs in order, with the values of the requested columns. */
interface ChosenRuns {
  readonly runs: readonly ListedRun[];
  readonly columns: readonly string[];
  readonly values: readonly ReadonlyMap<string, readonly JsonValue[]>[];
  readonly annotations: ReadonlyMap<string, Annotation>;
}

function chosenRuns(store: Store, records: RecordReader, query: URLSearchParams): ChosenRuns {
  const columns = query.getAll("column");
  if (columns.length > COLUMNS) {
    throw new WrongQuestion("page/argument", `at most ${COLUMNS} columns are shown at once`);
  }
  const params = paramsOnce(records);
  const valuesOf = (column: string) => {
    const cells = Map.groupBy(cellsOf(records, columnOf(column), params), (cell) => cell.run);
    return new Map([...cells].map(([run, some]) => [run, some.map((cell) => cell.value)]));
  };
  const values = columns.map(valuesOf);
  const runs = fittingRuns(store, records, query);
  const sort = query.get("sort");
  const sign = query.get("order") === "asc" ? 1 : -1;
  if (sort !== null) {
    const column = columns.indexOf(sort);
    const own = SORTED.find((one) => one === sort);
    const chosen = own !== undefined ? undefined : column >= 0 ? values[column] : valuesOf(sort);
    const keyOf = (run: ListedRun): JsonValue | undefined => {
      if (own === "took") return run.ended === null ? undefined : run.ended - run.started;
      if (own !== undefined) return run[own];
      return (chosen!.get(run.id) ?? []).toSorted((a, b) => sign * compared(a, b))[0];
    };
    const keys = new Map(runs.map((run) => [run.id, keyOf(run)]));
    runs.sort((a, b) => {
      const x = keys.get(a.id), y = keys.get(b.id);
      // Runs without a value come last in either direction.
      if (x === undefined || y === undefined) return Number(x === undefined) - Number(y === undefined);
      return sign * compared(x, y);
    });
  }
  return { runs, columns, values, annotations: records.annotations() };
}

/** Maximum number of columns shown at once. */
const COLUMNS = 24;

/** Compares values: numbers numerically, before texts alphabetically. */
function compared(a: JsonValue, b: JsonValue): number {
  if (typeof a === "number" && typeof b === "number") return a - b;
  if (typeof a === "number" || typeof b === "number") return typeof a === "number" ? -1 : 1;
  return String(a).localeCompare(String(b));
}

/** Runs that match the filters, newest first. */
function fittingRuns(store: Store, records: RecordReader, query: URLSearchParams): ListedRun[] {
  const status = LISTED_STATUSES.find((one) => one === query.get("status"));
  const archived = query.get("archived");
  const filter: RunFilter = {
    ...(query.get("pipeline") ? { pipeline: query.get("pipeline")! } : {}),
    ...(query.get("text") ? { text: query.get("text")! } : {}),
    ...(query.get("tag") ? { tag: query.get("tag")! } : {}),
    ...(archived === "all" ? {} : { archived: archived === "only" }),
  };
  if (status === undefined) return records.listedRuns(filter);
  return runsOfStatus(store, status, (recorded) => records.listedRuns({ ...filter, status: recorded }));
}

/** Points of two columns for the matching runs. */
export function plotRuns(store: Store, records: RecordReader, query: URLSearchParams): Point[] {
  const fitting = new Set(fittingRuns(store, records, query).map((run) => run.id));
  const points = pointsOf(records, columnOf(query.get("x") ?? ""), columnOf(query.get("y") ?? ""));
  return withArms(records, points.filter((point) => fitting.has(point.run)).slice(0, POINTS));
}

/** Maximum number of points of a plot. */
const POINTS = 5000;

/** All matching runs as CSV (RFC 4180), with the requested columns. */
export function csvOfRuns(store: Store, records: RecordReader, query: URLSearchParams): string {
  const { runs, columns, values, annotations } = chosenRuns(store, records, query);
  const head = ["run", "pipeline", "status", "started", "seconds", "seed", "note", "tags", ...columns];
  const rows = runs.map((run) => {
    const { note, tags } = annotations.get(run.id) ?? NO_ANNOTATION;
    return [
      ...[run.id, run.pipeline, liveStatus(store, run), new Date(run.started * 1000).toISOString()],
      ...[run.ended === null ? "" : run.ended - run.started, run.seed, note, tags.join(" ")],
      ...values.map((column) => (column.get(run.id) ?? []).map(plainText).join(" ")),
    ];
  });
  return csvText(head, rows);
}
