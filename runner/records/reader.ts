import type { Digest, JsonObject, JsonValue } from "../../foundation/canonical.ts";
import { type PipelineQuestion, readAsked } from "../headline.ts";
import { artifactFromRow, NEWEST_OF_DIGEST } from "./artifact_rows.ts";
import { RecordsDatabase } from "./database.ts";
import { EARLIER_QUERIES, earlierFromRow, type EarlierResult, type RawEarlier } from "./earlier.ts";
import { runCondition, type RunFilter, runFilter } from "./filter.ts";
import {
  type Annotation,
  annotationFromRow,
  type ArmRecord,
  type ArtifactRecord,
  type AttemptRecord,
  type ChoiceRecord,
  type EdgeRecord,
  type LastValue,
  type ListedRun,
  type MetricRecord,
  NO_ANNOTATION,
  nodeFromRow,
  type NodeRecord,
  type NodeState,
  type PlaceRecord,
  type ProgressRecord,
  type RawAnnotation,
  type RawArtifact,
  type RawNode,
  type RawRun,
  runFromRow,
  type RunRecord,
} from "./rows.ts";

/** Queries on the run records of a store: runs, nodes, metrics, results and their lineage. */
export class RecordReader implements Disposable {
  protected readonly database: RecordsDatabase;

  /**
   * @param options.copy works on a temporary copy, for read-only stores.
   * @throws RetortError when the database cannot be opened.
   */
  constructor(store: { readonly root: string }, options: { readOnly?: boolean; copy?: boolean } = {}) {
    this.database = new RecordsDatabase(`${store.root}/records.sqlite`, options);
  }

  [Symbol.dispose](): void {
    this.close();
  }

  /** Closes the database; idempotent. */
  close(): void {
    this.database[Symbol.dispose]();
  }

  /** The summary of an artifact, made when a run returned it. */
  summary(digest: Digest): string | undefined {
    return this.database.all<{ text: string }>("SELECT text FROM summaries WHERE digest = ?", digest)[0]
      ?.text;
  }

  /** What a run answers; undefined where its pipeline does not say. */
  question(run: string): PipelineQuestion | undefined {
    if (!this.#has("questions")) return undefined;
    const row = this.database.all<{ question: string; headline: string | null }>(
      "SELECT question, headline FROM questions WHERE run = ?",
      run,
    )[0];
    return row && readAsked(row.question, row.headline === null ? null : JSON.parse(row.headline));
  }

  /** What the nodes of a run are called where arms are compared, those that are called so, in the order of its graph. */
  arms(run: string): ArmRecord[] {
    if (!this.#has("arms")) return [];
    return this.database.all(
      `SELECT a.node, a.arm, a.setting FROM arms a LEFT JOIN nodes n ON n.run = a.run AND n.name = a.node
       WHERE a.run = ? ORDER BY n.position, a.node`,
      run,
    );
  }

  /** What a node's execution chose. */
  choices(run: string, node: string): ChoiceRecord[] {
    if (!this.#has("choices")) return [];
    return this.database.all<ChoiceRecord & { value: string }>(
      "SELECT node, name, value FROM choices WHERE run = ? AND node = ? ORDER BY name",
      run,
      node,
    ).map((row) => ({ ...row, value: JSON.parse(row.value) }));
  }

  /** Executions of a run's nodes that failed or were tried again, in the order of its graph. */
  attempts(run: string): AttemptRecord[] {
    return !this.#has("attempts") ? [] : this.database.all<AttemptRecord>(
      `SELECT a.node, a.attempt, a.started, a.seconds, a.cause, a.code, a.error, a.log
       FROM attempts a JOIN nodes n ON n.run = a.run AND n.name = a.node
       WHERE a.run = ? ORDER BY n.position, a.attempt`,
      run,
    );
  }

  /** Where nodes of a run ran, where that is known. */
  places(run: string): PlaceRecord[] {
    const text = "SELECT node, host, worker, waited, used, memory, time FROM places WHERE run = ?";
    return this.#has("places") ? this.database.all(text, run) : [];
  }

  /** Whether there is a table: records that could not be brought up to date lack the newest. */
  #has(table: string): boolean {
    if (this.#tables.has(table)) return true;
    const found = this.database.all("SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = ?", table);
    if (found.length > 0) this.#tables.add(table);
    return found.length > 0;
  }
  /** Tables that were found; one that is missing may still be made. */
  readonly #tables = new Set<string>();

  /** True when a result is in the records. */
  hasResult(key: Digest): boolean {
    return this.database.all("SELECT 1 FROM results WHERE key = ?", key).length > 0;
  }

  /** Whether the tables are there that later versions of the schema added for lists. */
  hasLists(): boolean {
    return this.#has("annotations");
  }

  /** Runs, newest first. */
  runs(options: RunFilter & { limit?: number; offset?: number } = {}): RunRecord[] {
    const rows = this.database.all<RawRun>(
      `SELECT * FROM runs WHERE ${this.#condition()} ORDER BY started DESC, id DESC LIMIT ?6 OFFSET ?7`,
      ...runFilter(options),
      options.limit ?? -1,
      options.offset ?? 0,
    );
    return rows.map(runFromRow);
  }

  /** Number of runs that match a filter. */
  countRuns(options: RunFilter = {}): number {
    return this.database.all<{ n: number }>(
      `SELECT count(*) AS n FROM runs WHERE ${this.#condition()}`,
      ...runFilter(options),
    )[0]!
      .n;
  }

  #condition(): string {
    return runCondition(this.hasLists());
  }

  /** What a list tells of the runs that fit, newest first. */
  listedRuns(options: RunFilter = {}): ListedRun[] {
    return this.database.all<ListedRun>(
      `SELECT id, pipeline, status, started, ended, seed FROM runs WHERE ${this.#condition()}
       ORDER BY started DESC, id DESC`,
      ...runFilter(options),
    );
  }

  /** Parameters of all runs, by their ids. */
  paramsOfRuns(): Map<string, JsonObject> {
    return new Map(
      this.database.all<{ id: string; params: string }>("SELECT id, params FROM runs")
        .map(({ id, params }) => [id, JSON.parse(params)]),
    );
  }

  /** What people say of runs, by their ids. */
  annotations(): Map<string, Annotation> {
    if (!this.hasLists()) return new Map();
    return new Map(
      this.database.all<RawAnnotation>("SELECT * FROM annotations").map((
        row,
      ) => [row.run, annotationFromRow(row)]),
    );
  }

  /** What people say of one run. */
  annotation(run: string): Annotation {
    if (!this.hasLists()) return NO_ANNOTATION;
    const row = this.database.all<RawAnnotation>("SELECT * FROM annotations WHERE run = ?", run)[0];
    return row === undefined ? NO_ANNOTATION : annotationFromRow(row);
  }

  /** What a metric of a stage came to in all runs: a node that was found in the store has what the run that made it recorded. */
  lastValues(stage: string, metric: string): LastValue[] {
    if (!this.hasLists()) return [];
    return this.database.all<Omit<LastValue, "params"> & { params: string }>(
      // Each result is looked up once: many runs found the same one, and rows of results are long.
      `WITH measured AS MATERIALIZED (
         SELECT n.run, n.name AS node, n.params, n.position, own.value,
           CASE WHEN own.run IS NULL AND n.state IN ('ran', 'cached') THEN n.key END AS found
         FROM nodes n LEFT JOIN last_metrics own ON own.run = n.run AND own.node = n.name AND own.name = ?2
         WHERE n.stage = ?1
       ), made AS MATERIALIZED (
         SELECT r.key, m.value FROM (SELECT DISTINCT found FROM measured) one JOIN results r ON r.key = one.found
         JOIN last_metrics m ON m.run = r.run AND m.node = r.node AND m.name = ?2
       )
       SELECT measured.run, measured.node, measured.params, coalesce(measured.value, made.value) AS value
       FROM measured LEFT JOIN made ON made.key = measured.found
       WHERE coalesce(measured.value, made.value) IS NOT NULL ORDER BY measured.run, measured.position`,
      stage,
      metric,
    ).map(({ run, node, value, params }) => ({
      run,
      node,
      value,
      // Lists of thousands of values look at none of them.
      get params() {
        return JSON.parse(params) as JsonObject;
      },
    }));
  }

  /** Which metrics which stages have, in the runs of a pipeline or in all. */
  metricNames(pipeline?: string): { stage: string; name: string }[] {
    if (!this.hasLists()) return [];
    return this.database.all(
      `SELECT DISTINCT n.stage, m.name FROM last_metrics m JOIN nodes n ON n.run = m.run AND n.name = m.node
       WHERE ?1 IS NULL OR m.run IN (SELECT id FROM runs WHERE pipeline = ?1) ORDER BY n.stage, m.name`,
      pipeline ?? null,
    );
  }

  /** Values that are small enough to be facts of an artifact, of the outputs that all runs returned under a name. */
  outputValues(name: string): { run: string; value: JsonValue }[] {
    return this.database.all<{ run: string; value: string }>(
      `SELECT o.run, json_extract(a.manifest, '$.facts') AS value FROM run_outputs o
       JOIN nodes n ON n.run = o.run AND n.name = o.node AND n.state IN ('ran', 'cached')
       JOIN artifacts a ON a.key = n.key AND a.output = o.output
       WHERE o.name = ?1 AND json_type(a.manifest, '$.facts.value') IS NOT NULL`,
      name,
    ).map(({ run, value }) => ({ run, value: JSON.parse(value).value }));
  }

  /** Names under which the runs of a pipeline, or all, return outputs. */
  outputNames(pipeline?: string): string[] {
    return this.database.all<{ name: string }>(
      `SELECT DISTINCT name FROM run_outputs
       WHERE ?1 IS NULL OR run IN (SELECT id FROM runs WHERE pipeline = ?1) ORDER BY name`,
      pipeline ?? null,
    ).map((row) => row.name);
  }

  /** Names of all pipelines that ran. */
  pipelines(): string[] {
    return this.database.all<{ pipeline: string }>("SELECT DISTINCT pipeline FROM runs ORDER BY pipeline")
      .map((row) => row.pipeline);
  }

  /** How many nodes of a run are in each state. */
  nodeStates(run: string): Partial<Record<NodeState, number>> {
    const rows = this.database.all<{ state: NodeState; n: number }>(
      "SELECT state, count(*) AS n FROM nodes WHERE run = ? GROUP BY state ORDER BY state",
      run,
    );
    return Object.fromEntries(rows.map((row) => [row.state, row.n]));
  }

  /** Runs whose id begins with `prefix`, newest first. */
  findRuns(prefix: string): RunRecord[] {
    return this.database.all<RawRun>(
      "SELECT * FROM runs WHERE substr(id, 1, ?) = ? ORDER BY started DESC",
      prefix.length,
      prefix,
    )
      .map(runFromRow);
  }

  /** Nodes of a run in the order of its graph. */
  nodes(run: string): NodeRecord[] {
    return this.database.all<RawNode>("SELECT * FROM nodes WHERE run = ? ORDER BY position", run).map(
      nodeFromRow,
    );
  }

  /** Names and states of the nodes of a run in the order of its graph. */
  nodeStatesByName(run: string): [name: string, state: NodeState][] {
    return this.database.all<{ name: string; state: NodeState }>(
      "SELECT name, state FROM nodes WHERE run = ? ORDER BY position",
      run,
    ).map((row) => [row.name, row.state]);
  }

  /** Edges of a run's graph. */
  edges(run: string): EdgeRecord[] {
    return this.database.all(
      "SELECT node, input, source, output FROM edges WHERE run = ? ORDER BY rowid",
      run,
    );
  }

  /** Returned outputs of a run. */
  runOutputs(run: string): { name: string; node: string; output: string }[] {
    return this.database.all("SELECT name, node, output FROM run_outputs WHERE run = ? ORDER BY name", run);
  }

  /** Metrics of a run, in the order of nodes, names and steps. */
  metrics(run: string): MetricRecord[] {
    return this.database.all(
      "SELECT node, name, step, value, time FROM metrics WHERE run = ? ORDER BY node, name, step, time",
      run,
    );
  }

  /**
   * What the metrics of a node's execution came to: of each name the last value that was told without a step, which is
   * the stage's own word on its result, else the last one of its curve. The run that computed a result recorded them.
   */
  lastMetrics(run: string, node: string): MetricRecord[] {
    return this.database.all(
      `SELECT m.node, m.name, m.step, m.value, m.time FROM metrics m
       JOIN (
         SELECT coalesce(max(CASE WHEN step IS NULL THEN rowid END), max(rowid)) AS last
         FROM metrics WHERE run = ?1 AND node = ?2 GROUP BY name
       ) l
       ON m.rowid = l.last ORDER BY m.name`,
      run,
      node,
    );
  }

  /** The metrics of a result by name and step, from all runs that worked on it: a run that was killed, the one that went on. */
  metricsOfKey(key: Digest): MetricRecord[] {
    return this.database.all(
      `SELECT m.node, m.name, m.step, m.value, max(m.time) AS time FROM nodes n
       JOIN metrics m ON m.run = n.run AND m.node = n.name
       WHERE n.key = ? GROUP BY m.name, m.step ORDER BY m.name, m.step, m.time`,
      key,
    );
  }

  /** Metrics of a run that were recorded after a position, with the position of the last: what a live view adds. */
  metricsSince(run: string, position: number): { position: number; metrics: MetricRecord[] } {
    // The plus avoids the index of runs: few rows follow a position, but a run may have many.
    const rows = this.database.all<MetricRecord & { position: number }>(
      `SELECT rowid AS position, node, name, step, value, time FROM metrics
       WHERE rowid > ? AND +run = ? ORDER BY rowid`,
      position,
      run,
    );
    return { position: rows.at(-1)?.position ?? position, metrics: rows };
  }

  /** The position of the newest metric: the start for `metricsSince`. */
  lastMetricPosition(): number {
    return this.database.all<{ last: number | null }>("SELECT max(rowid) AS last FROM metrics")[0]!.last ??
      0;
  }

  /** The latest progress that the nodes of a run reported. */
  progress(run: string): ProgressRecord[] {
    return this.database.all("SELECT node, done, total, unit, time FROM progress WHERE run = ?", run);
  }

  /** Seconds of the execution that made a result; undefined when no run recorded it. */
  secondsOfKey(key: Digest): number | undefined {
    return this.database.all<{ seconds: number | null }>(
      "SELECT max(seconds) AS seconds FROM nodes WHERE key = ? AND state = 'ran'",
      key,
    )[0]?.seconds ?? undefined;
  }

  /** A number that changes when another process writes to the records. */
  version(): number {
    return this.database.all<{ data_version: number }>("PRAGMA data_version")[0]!.data_version;
  }

  /** The newest results of a node of a pipeline, at most 20, newest first. */
  resultsOfNode(stage: string, pipeline: string, node: string): EarlierResult[] {
    return this.database.all<RawEarlier>(EARLIER_QUERIES.node, stage, pipeline, node)
      .map(earlierFromRow);
  }

  /** The newest results of a stage in a pipeline, whatever the node, at most 20, newest first. */
  resultsOfStage(stage: string, pipeline: string): EarlierResult[] {
    return this.database.all<RawEarlier>(EARLIER_QUERIES.stage, stage, pipeline)
      .map(earlierFromRow);
  }

  /**
   * The newest artifact of each digest that begins with `prefix`, newest first.
   *
   * @param except a result that is left out: what else made the same bytes.
   */
  artifactsByDigest(prefix: string, except?: Digest): ArtifactRecord[] {
    return this.#artifacts(NEWEST_OF_DIGEST, prefix, except ?? null);
  }

  /** Artifacts of a result. */
  artifactsOfKey(key: Digest): ArtifactRecord[] {
    return this.#artifacts("a.key = ?1", key);
  }

  #artifacts(condition: string, ...values: (string | null)[]): ArtifactRecord[] {
    return this.database.all<RawArtifact>(
      `SELECT a.key, a.output, a.manifest, r.stage, r.node, r.pipeline, r.run, r.components, r.created
       FROM artifacts a JOIN results r ON r.key = a.key WHERE ${condition} ORDER BY r.created DESC, a.output`,
      ...values,
    ).map(artifactFromRow);
  }
}
