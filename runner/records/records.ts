import type { Digest } from "../../foundation/canonical.ts";
import type { CachedFingerprint, FingerprintCache } from "../fingerprint.ts";
import type { FileDigestCache } from "../locate.ts";
import { artifactJson } from "../store/artifacts.ts";
import type { NodeResult } from "../store/store.ts";
import type { PipelineQuestion } from "../headline.ts";
import { RecordReader } from "./reader.ts";
import type {
  Annotation,
  ArmRecord,
  AttemptRecord,
  ChoiceRecord,
  EdgeRecord,
  MetricRecord,
  NodeRecord,
  PlaceRecord,
  ProgressRecord,
  RunRecord,
  RunStatus,
} from "./rows.ts";

/** The run records of a store, in SQLite: queries, the writes of runs, and caches kept between runs. */
export class Records extends RecordReader {
  /** Performs all of `action`'s writes or none. */
  transaction<T>(action: () => T): T {
    return this.database.transaction(action);
  }

  /** Records that a run began. */
  beginRun(run: RunRecord): void {
    this.database.run(
      "INSERT INTO runs VALUES (?,?,?,?,?,?,?,?,?,?,?)",
      ...[run.id, run.pipeline, run.file, run.command, JSON.stringify(run.params), run.seed, run.status],
      ...[run.started, run.ended, JSON.stringify(run.environment), run.pid],
    );
  }

  /** Records how a run ended. */
  endRun(id: string, status: RunStatus, ended: number): void {
    this.database.run("UPDATE runs SET status = ?, ended = ? WHERE id = ?", status, ended, id);
  }

  /** Marks all pending nodes of a run as unused. */
  leavePending(run: string): void {
    this.database.run("UPDATE nodes SET state = 'unused' WHERE run = ? AND state = 'pending'", run);
  }

  /** Records edges of a run's graph. */
  addEdges(run: string, edges: readonly EdgeRecord[]): void {
    for (const edge of edges) {
      this.database.run(
        "INSERT INTO edges VALUES (?,?,?,?,?)",
        run,
        edge.node,
        edge.input,
        edge.source,
        edge.output,
      );
    }
  }

  /** Records which nodes' outputs a run returns. */
  addRunOutput(run: string, name: string, node: string, output: string): void {
    this.database.run("INSERT INTO run_outputs VALUES (?,?,?,?)", run, name, node, output);
  }

  /** Records what a run answers. */
  putQuestion(run: string, { question, headline }: PipelineQuestion): void {
    const text = headline === null ? null : JSON.stringify(headline);
    this.database.run("INSERT INTO questions VALUES (?,?,?)", run, question, text);
  }

  /** Records what a node of a run is called where arms are compared. */
  putArm(run: string, { node, arm, setting }: ArmRecord): void {
    this.database.run("INSERT INTO arms VALUES (?,?,?,?)", run, node, arm, setting);
  }

  /** Records what a stage chose. */
  putChoice(run: string, { node, name, value }: ChoiceRecord): void {
    this.database.run(
      "INSERT OR REPLACE INTO choices VALUES (?,?,?,?)",
      run,
      node,
      name,
      JSON.stringify(value),
    );
  }

  /** Records the state of a node of a run, replacing what was recorded. */
  putNode(node: NodeRecord): void {
    this.database.run(
      "INSERT OR REPLACE INTO nodes VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?)",
      ...[node.run, node.position, node.name, node.stage, JSON.stringify(node.params), node.state, node.key],
      ...[JSON.stringify(node.reasons), node.started, node.seconds, node.log, node.error],
      node.engine === null ? null : JSON.stringify(node.engine),
      node.code,
    );
  }

  /** Records where a node ran. */
  putPlace(run: string, { node, host, worker, waited, used, memory, time }: PlaceRecord): void {
    this.database.run(
      "INSERT OR REPLACE INTO places VALUES (?,?,?,?,?,?,?,?)",
      ...[run, node, host, worker, waited, used, memory, time],
    );
  }

  /** Records an execution that failed or was tried again. */
  putAttempt(run: string, one: AttemptRecord): void {
    this.database.run(
      "INSERT OR REPLACE INTO attempts VALUES (?,?,?,?,?,?,?,?,?)",
      ...[run, one.node, one.attempt, one.started, one.seconds, one.cause, one.code, one.error, one.log],
    );
  }

  /** Records metrics of a run. NaN and infinities are kept as null. */
  addMetrics(run: string, metrics: readonly MetricRecord[]): void {
    const finals = new Map<string, MetricRecord>();
    for (const m of metrics) {
      const value = m.value !== null && Number.isFinite(m.value) ? m.value : null;
      this.database.run(
        "INSERT INTO metrics VALUES (?,?,?,?,?,?)",
        run,
        m.node,
        m.name,
        m.step,
        value,
        m.time,
      );
      const last = finals.get(`${m.node}\n${m.name}`);
      if (m.step === null || last === undefined || last.step !== null) {
        finals.set(`${m.node}\n${m.name}`, { ...m, value });
      }
    }
    for (const { node, name, value, step } of finals.values()) {
      this.database.run(
        `INSERT INTO last_metrics VALUES (?,?,?,?,?) ON CONFLICT DO UPDATE
         SET value = excluded.value, stepless = excluded.stepless WHERE excluded.stepless OR NOT stepless`,
        ...[run, node, name, value, Number(step === null)],
      );
    }
  }

  /** Keeps what people say of a run; what `change` leaves out stays. */
  annotate(run: string, change: Partial<Annotation>): Annotation {
    const before = this.annotation(run);
    const after = { ...before, ...change };
    const tags = [...new Set(after.tags)].sort();
    this.database.run(
      "INSERT OR REPLACE INTO annotations VALUES (?,?,?,?)",
      ...[run, after.note, JSON.stringify(tags), Number(after.archived)],
    );
    return { ...after, tags };
  }

  /** Records how far a node has come, replacing what was recorded. */
  putProgress(run: string, p: ProgressRecord): void {
    this.database.run(
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
    this.database.run("DELETE FROM results WHERE key = ?", result.key);
    this.database.run(
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
      this.database.run(
        "INSERT INTO artifacts VALUES (?,?,?,?)",
        result.key,
        output,
        artifact.digest,
        manifest,
      );
    }
  }

  /** Keeps the summary of an artifact. */
  putSummary(digest: Digest, text: string): void {
    this.database.run("INSERT OR REPLACE INTO summaries VALUES (?,?)", digest, text);
  }

  /** Removes results and their artifacts. */
  dropResults(keys: Iterable<Digest>): void {
    for (const key of keys) this.database.run("DELETE FROM results WHERE key = ?", key);
  }

  /** Removes runs. */
  dropRuns(ids: Iterable<string>): void {
    for (const id of ids) this.database.run("DELETE FROM runs WHERE id = ?", id);
  }

  /** Code fingerprints kept between runs. */
  readonly fingerprints: FingerprintCache = {
    get: (id) => {
      const row = this.database.all<{ value: string }>("SELECT value FROM fingerprints WHERE id = ?", id)[0];
      return row === undefined ? undefined : JSON.parse(row.value) as CachedFingerprint;
    },
    set: (id, value) =>
      this.database.run("INSERT OR REPLACE INTO fingerprints VALUES (?,?)", id, JSON.stringify(value)),
  };

  /** Digests of data files kept between runs. */
  readonly fileDigests: FileDigestCache = {
    get: (path) =>
      this.database.all<{ identity: string; digest: string }>(
        "SELECT identity, digest FROM file_digests WHERE path = ?",
        path,
      )[0],
    set: (path, value) =>
      this.database.run(
        "INSERT OR REPLACE INTO file_digests VALUES (?,?,?)",
        path,
        value.identity,
        value.digest,
      ),
  };
}
