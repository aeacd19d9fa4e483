import { canonicalText, type JsonValue } from "../../foundation/canonical.ts";
import { flat, isMetricOf } from "../../runner/compare.ts";
import type { RecordReader } from "../../runner/records/reader.ts";
import type { RunRecord } from "../../runner/records/rows.ts";
import { armRoles } from "../view/roles.ts";

/** Columns that a plot begins with. */
export interface Axes {
  readonly x: string;
  readonly y: string;
}

/**
 * The columns that a plot of runs should begin with: what the newest run's question is measured by, against a parameter that
 * varies, of the pipeline or, in a sweep, of the measured nodes. Null where no run has a metric.
 *
 * @param runs newest first
 */
export function usefulAxes(records: RecordReader, runs: readonly RunRecord[]): Axes | null {
  const metricsOf = (run: RunRecord) => {
    const stages = new Set(records.nodes(run.id).map(({ stage }) => stage));
    return records.metricNames(run.pipeline).filter(({ stage }) => stages.has(stage));
  };
  const asked = runs.flatMap((run) => {
    const headline = records.question(run.id)?.headline;
    if (!headline) return [];
    const fitting = metricsOf(run).filter(({ name }) => isMetricOf(headline, name));
    if (fitting.length === 0) return [];
    // Of several stages that measure it the last one that what the question is about goes through.
    const arms = records.arms(run.id);
    const roles = armRoles(headline, arms.map(({ arm }) => arm));
    const compared = new Set(arms.filter(({ arm }) => roles[arm]! <= 1).map(({ node }) => node));
    const stages = records.nodes(run.id).filter(({ name }) => compared.has(name)).map(({ stage }) => stage);
    const last = stages.findLast((stage) => fitting.some((one) => one.stage === stage));
    return [{ run, metric: fitting.find(({ stage }) => stage === last) ?? fitting[0]! }];
  });
  const [found] = asked.length > 0 ? asked : runs.flatMap((run) => {
    const [metric] = metricsOf(run);
    return metric === undefined ? [] : [{ run, metric }];
  });
  if (found === undefined) return null;
  const { run, metric } = found;
  const same = runs.filter(({ pipeline }) => pipeline === run.pipeline);
  const done = same.filter(({ status }) => status === "done");
  const alike = done.length > 0 ? done : same;
  const own = varying(alike.map(({ params }) => flat(params)));
  const measured = alike.flatMap(({ id }) => records.nodes(id)).filter(({ stage }) => stage === metric.stage);
  const ofNodes = varying(measured.map(({ params }) => flat(params)));
  const [x] = [
    ...own.map((path) => `param:${path}`),
    ...ofNodes.map((path) => `node:${path}`),
    ...flat(run.params).map(([path]) => `param:${path}`),
  ];
  return x === undefined ? null : { x, y: `metric:${metric.stage}/${metric.name}` };
}

/** Paths with several values, those of numbers first; seeds tell repetitions apart, which is no axis. */
function varying(all: readonly (readonly (readonly [path: string, value: JsonValue])[])[]): string[] {
  const values = new Map<string, Map<string, JsonValue>>();
  for (const [path, value] of all.flat()) {
    const known = values.get(path) ?? new Map();
    values.set(path, known.set(canonicalText(value), value));
  }
  const numeric = ([, known]: readonly [string, Map<string, JsonValue>]) =>
    [...known.values()].every((value) => typeof value === "number");
  return [...values].filter(([path, known]) => known.size > 1 && !/(^|\.)seeds?$/.test(path))
    .sort((a, b) => Number(numeric(b)) - Number(numeric(a))).map(([path]) => path);
}
