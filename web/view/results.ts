import { valueText } from "../../foundation/format.ts";
import { canonicalText, type JsonValue } from "../../foundation/canonical.ts";
import { groupsOf, measuredNodes } from "../../runner/compare.ts";
import type { Records } from "../../runner/records/records.ts";
import type { NodeRecord, RunRecord } from "../../runner/records/rows.ts";
import type { VariantGroup } from "./variants.ts";
import { type Spread, spreadOfValues } from "../../foundation/spread.ts";

/** The last metrics of a stage's nodes, with repetitions over seeds in one row. */
export interface ResultTable {
  readonly stage: string;
  /** What varies between the rows. */
  readonly columns: readonly string[];
  readonly metrics: readonly string[];
  /** Names of the choices made among candidates. */
  readonly choices: readonly string[];
  readonly rows: readonly {
    readonly label: string;
    readonly values: readonly (JsonValue | undefined)[];
    readonly nodes: readonly string[];
    readonly cells: readonly (Spread | null)[];
    /** The values its nodes chose, without duplicates. */
    readonly chosen: readonly string[];
  }[];
}

/** One table per stage that has metrics. */
export function resultTables(
  records: Records,
  run: RunRecord,
  groups: readonly VariantGroup[],
): ResultTable[] {
  const measured = new Map(groupsOf(records, run).map((group) => [group.stage, group]));
  return groups.flatMap((group) => {
    const nodes = measured.get(group.stage)!.nodes;
    const metrics = [...new Set(nodes.flatMap((node) => Object.keys(node.values)))];
    const chosen = new Map(nodes.map(({ node }) => [node.name, choicesOf(records, run, node)]));
    const choices = [...new Set([...chosen.values()].flatMap((one) => [...one.keys()]))];
    if (metrics.length + choices.length === 0) return [];
    const rows = Map.groupBy(nodes, (one) => group.variants.get(one.node.name)!.label);
    return [{
      stage: group.stage,
      columns: group.columns,
      metrics,
      choices,
      rows: [...rows].map(([label, members]) => ({
        label,
        values: group.variants.get(members[0]!.node.name)!.values,
        nodes: members.map((one) => one.node.name),
        cells: metrics.map((metric) => spreadOfValues(members.map((one) => one.values[metric]))),
        chosen: choices.map((name) =>
          [...new Set(members.flatMap(({ node }) => chosen.get(node.name)!.get(name) ?? []))].join(", ")
        ),
      })),
    }];
  });
}

/** What a node chose. For a cached node, the choices are in the run that made its result. */
function choicesOf(records: Records, run: RunRecord, node: NodeRecord): Map<string, string> {
  const own = records.choices(run.id, node.name);
  const maker = own.length > 0 || node.key === null ? undefined : records.artifactsOfKey(node.key)[0];
  const found = maker === undefined ? own : records.choices(maker.run, maker.node);
  return new Map(found.map(({ name, value }) => [name, valueText(value)]));
}

/** Runs of the same pipeline with the same parameters and code and several seeds. */
export interface SeedTable {
  readonly runs: readonly { readonly id: string; readonly seed: number }[];
  readonly rows: readonly { readonly node: string; readonly metric: string; readonly spread: Spread }[];
}

/** Maximum number of earlier runs searched, and of seeds used. */
const SEARCHED = 300, TAKEN = 30;

/**
 * How the numbers of a run vary with its seed: compares runs that differ in nothing else. Undefined if there are none.
 * Nodes whose code differs between the runs are omitted.
 */
export function acrossSeeds(records: Records, run: RunRecord): SeedTable | undefined {
  const params = canonicalText(run.params);
  const others = new Map<number, RunRecord>();
  for (const other of records.runs({ pipeline: run.pipeline, status: "done", limit: SEARCHED })) {
    if (other.seed === run.seed || others.has(other.seed) || canonicalText(other.params) !== params) continue;
    if (others.size < TAKEN) others.set(other.seed, other);
  }
  if (others.size === 0) return undefined;
  const runs = [run, ...others.values()].sort((a, b) => a.seed - b.seed);
  const measured = runs.map((one) =>
    new Map(measuredNodes(records, one).map((node) => [node.node.name, node]))
  );
  const code = (key: string | null) =>
    key === null ? undefined : records.artifactsOfKey(key)[0]?.components.code.digest;
  const rows: { node: string; metric: string; spread: Spread }[] = [];
  for (const [name, first] of measured[0]!) {
    const same = measured.map((nodes) => nodes.get(name));
    const digest = code(first.node.key);
    if (digest === undefined || same.some((one) => one === undefined || code(one.node.key) !== digest)) {
      continue;
    }
    for (const metric of Object.keys(first.values)) {
      const spread = spreadOfValues(same.map((one) => one!.values[metric]));
      if (spread !== null && spread.n === runs.length && spread.min !== spread.max) {
        rows.push({ node: name, metric, spread });
      }
    }
  }
  return rows.length === 0 ? undefined : { runs: runs.map(({ id, seed }) => ({ id, seed })), rows };
}
