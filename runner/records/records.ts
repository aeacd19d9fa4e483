import type { DatabaseSync, SQLInputValue } from "node:sqlite";
import type { Digest, JsonObject } from "../../foundation/canonical.ts";
import type { Artifact } from "../codec.ts";
import type { Environment } from "../environment.ts";
import type { CachedFingerprint, FingerprintCache } from "../fingerprint.ts";
import type { KeyComponents, Reason } from "../key.ts";
import type { FileDigestCache } from "../locate.ts";
import { artifactFromJson, artifactJson } from "../store/artifacts.ts";
import type { NodeResult } from "../store/store.ts";
import { EARLIER_QUERIES, earlierFromRow, type EarlierResult, type RawEarlier } from "./earlier.ts";
import { RUN_FILTER, type RunFilter, runFilter } from "./filter.ts";
import { databaseFault, openDatabase, rollBack } from "./schema.ts";

/** How a run ended, or that it has not. */
export type RunStatus = "running" | "done" | "failed" | "interrupted";

/** Where a node is in a run, or how it ended. `unused`: the run stopped before it was its turn. */
export type NodeState =
  | "pending"
  | "running"
  | "cached"
  | "ran"
  | "failed"
  | "skipped"
  | "interrupted"
  | "unused";

/** A run as recorded. Times in seconds since 1970. */
export interface RunRecord {
  readonly id: string;
  readonly pipeline: string;
  readonly file: string;
  readonly command: string;
  readonly params: JsonObject;
  readonly seed: number;
  readonly status: RunStatus;
  readonly started: number;
  readonly ended: number | null;
  readonly environment: Environment;
  readonly pid: number;
}

/** A node of a run as recorded. */
export interface NodeRecord {
  readonly run: string;
  readonly position: number;
  readonly name: string;
  readonly stage: string;
  readonly params: JsonObject;
  readonly state: NodeState;
  readonly key: Digest | null;
  readonly reasons: readonly Reason[];
  readonly started: number | null;
  readonly seconds: number | null;
  /** Path of the log, relative to the store. */
  readonly log: string | null;
  readonly error: string | null;
  readonly engine: { readonly engine: string; readonly adapter?: string } | null;
}

/** A metric as recorded. */
export interface MetricRecord {
  readonly node: string;
  readonly name: string;
  readonly step: number | null;
  readonly value: number | null;
  readonly time: number;
}

/** How far a node of a run has come. */
export interface ProgressRecord {
  readonly node: string;
  readonly done: number;
  readonly total: number | null;
  readonly unit: string | null;
  readonly time: number;
}

/** An edge of a run's graph. */
export interface EdgeRecord {
  readonly node: string;
  readonly input: string;
  readonly source: string;
  readonly output: string;
}

/** An artifact with what made it. */
export interface ArtifactRecord {
  readonly key: Digest;
  readonly output: string;
  readonly artifact: Artifact;
  readonly stage: string;
  readonly node: string;
  readonly pipeline: string;
  readonly run: string;
  readonly components: KeyComponents;
  readonly created: number;
}

/** The run records of a store: runs, nodes, metrics, results and their lineage, in SQLite. */
export class Records implements Disposable {
  readonly #database: DatabaseSync;
  readonly #path: string;
  readonly #statements = new Map<string, ReturnType<DatabaseSync["prepare"]>>();

  /**
   * @param options.copy works on a copy that goes with the process, as a read-only store needs it.
   * @throws RetortError when the database cannot be opened.
   */
  constructor(store: { readonly root: string }, options: { readOnly?: boolean; copy?: boolean } = {}) {
    this.#path = `${store.root}/records.sqlite`;
    this.#database = openDatabase(this.#path, options);
  }

  [Symbol.dispose](): void {
    this.close();
  }

  /** Closes the database; a second call does nothing. */
  close(): void {
    this.#statements.clear();
    if (this.#database.isOpen) this.#database.close();
  }

  #prepare(sql: string) {
    let statement = this.#statements.get(sql);
    if (statement === undefined) this.#statements.set(sql, statement = this.#database.prepare(sql));
    return statement;
  }

  #run(sql: string, ...values: SQLInputValue[]): void {
    try {
      this.#prepare(sql).run(...values);
    } catch (error) {
      throw databaseFault(error, this.#path);
    }
  }

  #all<T>(sql: string, ...values: SQLInputValue[]): T[] {
    try {
      return this.#prepare(sql).all(...values) as T[];
    } catch (error) {
      throw databaseFault(error, this.#path);
    }
  }

  /** Does all of `action`'s writes or none. */
  transaction<T>(action: () => T): T {
    try {
      this.#database.exec("BEGIN IMMEDIATE");
    } catch (error) {
      throw databaseFault(error, this.#path);
    }
    try {
      const value = action();
      this.#database.exec("COMMIT");
      return value;
    } catch (error) {
      rollBack(this.#database);
      throw databaseFault(error, this.#path);
    }
  }

  /** Records that a run began. */
  beginRun(run: RunRecord): void {
    this.#run(
      "INSERT INTO runs VALUES (?,?,?,?,?,?,?,?,?,?,?)",
      ...[run.id, run.pipeline, run.file, run.command, JSON.stringify(run.params), run.seed, run.status],
      ...[run.started, run.ended, JSON.stringify(run.environment), run.pid],
    );
  }

  /** Records how a run ended. */
  endRun(id: string, status: RunStatus, ended: number): void {
    this.#run("UPDATE runs SET status = ?, ended = ? WHERE id = ?", status, ended, id);
  }

  /** Records of all nodes of a run that are pending that it was not their turn. */
  leavePending(run: string): void {
    this.#run("UPDATE nodes SET state = 'unused' WHERE run = ? AND state = 'pending'", run);
  }

  /** Records edges of a run's graph. */
  addEdges(run: string, edges: readonly EdgeRecord[]): void {
    for (const edge of edges) {
      this.#run("INSERT INTO edges VALUES (?,?,?,?,?)", run, edge.node, edge.input, edge.source, edge.output);
    }
  }

  /** Records which nodes' outputs a run returns. */
  addRunOutput(run: string, name: string, node: string, output: string): void {
    this.#run("INSERT INTO run_outputs VALUES (?,?,?,?)", run, name, node, output);
  }

  /** Records the state of a node of a run, replacing what was recorded. */
  putNode(node: NodeRecord): void {
    this.#run(
      "INSERT OR REPLACE INTO nodes VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?)",
      ...[node.run, node.position, node.name, node.stage, JSON.stringify(node.params), node.state, node.key],
      ...[JSON.stringify(node.reasons), node.started, node.seconds, node.log, node.error],
      node.engine === null ? null : JSON.stringify(node.engine),
    );
  }

  /** Records metrics of a run. NaN and infinities are kept as null. */
  addMetrics(run: string, metrics: readonly MetricRecord[]): void {
    for (const m of metrics) {
      const value = m.value !== null && Number.isFinite(m.value) ? m.value : null;
      this.#run("INSERT INTO metrics VALUES (?,?,?,?,?,?)", run, m.node, m.name, m.step, value, m.time);
    }
  }

  /** Records how far a node has come, replacing what was recorded. */
  putProgress(run: string, p: ProgressRecord): void {
    this.#run(
      "INSERT OR REPLACE INTO progress VALUES (?,?,?,?,?,?)",
      run,
      p.node,
      p.done,
      p.total,
      p.unit,
      p.time,
    );
  }

  /** Records a result with its artifacts; its components say what they were made from. */
  addResult(result: NodeResult, pipeline: string): void {
    const created = Date.parse(result.finished) / 1000;
    this.#run("DELETE FROM results WHERE key = ?", result.key);
    this.#run(
      "INSERT INTO results VALUES (?,?,?,?,?,?,?)",
      ...[
        result.key,
        result.stage,
        result.node,
        pipeline,
        result.run,
        JSON.stringify(result.components),
        created,
      ],
    );
    for (const [output, artifact] of Object.entries(result.outputs)) {
      const manifest = JSON.stringify(artifactJson(artifact, { locations: true }));
      this.#run("INSERT INTO artifacts VALUES (?,?,?,?)", result.key, output, artifact.digest, manifest);
    }
  }

  /** Keeps what a codec says of an artifact. */
  putSummary(digest: Digest, text: string): void {
    this.#run("INSERT OR REPLACE INTO summaries VALUES (?,?)", digest, text);
  }

  /** What a codec said of an artifact when a run returned it. */
  summary(digest: Digest): string | undefined {
    return this.#all<{ text: string }>("SELECT text FROM summaries WHERE digest = ?", digest)[0]?.text;
  }

  /** True when a result is in the records. */
  hasResult(key: Digest): boolean {
    return this.#all("SELECT 1 FROM results WHERE key = ?", key).length > 0;
  }

  /** Forgets results and their artifacts. */
  dropResults(keys: Iterable<Digest>): void {
    for (const key of keys) this.#run("DELETE FROM results WHERE key = ?", key);
  }

  /** Forgets whole runs. */
  dropRuns(ids: Iterable<string>): void {
    for (const id of ids) this.#run("DELETE FROM runs WHERE id = ?", id);
  }

  /** Runs, newest first. `text` stands anywhere in the id, the pipeline or the command. */
  runs(options: RunFilter & { limit?: number; offset?: number } = {}): RunRecord[] {
    const rows = this.#all<RawRun>(
      `SELECT * FROM runs WHERE ${RUN_FILTER} ORDER BY started DESC, id DESC LIMIT ?4 OFFSET ?5`,
      ...runFilter(options),
      options.limit ?? -1,
      options.offset ?? 0,
    );
    return rows.map(runFromRow);
  }

  /** How many runs fit. */
  countRuns(options: RunFilter = {}): number {
    return this.#all<{ n: number }>(
      `SELECT count(*) AS n FROM runs WHERE ${RUN_FILTER}`,
      ...runFilter(options),
    )[0]!
      .n;
  }

  /** Names of all pipelines that ran. */
  pipelines(): string[] {
    return this.#all<{ pipeline: string }>("SELECT DISTINCT pipeline FROM runs ORDER BY pipeline")
      .map((row) => row.pipeline);
  }

  /** How many nodes of a run are in each state. */
  nodeStates(run: string): Partial<Record<NodeState, number>> {
    const rows = this.#all<{ state: NodeState; n: number }>(
      "SELECT state, count(*) AS n FROM nodes WHERE run = ? GROUP BY state ORDER BY state",
      run,
    );
    return Object.fromEntries(rows.map((row) => [row.state, row.n]));
  }

  /** Runs whose id begins with `prefix`, newest first. */
  findRuns(prefix: string): RunRecord[] {
    return this.#all<RawRun>(
      "SELECT * FROM runs WHERE substr(id, 1, ?) = ? ORDER BY started DESC",
      prefix.length,
      prefix,
    )
      .map(runFromRow);
  }

  /** Nodes of a run in the order of its graph. */
  nodes(run: string): NodeRecord[] {
    return this.#all<RawNode>("SELECT * FROM nodes WHERE run = ? ORDER BY position", run).map(nodeFromRow);
  }

  /** Names and states of the nodes of a run in the order of its graph. */
  nodeStatesByName(run: string): [name: string, state: NodeState][] {
    return this.#all<{ name: string; state: NodeState }>(
      "SELECT name, state FROM nodes WHERE run = ? ORDER BY position",
      run,
    ).map((row) => [row.name, row.state]);
  }

  /** Edges of a run's graph. */
  edges(run: string): EdgeRecord[] {
    return this.#all("SELECT node, input, source, output FROM edges WHERE run = ? ORDER BY rowid", run);
  }

  /** Returned outputs of a run. */
  runOutputs(run: string): { name: string; node: string; output: string }[] {
    return this.#all("SELECT name, node, output FROM run_outputs WHERE run = ? ORDER BY name", run);
  }

  /** Metrics of a run, in the order of nodes, names and steps. */
  metrics(run: string): MetricRecord[] {
    return this.#all(
      "SELECT node, name, step, value, time FROM metrics WHERE run = ? ORDER BY node, name, step, time",
      run,
    );
  }

  /**
   * What the metrics of a node's execution came to: of each name the last value that was told without a step, which is
   * the stage's own word on its result, else the last one of its curve. The run that computed a result recorded them.
   */
  lastMetrics(run: string, node: string): MetricRecord[] {
    return this.#all(
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
    return this.#all(
      `SELECT m.node, m.name, m.step, m.value, max(m.time) AS time FROM nodes n
       JOIN metrics m ON m.run = n.run AND m.node = n.name
       WHERE n.key = ? GROUP BY m.name, m.step ORDER BY m.name, m.step, m.time`,
      key,
    );
  }

  /** Metrics of a run that were recorded after a position, with the position of the last: what a live view adds. */
  metricsSince(run: string, position: number): { position: number; metrics: MetricRecord[] } {
    // The plus keeps the index of runs out: the rows after a position are few, those of a run may be many.
    const rows = this.#all<MetricRecord & { position: number }>(
      `SELECT rowid AS position, node, name, step, value, time FROM metrics
       WHERE rowid > ? AND +run = ? ORDER BY rowid`,
      position,
      run,
    );
    return { position: rows.at(-1)?.position ?? position, metrics: rows };
  }

  /** The position of the newest metric of all: where `metricsSince` begins. */
  lastMetricPosition(): number {
    return this.#all<{ last: number | null }>("SELECT max(rowid) AS last FROM metrics")[0]!.last ?? 0;
  }

  /** How far the nodes of a run have come, as far as they told. */
  progress(run: string): ProgressRecord[] {
    return this.#all("SELECT node, done, total, unit, time FROM progress WHERE run = ?", run);
  }

  /** Seconds of the execution that made a result; undefined when no run recorded it. */
  secondsOfKey(key: Digest): number | undefined {
    return this.#all<{ seconds: number | null }>(
      "SELECT max(seconds) AS seconds FROM nodes WHERE key = ? AND state = 'ran'",
      key,
    )[0]?.seconds ?? undefined;
  }

  /** A number that changes when another process writes to the records. */
  version(): number {
    return this.#all<{ data_version: number }>("PRAGMA data_version")[0]!.data_version;
  }

  /** The newest results of a node of a pipeline, at most 20, newest first. */
  resultsOfNode(stage: string, pipeline: string, node: string): EarlierResult[] {
    return this.#all<RawEarlier>(EARLIER_QUERIES.node, stage, pipeline, node)
      .map(earlierFromRow);
  }

  /** The newest results of a stage in a pipeline, whatever the node, at most 20, newest first. */
  resultsOfStage(stage: string, pipeline: string): EarlierResult[] {
    return this.#all<RawEarlier>(EARLIER_QUERIES.stage, stage, pipeline)
      .map(earlierFromRow);
  }

  /** Artifacts whose digest begins with `prefix`, newest first. */
  artifactsByDigest(prefix: string): ArtifactRecord[] {
    // A range, which an index answers: no digit comes after `f`.
    return this.#artifacts("a.digest >= ?1 AND a.digest < ?1 || 'g'", prefix);
  }

  /** Artifacts of a result. */
  artifactsOfKey(key: Digest): ArtifactRecord[] {
    return this.#artifacts("a.key = ?1", key);
  }

  #artifacts(condition: string, value: string): ArtifactRecord[] {
    return this.#all<RawArtifact>(
      `SELECT a.key, a.output, a.manifest, r.stage, r.node, r.pipeline, r.run, r.components, r.created
       FROM artifacts a JOIN results r ON r.key = a.key WHERE ${condition} ORDER BY r.created DESC, a.output`,
      value,
    ).map((row) => ({
      ...row,
      artifact: artifactFromJson(JSON.parse(row.manifest))!,
      components: JSON.parse(row.components),
    }));
  }

  /** Code fingerprints kept between runs. */
  readonly fingerprints: FingerprintCache = {
    get: (id) => {
      const row = this.#all<{ value: string }>("SELECT value FROM fingerprints WHERE id = ?", id)[0];
      return row === undefined ? undefined : JSON.parse(row.value) as CachedFingerprint;
    },
    set: (id, value) =>
      this.#run("INSERT OR REPLACE INTO fingerprints VALUES (?,?)", id, JSON.stringify(value)),
  };

  /** Digests of data files kept between runs. */
  readonly fileDigests: FileDigestCache = {
    get: (path) =>
      this.#all<{ identity: string; digest: string }>(
        "SELECT identity, digest FROM file_digests WHERE path = ?",
        path,
      )[0],
    set: (path, value) =>
      this.#run("INSERT OR REPLACE INTO file_digests VALUES (?,?,?)", path, value.identity, value.digest),
  };
}

type Raw<T, K extends keyof T> = { [P in keyof T]: P extends K ? string : T[P] };
type RawRun = Raw<RunRecord, "params" | "environment">;
type RawNode = Omit<Raw<NodeRecord, "params" | "reasons">, "engine"> & { engine: string | null };
type RawArtifact = Omit<ArtifactRecord, "artifact" | "components"> & { manifest: string; components: string };

function runFromRow(row: RawRun): RunRecord {
  return { ...row, params: JSON.parse(row.params), environment: JSON.parse(row.environment) };
}

function nodeFromRow(row: RawNode): NodeRecord {
  return {
    ...row,
    params: JSON.parse(row.params),
    reasons: JSON.parse(row.reasons),
    engine: row.engine === null ? null : JSON.parse(row.engine),
  };
}
