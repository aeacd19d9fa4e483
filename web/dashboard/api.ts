import { CallError, RetortError } from "../../foundation/errors.ts";
import type { RunAnswer } from "../../runner/answer.ts";
import { recordedAnswer } from "../../runner/recorded_answer.ts";
import {
  compareAnswers,
  type ComparedAnswers,
  compareRuns,
  type Comparison,
  runLabels,
} from "../../runner/compare.ts";
import type { Records } from "../../runner/records/records.ts";
import type { Annotation, RunRecord } from "../../runner/records/rows.ts";
import { type Lineage, lineageOf, resolveArtifact, resolveRun } from "../../runner/references.ts";
import { artifactReader, artifactSize } from "../../runner/store/artifacts.ts";
import { type Standing, standingOf } from "./standing.ts";
import type { Store } from "../../runner/store/store.ts";
import type { Chart, Series } from "../view/curves.ts";
import { type LogPiece, readLog } from "../view/log.ts";
import { type FilePreview, previewArtifact } from "../view/preview.ts";
import { type Reproduction, reproduction } from "../view/reproduce.ts";
import { acrossSeeds, type SeedTable } from "../view/results.ts";
import { type ArtifactView, type RunView, viewRun } from "../view/run.ts";
import { type TimeLeft, timeLeft } from "../view/left.ts";
import { isShownInWords, type ShownTable } from "../view/shown_tables.ts";
import { wordsFor } from "../view/vocabulary.ts";
import { type Explorable, explorable } from "../explorer/explorable.ts";
import { nodesBeside } from "./beside.ts";
import { WrongQuestion } from "./wrong_question.ts";

/** A run, and how to reproduce it. */
export interface RunPageData {
  readonly view: RunView;
  /** The run's answer to its pipeline's question; null if there is none yet. */
  readonly answer: RunAnswer | null;
  /** Outputs that are shown as tables for people. */
  readonly tables: readonly { readonly name: string; readonly tables: readonly ShownTable[] }[];
  readonly how: Reproduction;
  readonly annotation: Annotation;
  /** Estimated remaining time of a running run, if known. */
  readonly left: TimeLeft | null;
  /** Seconds since 1970 by the dashboard's clock. */
  readonly now: number;
}

/** Data of a run's page. */
export async function runPage(store: Store, records: Records, id: string): Promise<RunPageData> {
  const now = Date.now() / 1000;
  const view = viewRun(store, records, resolveRun(records, id));
  return {
    view,
    answer: await recordedAnswer(store, records, view.run.id) ?? null,
    tables: await outputTables(store, records, view),
    how: reproduction(view.run),
    annotation: records.annotation(view.run.id),
    left: view.status === "running"
      ? timeLeft(view.nodes, view.nodes.flatMap(({ progress }) => progress ?? []), now) ?? null
      : null,
    now,
  };
}

async function outputTables(store: Store, records: Records, view: RunView): Promise<RunPageData["tables"]> {
  const asked = records.question(view.run.id)?.headline?.values.map(({ output }) => output) ?? [];
  const nodes = new Map(view.nodes.map((node) => [node.name, node]));
  const found: { name: string; tables: ShownTable[] }[] = [];
  for (const { name, node, output } of view.outputs) {
    const artifact = nodes.get(node)?.outputs.find((one) => one.output === output);
    if (artifact === undefined || !isShownInWords(artifact)) continue;
    const previews = await previewArtifact(store, artifact);
    const tables = previews.flatMap(({ preview }) => preview.kind === "value" ? preview.tables ?? [] : []);
    if (tables.length > 0) found.push({ name, tables });
  }
  return found.sort((a, b) => Number(asked.includes(b.name)) - Number(asked.includes(a.name)));
}

/** Variation across seeds for a run. */
export function seedsOf(records: Records, id: string): SeedTable | null {
  return acrossSeeds(records, resolveRun(records, id)) ?? null;
}

/** A piece of a node's log: from a given position, or the last piece before it. */
export function logPiece(store: Store, records: Records, query: URLSearchParams): LogPiece {
  const path = logPath(records, query.get("run") ?? "", query.get("node") ?? "");
  const from = query.get("from");
  const before = query.get("before");
  if (from !== null) return readLog(store, path, { from: position(from) });
  return readLog(store, path, { before: before === null ? Infinity : position(before) });
}

/** Path of a node's log relative to the store; empty if the node has none. */
export function logPath(records: Records, run: string, node: string): string {
  const found = records.nodes(resolveRun(records, run).id).find((one) => one.name === node);
  if (found === undefined) throw new CallError("page/not-found", `run ${run} has no node ${node}`);
  return found.log ?? "";
}

function position(text: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < 0) {
    throw new WrongQuestion("page/argument", `${text} is not a position`);
  }
  return value;
}

/** An artifact with its preview and lineage. */
export interface ArtifactPageData {
  readonly artifact: ArtifactView;
  readonly node: string;
  readonly stage: string;
  readonly pipeline: string;
  readonly run: string;
  readonly created: number;
  readonly previews: readonly FilePreview[];
  readonly summary: string | null;
  readonly lineage: Lineage;
  readonly standing: Standing;
  /** What can be asked of it on the explorer's page. */
  readonly explorable: Explorable | null;
}

/** Data of an artifact's page. */
export async function artifactPage(
  store: Store,
  records: Records,
  digest: string,
): Promise<ArtifactPageData> {
  const record = resolveArtifact(records, digest);
  const { artifact } = record;
  const beside = nodesBeside(store, records, record);
  const standing = standingOf(store, records, [record]);
  return {
    artifact: {
      output: record.output,
      ...artifact,
      bytes: artifactSize(artifact),
    },
    node: record.node,
    stage: record.stage,
    pipeline: record.pipeline,
    run: record.run,
    created: record.created,
    previews: standing.dropped.length > 0 ? [] : await previewArtifact(
      store,
      artifact,
      beside && await wordsFor(store, beside.nodes, beside.node),
    ),
    summary: records.summary(artifact.digest) ?? null,
    lineage: lineageOf(records, record),
    standing,
    explorable: beside === undefined ? null : explorable(beside.nodes, beside.node, artifact),
  };
}

/**
 * The bytes of one file of an artifact. Files are looked up among the artifact's own file names, so no path is built
 * from user input. Data outside the store is not served.
 */
export async function artifactFile(
  store: Store,
  records: Records,
  digest: string,
  name: string,
): Promise<Uint8Array<ArrayBuffer>> {
  const { artifact } = resolveArtifact(records, digest);
  const file = artifact.files.find((one) => one.name === name);
  if (file === undefined) {
    throw new CallError("page/not-found", `artifact ${artifact.digest.slice(0, 12)} has no file ${name}`);
  }
  if (file.location !== undefined) {
    throw new CallError("page/not-given", "data outside the store is not served");
  }
  if (file.size > 256 << 20) {
    throw new RetortError("page/not-given", `${name} is too large for a browser`, {
      hint: "Use `deno task export`.",
    });
  }
  return await artifactReader(store.blobs, artifact).bytes(name);
}

/** Runs side by side, with their curves in one chart. */
export interface ComparePageData {
  readonly comparison: Comparison;
  /** What tells each run apart; null where only their ids do. */
  readonly labels: readonly string[] | null;
  /** The runs' answers, if they answer the same question. */
  readonly answers: ComparedAnswers | null;
  readonly charts: readonly Chart[];
}

/** Maximum number of runs compared at once. */
const COMPARED = 8;

/** Data of the comparison page. */
export async function comparePage(
  store: Store,
  records: Records,
  ids: readonly string[],
): Promise<ComparePageData> {
  if (ids.length < 2) throw new WrongQuestion("page/argument", "a comparison needs at least two runs");
  if (ids.length > COMPARED) {
    throw new WrongQuestion("page/argument", `at most ${COMPARED} runs are compared at once`);
  }
  const runs = ids.map((id) => resolveRun(records, id));
  const answers = await Promise.all(runs.map((run) => recordedAnswer(store, records, run.id)));
  const comparison = compareRuns(records, runs);
  const labels = runLabels(comparison) ?? null;
  return {
    comparison,
    labels,
    answers: compareAnswers(answers) ?? null,
    charts: overlaid(store, records, runs, labels ?? ids),
  };
}

/** Charts that more than one run has, each curve labelled by what its run is called. */
function overlaid(
  store: Store,
  records: Records,
  runs: readonly RunRecord[],
  names: readonly string[],
): Chart[] {
  const merged = new Map<string, { chart: Chart; series: Series[]; runs: Set<string> }>();
  for (const [i, run] of runs.entries()) {
    for (const chart of viewRun(store, records, run).charts) {
      const key = JSON.stringify([chart.stage, chart.metric]);
      const found = merged.get(key) ?? { chart, series: [], runs: new Set() };
      found.runs.add(run.id);
      for (const one of chart.series) {
        const variant = one.label === chart.metric ? "" : `, ${one.label}`;
        found.series.push({ ...one, label: `${names[i]}${variant}` });
      }
      merged.set(key, found);
    }
  }
  return [...merged.values()].filter((one) => one.runs.size > 1).map(({ chart, series }) => ({
    ...chart,
    series,
  }));
}
