import type { JsonObject, JsonValue } from "../../foundation/canonical.ts";
import { flat } from "../../runner/compare.ts";
import type { RecordReader } from "../../runner/records/reader.ts";
import { armRoles, roleOf } from "../view/roles.ts";
import { type Axes, usefulAxes } from "./axes.ts";
import { WrongQuestion } from "./wrong_question.ts";

/**
 * A column chosen by the user: `param:PATH`, a parameter of the pipeline; `metric:STAGE/NAME`, the last value of a
 * metric; `output:NAME/PATH`, a number of a returned output; `node:PATH`, for plots, a parameter of the measured node.
 */
export interface RunColumn {
  readonly kind: "param" | "metric" | "output" | "node";
  /** Stage of a metric, or name of an output; otherwise empty. */
  readonly of: string;
  /** Name of a metric; dotted path of a parameter or within an output. */
  readonly name: string;
}

/** Reads a column's name. @throws WrongQuestion when it is none. */
export function columnOf(text: string): RunColumn {
  const [, kind, rest] = /^(param|metric|output|node):(.*)$/s.exec(text) ?? [];
  if (kind === "param" || kind === "node") return { kind, of: "", name: rest! };
  const slash = rest?.indexOf("/") ?? -1;
  if (slash <= 0) throw new WrongQuestion("page/argument", `${JSON.stringify(text)} is not a column`);
  return { kind: kind as "metric" | "output", of: rest!.slice(0, slash), name: rest!.slice(slash + 1) };
}

/** One value of a column, for a run or for one of its nodes. */
export interface Cell {
  readonly run: string;
  readonly node: string | null;
  readonly value: JsonValue;
}

/** Parameters of all runs by id, read and parsed when they are first asked for. */
export function paramsOnce(records: RecordReader): () => Map<string, JsonObject> {
  let params: Map<string, JsonObject> | undefined;
  return () => params ??= records.paramsOfRuns();
}

/**
 * All values of a column. A run has several if several of its nodes have one.
 *
 * @param params of all runs: several columns share them.
 */
export function cellsOf(
  records: RecordReader,
  column: RunColumn,
  params: () => Map<string, JsonObject> = paramsOnce(records),
): Cell[] {
  switch (column.kind) {
    case "param":
      return [...params()].flatMap(([run, values]) => {
        const value = new Map(flat(values)).get(column.name);
        return value === undefined ? [] : [{ run, node: null, value }];
      });
    case "metric":
      return records.lastValues(column.of, column.name);
    case "output":
      return records.outputValues(column.of).flatMap(({ run, value }) => {
        const leaf = new Map(flat(value)).get(column.name);
        return leaf === undefined ? [] : [{ run, node: null, value: leaf }];
      });
    case "node":
      throw new WrongQuestion("page/argument", "a parameter of nodes is a column of plots only");
  }
}

/** The available columns. */
export interface ColumnChoice {
  readonly params: readonly string[];
  readonly metrics: readonly string[];
  readonly outputs: readonly string[];
  /** Parameters of nodes, by the stage of the metrics that can be plotted against them. */
  readonly nodes: Readonly<Record<string, readonly string[]>>;
  /** What a plot begins with. */
  readonly axes: Axes | null;
}

/** Maximum number of runs whose outputs and nodes are searched for columns. */
const LOOKED = 20;

/** The available columns for the runs of a pipeline, or for all runs. */
export function columnChoice(records: RecordReader, pipeline: string | undefined): ColumnChoice {
  const runs = records.runs({ limit: LOOKED, ...(pipeline === undefined ? {} : { pipeline }) });
  const params = new Set(runs.flatMap((run) => flat(run.params).map(([path]) => `param:${path}`)));
  const metrics = records.metricNames(pipeline);
  const nodes = new Map<string, Set<string>>();
  for (const run of runs) {
    for (const node of records.nodes(run.id)) {
      const paths = nodes.get(node.stage) ?? new Set();
      nodes.set(node.stage, paths);
      for (const [path] of flat(node.params)) paths.add(`node:${path}`);
    }
  }
  const listed = new Set(runs.map((run) => run.id));
  const outputs = records.outputNames(pipeline).flatMap((name) => {
    const values = records.outputValues(name).filter(({ run }) => listed.has(run));
    const numbers = values.flatMap(({ value }) => flat(value).filter(([, leaf]) => typeof leaf === "number"));
    return [...new Set(numbers.map(([path]) => `output:${name}/${path}`))];
  });
  return {
    params: [...params].sort(),
    metrics: metrics.map(({ stage, name }) => `metric:${stage}/${name}`),
    outputs,
    nodes: Object.fromEntries([...nodes].map(([stage, paths]) => [stage, [...paths].sort()])),
    axes: usefulAxes(records, runs),
  };
}

/** A point of a plot. */
export interface Point {
  readonly run: string;
  readonly node: string | null;
  readonly x: JsonValue;
  readonly y: number;
  /** The arm that its node belongs to, with the index of its colour. */
  readonly arm?: { readonly label: string; readonly colour: number };
}

/** Points of two columns: one per node that has a value of `y`, otherwise one per run. */
export function pointsOf(records: RecordReader, x: RunColumn, y: RunColumn): Point[] {
  if (x.kind === "node") {
    if (y.kind !== "metric") throw new WrongQuestion("page/argument", "parameters of nodes go with metrics");
    return records.lastValues(y.of, y.name).flatMap(({ run, node, params, value }) => {
      const at = new Map(flat(params)).get(x.name);
      return at === undefined ? [] : [{ run, node, x: at, y: value }];
    });
  }
  const params = paramsOnce(records);
  const points = cellsOf(records, y, params).filter((cell) => typeof cell.value === "number");
  const cells = cellsOf(records, x, params);
  const ofRun = Map.groupBy(cells, (cell) => cell.run);
  return points.flatMap(({ run, node, value }) => {
    const mine = ofRun.get(run) ?? [];
    // Metrics of one stage are joined by node, everything else by run.
    const same = mine.filter((cell) => cell.node === node);
    const found = x.kind === "metric" && x.of === y.of ? same : mine;
    return found.map((cell) => ({ run, node, x: cell.value, y: value as number }));
  });
}

/** Points with the arms of their nodes. */
export function withArms(records: RecordReader, points: readonly Point[]): Point[] {
  const runs = new Map<string, ReadonlyMap<string, NonNullable<Point["arm"]>>>();
  const armsOf = (run: string) => {
    const arms = records.arms(run);
    const headline = records.question(run)?.headline ?? null;
    const roles = armRoles(headline, arms.map(({ arm }) => arm));
    const named = (arm: string) => ({
      label: headline?.arms[arm] ?? arm,
      colour: roleOf(roles, { arm, role: "arm" }),
    });
    return new Map(arms.map(({ node, arm }) => [node, named(arm)]));
  };
  return points.map((point) => {
    if (point.node === null) return point;
    const arms = runs.get(point.run) ?? runs.set(point.run, armsOf(point.run)).get(point.run)!;
    const arm = arms.get(point.node);
    return arm === undefined ? point : { ...point, arm };
  });
}
