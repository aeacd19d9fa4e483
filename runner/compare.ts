import { canonicalText, type JsonObject, type JsonValue } from "../foundation/canonical.ts";
import type { Records } from "./records/records.ts";
import type { NodeRecord, RunRecord } from "./records/rows.ts";

/** A node of a run with its last metrics. */
export interface MeasuredNode {
  readonly node: NodeRecord;
  /** Last value by metric name, and numbers that its small JSON outputs hold, by `output.path`. */
  readonly values: Readonly<Record<string, number | null>>;
}

/** Nodes of one stage in a run: a sweep when there are several. */
export interface StageGroup {
  readonly stage: string;
  /** Parameters that differ between the nodes, by dotted path. */
  readonly varying: readonly string[];
  readonly nodes: readonly MeasuredNode[];
}

/** The nodes of a run grouped by stage, in the order of the graph, with their metrics. */
export function groupsOf(records: Records, run: RunRecord): StageGroup[] {
  const groups = new Map<string, MeasuredNode[]>();
  for (const node of records.nodes(run.id)) {
    const measured = { node, values: valuesOf(records, run, node) };
    const group = groups.get(node.stage);
    if (group === undefined) groups.set(node.stage, [measured]);
    else group.push(measured);
  }
  return [...groups].map(([stage, nodes]) => ({
    stage,
    nodes,
    varying: varyingPaths(nodes.map((n) => n.node.params)),
  }));
}

/** Stages of which a run has several nodes, with what varies between them. */
export function sweepsOf(
  nodes: readonly Pick<NodeRecord, "stage" | "params">[],
): { readonly stage: string; readonly nodes: number; readonly varying: readonly string[] }[] {
  return [...Map.groupBy(nodes, (node) => node.stage)].filter(([, members]) => members.length > 1)
    .map(([stage, members]) => ({
      stage,
      nodes: members.length,
      varying: varyingPaths(members.map((node) => node.params)),
    }));
}

/** Sweeps of a run in words: `train ×6 (rate, seed)`. */
export function sweepsText(sweeps: ReturnType<typeof sweepsOf>): string {
  return sweeps.map(({ stage, nodes, varying }) =>
    `${stage} ×${nodes}${varying.length > 0 ? ` (${varying.join(", ")})` : ""}`
  ).join("; ");
}

function valuesOf(records: Records, run: RunRecord, node: NodeRecord): Record<string, number | null> {
  const values: Record<string, number | null> = {};
  const artifacts = node.key === null ? [] : records.artifactsOfKey(node.key);
  // A cached node's metrics were recorded by the run that computed it, maybe under another name.
  const own = records.lastMetrics(run.id, node.name);
  const maker = artifacts[0];
  const metrics = own.length > 0 || maker === undefined ? own : records.lastMetrics(maker.run, maker.node);
  for (const metric of metrics) values[metric.name] = metric.value;
  for (const { output, artifact } of artifacts) {
    for (const [path, value] of flat(artifact.facts.value)) {
      if (typeof value === "number") values[path === "" ? output : `${output}.${path}`] = value;
    }
  }
  return values;
}

/** Leaves of a JSON value by dotted path. */
export function flat(value: JsonValue | undefined, path = ""): [string, JsonValue][] {
  if (value === undefined) return [];
  if (typeof value === "object" && value !== null && !Array.isArray(value)) {
    return Object.entries(value).flatMap(([key, item]) => flat(item, path === "" ? key : `${path}.${key}`));
  }
  return [[path, value]];
}

function varyingPaths(params: readonly JsonObject[]): string[] {
  const flats = params.map((one) => new Map(flat(one)));
  const paths = [...new Set(flats.flatMap((one) => [...one.keys()]))];
  const text = (value: JsonValue | undefined) => value === undefined ? "" : canonicalText(value);
  return paths.filter((path) => new Set(flats.map((one) => text(one.get(path)))).size > 1);
}

/** A parameter or a metric in each of the compared runs; undefined where a run has none. */
export interface ComparedRow {
  /** `params` for the pipeline's own, else the node's name. */
  readonly node: string;
  readonly stage: string;
  readonly name: string;
  readonly values: readonly (JsonValue | undefined)[];
  readonly same: boolean;
}

/** Runs side by side. */
export interface Comparison {
  readonly runs: readonly RunRecord[];
  readonly params: readonly ComparedRow[];
  readonly metrics: readonly ComparedRow[];
}

/** Parameters and last metrics of runs side by side; nodes are matched by name. */
export function compareRuns(records: Records, runs: readonly RunRecord[]): Comparison {
  const measured = runs.map((run) =>
    new Map(
      groupsOf(records, run).flatMap((group) => group.nodes.map((one) => [one.node.name, one] as const)),
    )
  );
  const params: ComparedRow[] = compared("params", "", runs.map((run) => new Map(flat(run.params))));
  const metrics: ComparedRow[] = [];
  const names = new Map(
    measured.flatMap((nodes) => [...nodes.values()].map(({ node }) => [node.name, node.stage] as const)),
  );
  for (const [name, stage] of names) {
    const nodes = measured.map((one) => one.get(name));
    params.push(...compared(name, stage, nodes.map((found) => new Map(flat(found?.node.params)))));
    metrics.push(
      ...compared(name, stage, nodes.map((found) => new Map(Object.entries(found?.values ?? {})))),
    );
  }
  return { runs, params, metrics };
}

function compared(node: string, stage: string, maps: readonly Map<string, JsonValue>[]): ComparedRow[] {
  const names = [...new Set(maps.flatMap((map) => [...map.keys()]))];
  return names.map((name) => {
    const values = maps.map((map) => map.get(name));
    const texts = values.map((value) => value === undefined ? "" : canonicalText(value));
    return { node, stage, name, values, same: new Set(texts).size <= 1 };
  });
}
