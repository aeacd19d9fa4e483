import type { JsonValue } from "../../foundation/canonical.ts";
import { csvText } from "../../foundation/csv.ts";
import type { ExportedFile, ExportedRun } from "./exported_run.ts";

/** Tables of a run as CSV (RFC 4180): parameters, nodes, every point of every metric, and what metrics came to. */
export function csvFiles({ run, params, nodes }: ExportedRun): ExportedFile[] {
  return [
    csv("run.csv", ["name", "value"], [
      ["run", run.id],
      ["pipeline", run.pipeline],
      ["status", run.status],
      ["seed", run.seed],
      ["started", time(run.started)],
      ["ended", run.ended === null ? "" : time(run.ended)],
      ...params.map(([name, value]) => [`params.${name}`, value] as const),
    ]),
    csv(
      "nodes.csv",
      ["node", "stage", "state", "seconds", "params"],
      nodes.map(({ node }) => [node.name, node.stage, node.state, node.seconds, JSON.stringify(node.params)]),
    ),
    csv(
      "metrics.csv",
      ["node", "stage", "metric", "step", "value", "time"],
      nodes.flatMap(({ node, metrics }) =>
        metrics.map((one) => [node.name, node.stage, one.name, one.step, one.value, time(one.time)])
      ),
    ),
    csv(
      "values.csv",
      ["node", "stage", "name", "value"],
      nodes.flatMap(({ node, values }) =>
        Object.entries(values).map(([name, value]) => [node.name, node.stage, name, value])
      ),
    ),
  ];
}

function time(seconds: number): string {
  return new Date(seconds * 1000).toISOString();
}

function csv(path: string, head: readonly string[], rows: readonly (readonly JsonValue[])[]): ExportedFile {
  return { path, content: csvText(head, rows) };
}
