import { type ComparedVerdicts, compareVerdicts } from "./compare_verdicts.ts";
import { canonicalText, type JsonObject, type JsonValue } from "../foundation/canonical.ts";
import { type ArmValue, type Difference, differenceOf, type RunAnswer } from "./answer.ts";
import { nameInWords } from "../foundation/format.ts";
import { readableParts, readableText } from "../foundation/readable.ts";
import type { Headline } from "./headline.ts";
import { commonName, matchNodes } from "./match.ts";
import { differenceWords, metricText, spreadValue } from "./verdict.ts";
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

/** The nodes of a run with their metrics, in the order of the graph. */
export function measuredNodes(records: Records, run: RunRecord): MeasuredNode[] {
  return records.nodes(run.id).map((node) => ({ node, values: valuesOf(records, run, node) }));
}

/** The nodes of a run grouped by stage, in the order of the graph, with their metrics. */
export function groupsOf(records: Records, run: RunRecord): StageGroup[] {
  return [...Map.groupBy(measuredNodes(records, run), ({ node }) => node.stage)].map(([stage, nodes]) => ({
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
  /** `params` for the pipeline's own, else the node's name, or how many nodes it is of. */
  readonly node: string;
  readonly stage: string;
  readonly name: string;
  readonly values: readonly (JsonValue | undefined)[];
  readonly same: boolean;
  /** Which way is better, where the pipeline's headline says so of this metric. */
  readonly direction: "lower" | "higher" | null;
}

/** Runs side by side; the first is what the others are held against. */
export interface Comparison {
  readonly runs: readonly RunRecord[];
  readonly params: readonly ComparedRow[];
  readonly metrics: readonly ComparedRow[];
}

/** Parameters and last metrics of runs side by side; nodes are matched by stage, arm and place in the graph. */
export function compareRuns(records: Records, runs: readonly RunRecord[]): Comparison {
  const measured = runs.map((run) =>
    new Map(
      measuredNodes(records, run).map((one) => [one.node.name, one.values] as const),
    )
  );
  const matched = matchNodes(runs.map((run) => ({
    nodes: records.nodes(run.id),
    edges: records.edges(run.id),
    arms: records.arms(run.id),
  })));
  const headlines = runs.flatMap((run) => records.question(run.id)?.headline ?? []);
  const own = compared("params", "", runs.map((run) => new Map(readableParts(run.params))));
  const params: ComparedRow[] = [], metrics: ComparedRow[] = [];
  for (const { name, stage, nodes } of matched) {
    params.push(...compared(name, stage, nodes.map((found) => new Map(readableParts(found?.params)))));
    metrics.push(
      ...compared(
        name,
        stage,
        withCommonNames(
          nodes.map((found, i) =>
            new Map(Object.entries(found === undefined ? {} : measured[i]!.get(found.name)!))
          ),
        ),
      ).filter((row, _, rows) => !isTold(row, rows)).map((row) => ({
        ...row,
        direction: directionOf(row.name, headlines),
      })),
    );
  }
  return { runs, params: [...own, ...together(params)], metrics };
}

function compared(node: string, stage: string, maps: readonly Map<string, JsonValue>[]): ComparedRow[] {
  const names = [...new Set(maps.flatMap((map) => [...map.keys()]))];
  return names.map((name) => {
    const values = maps.map((map) => map.get(name));
    const texts = values.map((value) => value === undefined ? "" : canonicalText(value));
    return { node, stage, name, values, same: new Set(texts).size <= 1, direction: null };
  });
}

/**
 * Metrics whose names hold what differs between runs, `distilled, 32 states` and `distilled, 16 states`, under the name that
 * they have in common: those of the same words, where every run has as many of them.
 */
function withCommonNames(maps: readonly Map<string, number | null>[]): readonly Map<string, number | null>[] {
  const words = (name: string) => name.replaceAll(/\d+(\.\d+)?/g, "…");
  const alone = maps.map((map) =>
    Map.groupBy([...map.keys()].filter((name) => !maps.every((other) => other.has(name))), words)
  );
  const renamed = maps.map(() => new Map<string, string>());
  for (const [key, { length }] of alone[0] ?? []) {
    if (alone.some((one) => one.get(key)?.length !== length)) continue;
    for (let i = 0; i < length; i++) {
      const names = alone.map((one) => one.get(key)![i]!);
      names.forEach((name, run) => renamed[run]!.set(name, commonName(names)));
    }
  }
  return maps.map((map, run) =>
    new Map([...map].map(([name, value]) => [renamed[run]!.get(name) ?? name, value]))
  );
}

/** Whether a number of an output tells once more what its node measured: `score.perplexity` of `perplexity`. */
function isTold({ name, values }: ComparedRow, rows: readonly ComparedRow[]): boolean {
  if (!name.includes(".")) return false;
  return rows.some((other) =>
    !other.name.includes(".") && other.name === nameInWords(name) &&
    other.values.every((value, run) => value === values[run])
  );
}

/** Longest text of parameters that a run is told apart by. */
const LABEL = 32;

/**
 * What tells compared runs apart: parameters of their pipeline that differ, `states 32`. Undefined where those are too many
 * to be a name, or tell some runs not apart.
 */
export function runLabels({ runs, params }: Comparison): readonly string[] | undefined {
  const differing = params.filter(({ node, same }) => node === "params" && !same);
  const labels = runs.map((_, run) =>
    differing.map(({ name, values }) => `${name} ${readableText(values[run])}`).join(", ")
  );
  const told = labels.every((label) => label !== "" && label.length <= LABEL);
  return told && new Set(labels).size === runs.length ? labels : undefined;
}

/** A metric is better the way of the headline's that has it as its last words. */
function directionOf(name: string, headlines: readonly Headline[]): ComparedRow["direction"] {
  return headlines.find((headline) => isMetricOf(headline, name.split(".").at(-1)!))?.direction ?? null;
}

/** Whether a metric measures what a headline tells: `perplexity` what `test perplexity` does. */
export function isMetricOf({ metric }: Headline, name: string): boolean {
  const words = (text: string) => ` ${text.toLowerCase().replaceAll(/[^\p{L}\p{N}]+/gu, " ").trim()} `;
  const plain = words(name.replace(/\[[^\]]*\]$/, ""));
  return words(metric).includes(plain) || plain.includes(words(metric));
}

/** Nodes of one stage that differ in a parameter in the same way stand in one row. */
function together(rows: readonly ComparedRow[]): ComparedRow[] {
  const alike = Map.groupBy(
    rows,
    ({ stage, name, values }) => canonicalText([stage, name, values.map((value) => value ?? null)]),
  );
  return [...alike.values()].map((group) =>
    group.length === 1 ? group[0]! : { ...group[0]!, node: `${group.length} nodes of ${group[0]!.stage}` }
  );
}

/** What an arm came to in each of the compared runs. */
export interface ComparedArm {
  readonly label: string;
  readonly role: ArmValue["role"];
  /** Its value as text in each run, with the setting where the runs differ in it; null where a run has none. */
  readonly values: readonly (string | null)[];
  /** From the first run's. */
  readonly changes: readonly (Difference | null)[];
  /** The changes in words. */
  readonly texts: readonly string[];
}

/** The answers of runs side by side. */
export interface ComparedAnswers {
  readonly metric: string;
  /** What the runs say, and whether that changes; null where fewer than two say anything. */
  readonly verdicts: ComparedVerdicts | null;
  readonly arms: readonly ComparedArm[];
}

/** Answers to one question side by side; undefined where they are to several, or there are fewer than two. */
export function compareAnswers(answers: readonly (RunAnswer | undefined)[]): ComparedAnswers | undefined {
  const known = answers.filter((one) => one !== undefined);
  const [first] = known;
  if (first === undefined || known.length < 2) return undefined;
  if (known.some((one) => metricText(one) !== metricText(first))) return undefined;
  // One setting in each run is compared whatever it is; of several the equal ones.
  const single = known.every(({ groups }) => groups.length === 1);
  const cells = answers.map((answer) =>
    new Map(
      answer?.groups.flatMap(({ setting, arms }) =>
        arms.map((arm) =>
          [JSON.stringify([single ? "" : setting, arm.arm]), { answer, setting, arm }] as const
        )
      ),
    )
  );
  const keys = [...new Set(cells.flatMap((map) => [...map.keys()]))];
  const arms = keys.map((key): ComparedArm => {
    const found = cells.map((map) => map.get(key));
    const one = found.find((cell) => cell !== undefined)!;
    const settings = new Set(found.flatMap((cell) => cell === undefined ? [] : [cell.setting]));
    const base = found[0]?.arm;
    const changes = found.map((cell, i) =>
      i === 0 || cell === undefined || base === undefined
        ? null
        : differenceOf(cell.arm.values, base.values, cell.answer.direction)
    );
    return {
      label: single || one.setting === "" ? one.arm.label : `${one.arm.label}, ${one.setting}`,
      role: one.arm.role,
      values: found.map((cell) =>
        cell === undefined
          ? null
          : `${spreadValue(cell.answer, cell.arm)}${
            settings.size > 1 && cell.setting !== "" && one.arm.role !== "reference"
              ? ` at ${cell.setting}`
              : ""
          }`
      ),
      changes,
      texts: changes.map((change) =>
        change === null || change.change === 0 ? "" : differenceWords(first, change)
      ),
    };
  });
  return { metric: metricText(first), verdicts: compareVerdicts(answers) ?? null, arms };
}
