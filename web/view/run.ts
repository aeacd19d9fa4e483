import type { JsonObject } from "../../foundation/canonical.ts";
import { reasonText } from "../../runner/key.ts";
import { type LiveNodeState, liveNodeState, type LiveStatus, liveStatus } from "../../runner/liveness.ts";
import type { Records } from "../../runner/records/records.ts";
import type {
  ArtifactRecord,
  AttemptRecord,
  MetricRecord,
  NodeRecord,
  PlaceRecord,
  ProgressRecord,
  RunRecord,
} from "../../runner/records/rows.ts";
import { artifactSize } from "../../runner/store/artifacts.ts";
import type { Store } from "../../runner/store/store.ts";
import { variantGroups } from "./variants.ts";
import { type Chart, curvesOf, mergeAlike, type Series, thin } from "./curves.ts";
import { armRoles, type Roles } from "./roles.ts";
import { type ResultTable, resultTables } from "./results.ts";

/** An artifact with its origin. */
export interface ArtifactView {
  readonly output: string;
  readonly digest: string;
  readonly codec: string;
  readonly version: number;
  readonly bytes: number;
  readonly facts: JsonObject;
  readonly files: readonly { name: string; size: number; digest: string; location?: string }[];
}

/** A node of a run as shown on pages. */
export interface NodeView {
  readonly position: number;
  readonly name: string;
  readonly stage: string;
  /** Label that distinguishes it from other nodes of its stage; empty if it is the only one. */
  readonly variant: string;
  readonly state: LiveNodeState;
  readonly started: number | null;
  /** Seconds it took in this run; null for cached nodes. */
  readonly seconds: number | null;
  readonly params: JsonObject;
  readonly key: string | null;
  readonly seed: number | null;
  /** Why it ran, as text. */
  readonly reasons: readonly string[];
  readonly error: string | null;
  /** Code of the error, if recorded. */
  readonly code: string | null;
  readonly log: string | null;
  readonly engine: NodeRecord["engine"];
  /** True for a source: data outside the store. */
  readonly data: boolean;
  /** For results of another run: which one, and how long it took there. */
  readonly maker: { readonly run: string; readonly node: string; readonly seconds: number | null } | null;
  readonly progress: ProgressRecord | null;
  /** Executions that failed or were tried again. */
  readonly attempts: readonly AttemptRecord[];
  /** Where it ran, where that is known. */
  readonly place: PlaceRecord | null;
  readonly outputs: readonly ArtifactView[];
  /** Inputs: the node and output they come from, and the digest that was read, if known. */
  readonly inputs: readonly { name: string; node: string; output: string }[];
}

/** A run as shown on pages. */
export interface RunView {
  readonly run: RunRecord;
  readonly status: LiveStatus;
  readonly nodes: readonly NodeView[];
  readonly outputs: readonly { name: string; node: string; output: string; digest: string | null }[];
  readonly charts: readonly Chart[];
  readonly tables: readonly ResultTable[];
  /** Colours of its arms. */
  readonly roles: Roles;
}

/** Gathers what is shown of a run. Reads only records, no artifacts, and without `curves` no metrics. */
export function viewRun(
  store: Store,
  records: Records,
  run: RunRecord,
  options: { curves?: boolean } = {},
): RunView {
  const status = liveStatus(store, run);
  const nodeRecords = records.nodes(run.id);
  const edges = records.edges(run.id);
  const progress = new Map(records.progress(run.id).map((one) => [one.node, one]));
  const attempts = Map.groupBy(records.attempts(run.id), ({ node }) => node);
  const places = new Map(records.places(run.id).map((one) => [one.node, one]));
  const artifacts = new Map(nodeRecords.map((node) => [node.name, artifactsOf(records, node)]));
  const seedOf = (node: NodeRecord) => artifacts.get(node.name)![0]?.components.seed;
  const headline = records.question(run.id)?.headline ?? null;
  const called = new Map(records.arms(run.id).map((arm) => [arm.node, arm]));
  const roles = armRoles(headline, nodeRecords.flatMap(({ name }) => called.get(name)?.arm ?? []));
  const named = new Map(
    [...called].map(([node, { arm, setting }]) => [node, { arm: headline?.arms[arm] ?? arm, setting }]),
  );
  const groups = variantGroups(nodeRecords, edges, seedOf, named);
  const variants = new Map(groups.flatMap((group) => [...group.variants]));
  const inputs = Map.groupBy(edges, (edge) => edge.node);
  const nodes = nodeRecords.map((node) =>
    viewNode(records, node, {
      state: liveNodeState(node.state, status),
      variant: variants.get(node.name)!.label,
      artifacts: artifacts.get(node.name)!,
      progress: progress.get(node.name) ?? null,
      attempts: attempts.get(node.name) ?? [],
      place: places.get(node.name) ?? null,
      inputs: (inputs.get(node.name) ?? []).map((edge) => ({
        name: edge.input,
        node: edge.source,
        output: edge.output,
      })),
    })
  );
  const byName = new Map(nodes.map((node) => [node.name, node]));
  return {
    run,
    status,
    nodes,
    outputs: records.runOutputs(run.id).map((output) => ({
      ...output,
      digest: byName.get(output.node)?.outputs.find((one) => one.output === output.output)?.digest ?? null,
    })),
    charts: options.curves === false
      ? []
      : comparingFirst(mergeAlike(chartsOf(records, run, nodes, (node) => {
        const arm = called.get(node)?.arm;
        return arm === undefined ? undefined : roles[arm];
      }))),
    tables: options.curves === false ? [] : resultTables(records, run, groups),
    roles,
  };
}

function artifactsOf(records: Records, node: NodeRecord): ArtifactRecord[] {
  return node.key === null ? [] : records.artifactsOfKey(node.key);
}

function viewNode(
  records: Records,
  node: NodeRecord,
  more: {
    state: LiveNodeState;
    variant: string;
    artifacts: readonly ArtifactRecord[];
    progress: ProgressRecord | null;
    attempts: readonly AttemptRecord[];
    place: PlaceRecord | null;
    inputs: NodeView["inputs"];
  },
): NodeView {
  // A node that is being rerun has a key whose earlier result was not made by this run.
  const own = node.state === "ran" || node.state === "cached" ? more.artifacts : [];
  const maker = own[0];
  const data = maker !== undefined && maker.run === "";
  return {
    position: node.position,
    name: node.name,
    stage: node.stage,
    variant: more.variant,
    state: more.state,
    started: node.started,
    seconds: node.seconds,
    params: node.params,
    key: node.key,
    seed: maker?.components.seed ?? null,
    reasons: node.reasons.map(reasonText),
    error: node.error,
    code: node.code,
    log: node.log,
    engine: node.engine,
    data,
    maker: node.state !== "cached" || maker === undefined || data
      ? null
      : { run: maker.run, node: maker.node, seconds: records.secondsOfKey(maker.key) ?? null },
    progress: more.progress,
    attempts: more.attempts,
    place: more.place,
    outputs: own.map(({ output, artifact }) => ({
      output,
      digest: artifact.digest,
      codec: artifact.codec,
      version: artifact.version,
      bytes: artifactSize(artifact),
      facts: artifact.facts,
      files: artifact.files.map((file) => ({ ...file })),
    })),
    inputs: more.inputs,
  };
}

/** The curves of all metrics by stage, with the variants of a sweep in one chart. */
function chartsOf(
  records: Records,
  run: RunRecord,
  nodes: readonly NodeView[],
  roleOfNode: (node: string) => number | undefined,
): Chart[] {
  const charts = new Map<string, { stage: string; metric: string; unit: string; series: Series[] }>();
  const reported = new Map<string, Map<string, ProgressRecord>>();
  let own: Map<string, MetricRecord[]> | undefined;
  const metricsOf = (node: NodeView) => {
    if (node.key !== null) return records.metricsOfKey(node.key);
    own ??= Map.groupBy(records.metrics(run.id), (one) => one.node);
    return own.get(node.name) ?? [];
  };
  const unitOf = (node: NodeView, last: number): string | null => {
    const [id, name] = node.maker === null ? [run.id, node.name] : [node.maker.run, node.maker.node];
    let known = reported.get(id);
    if (known === undefined) {
      reported.set(id, known = new Map(records.progress(id).map((one) => [one.node, one])));
    }
    const progress = known.get(name);
    return progress !== undefined && countsSteps(progress, last) ? progress.unit : null;
  };
  for (const node of nodes) {
    for (const [metric, points] of curvesOf(metricsOf(node))) {
      const key = JSON.stringify([node.stage, metric]);
      const chart = charts.get(key) ?? { stage: node.stage, metric, unit: "step", series: [] };
      chart.unit = unitOf(node, points.at(-1)![0]) ?? chart.unit;
      const role = roleOfNode(node.name);
      chart.series.push({
        node: node.name,
        ...(role === undefined ? {} : { role }),
        label: node.variant === "" ? metric : node.variant,
        points: thin(points),
      });
      charts.set(key, chart);
    }
  }
  return [...charts.values()];
}

/** Whether progress and a metric count the same steps: a training may report progress by batch and a loss by epoch. */
function countsSteps({ done }: ProgressRecord, last: number): boolean {
  return Math.abs(done - last) <= Math.max(1, 0.05 * done);
}

/** Sorts charts that compare arms before those of a single arm. */
function comparingFirst(charts: readonly Chart[]): Chart[] {
  const arms = ({ series }: Chart) => new Set(series.map(({ role }) => role)).size;
  return charts.toSorted((a, b) => Number(arms(b) > 1) - Number(arms(a) > 1));
}
