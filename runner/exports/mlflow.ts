import { badFileName } from "../../foundation/file_names.ts";
import type { MetricRecord } from "../records/rows.ts";
import { plainText } from "../../foundation/csv.ts";
import { type ExportedFile, exportedId, type ExportedRun } from "./exported_run.ts";

/** What MLflow calls states of runs, by number. */
const STATUS = { running: 1, done: 3, failed: 4, interrupted: 5 } as const;

/** MLflow cuts longer values of parameters and tags off. */
const LONGEST = 6000;

/**
 * A run in the file store of MLflow: an experiment by the pipeline's name, a run, and a nested run for each node that
 * measured something. Read by `mlflow ui --backend-store-uri FOLDER`.
 *
 * @param folder the folder's path, which MLflow wants inside.
 */
export function mlflowFiles({ run, params, nodes }: ExportedRun, folder: string): ExportedFile[] {
  const experiment = String(parseInt(exportedId(run.pipeline).slice(0, 12), 16));
  const root = new URL(`file://${encodeURI(folder)}/${experiment}`).href;
  const parent = exportedId(run.id);
  const files: ExportedFile[] = [{
    path: `${experiment}/meta.yaml`,
    content: yaml({
      artifact_location: root,
      creation_time: Math.round(run.started * 1000),
      experiment_id: experiment,
      last_update_time: Math.round((run.ended ?? run.started) * 1000),
      lifecycle_stage: "active",
      name: run.pipeline,
    }),
  }];
  const add = (id: string, one: {
    name: string;
    status: number;
    started: number;
    ended: number | null;
    params: readonly (readonly [string, string])[];
    tags: readonly (readonly [string, string])[];
    metrics: ReadonlyMap<string, readonly MetricRecord[]>;
    /** What Retort recorded. */
    about: unknown;
  }) => {
    const path = `${experiment}/${id}`;
    const meta = {
      ...{
        artifact_uri: `${root}/${id}/artifacts`,
        end_time: one.ended === null ? null : Math.round(one.ended * 1000),
      },
      ...{ entry_point_name: "", experiment_id: experiment, lifecycle_stage: "active", run_id: id },
      ...{ run_name: one.name, run_uuid: id, source_name: "", source_type: 4, source_version: "" },
      ...{ start_time: Math.round(one.started * 1000), status: one.status, tags: [], user_id: "" },
    };
    files.push({ path: `${path}/meta.yaml`, content: yaml(meta) });
    for (const [name, value] of one.params) {
      files.push({ path: `${path}/params/${keyOf(name)}`, content: value });
    }
    for (const [name, value] of [...one.tags, ["mlflow.runName", one.name] as const]) {
      files.push({ path: `${path}/tags/${name}`, content: value });
    }
    // MLflow takes a folder for a run only if it has parameters, metrics and artifacts.
    files.push({ path: `${path}/artifacts/retort.json`, content: `${JSON.stringify(one.about, null, 2)}\n` });
    for (const [name, points] of one.metrics) {
      const lines = points.map(({ time, value, step }) =>
        `${Math.round(time * 1000)} ${value ?? "nan"} ${Math.round(step ?? 0)}\n`
      );
      files.push({ path: `${path}/metrics/${keyOf(name)}`, content: lines.join("") });
    }
  };
  add(parent, {
    ...{ name: run.id, status: STATUS[run.status], started: run.started, ended: run.ended },
    params: [...params.map(([name, value]) => [name, cut(plainText(value))] as const), [
      "seed",
      String(run.seed),
    ]],
    tags: [["retort.command", cut(run.command)], ["retort.file", run.file]],
    metrics: new Map([["nodes", [{
      node: "",
      name: "nodes",
      step: null,
      value: nodes.length,
      time: run.started,
    }]]]),
    about: run,
  });
  for (const { node, metrics, values } of nodes) {
    const own = Map.groupBy(metrics, (one) => one.name);
    // Numbers of outputs are metrics for MLflow as well.
    for (const [name, value] of Object.entries(values)) {
      if (!own.has(name)) own.set(name, [{ node: node.name, name, step: null, value, time: run.started }]);
    }
    if (own.size === 0) continue;
    const started = node.started ?? run.started;
    add(exportedId(run.id, node.name), {
      name: node.name,
      status: node.state === "failed" ? STATUS.failed : STATUS.done,
      started,
      ended: node.seconds === null ? started : started + node.seconds,
      about: node,
      params: [["stage", node.stage] as const, ...Object.entries(node.params)].map((
        [name, value],
      ) => [name, cut(plainText(value))]),
      tags: [["mlflow.parentRunId", parent], ["retort.stage", node.stage], ["retort.state", node.state]],
      metrics: own,
    });
  }
  return files;
}

function cut(text: string): string {
  return text.length > LONGEST ? text.slice(0, LONGEST) : text;
}

/** A name that MLflow takes: letters, digits, and `_-. :` ; a unit in brackets becomes `(unit)` without its brackets. */
function keyOf(name: string): string {
  const key = name.replaceAll("/", " per ").replaceAll(/[[\]]/g, "").replaceAll(/[^\w\-. ]/g, "_").trim();
  return key === "" || badFileName(key) !== undefined ? `_${key}_` : key;
}

/** A flat object as YAML: JSON's scalars are YAML's. */
function yaml(object: Readonly<Record<string, unknown>>): string {
  return Object.entries(object).map(([name, value]) => `${name}: ${JSON.stringify(value)}\n`).join("");
}
