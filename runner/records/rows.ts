import type { Digest, JsonObject } from "../../foundation/canonical.ts";
import type { Artifact } from "../codec.ts";
import type { Environment } from "../environment.ts";
import type { KeyComponents, Reason } from "../key.ts";
import type { Cause } from "../policy.ts";

/** The status of a run. */
export type RunStatus = "running" | "done" | "failed" | "interrupted";

/** What lists of runs can be narrowed to: a run that was killed is recorded as running. */
export const LISTED_STATUSES = ["running", "done", "failed", "interrupted", "killed"] as const;

/** One of {@link LISTED_STATUSES}. */
export type ListedStatus = (typeof LISTED_STATUSES)[number];

/** The state of a node in a run. `unused`: the run stopped before the node started. */
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
  /** Code of the error; null also in records of versions that kept none. */
  readonly code: string | null;
}

/** What people say of a run. */
export interface Annotation {
  readonly note: string;
  readonly tags: readonly string[];
  /** Left out of lists that do not ask for it. */
  readonly archived: boolean;
}

/** Of a run that nobody said anything of. */
export const NO_ANNOTATION: Annotation = { note: "", tags: [], archived: false };

/** A run in a list. */
export type ListedRun = Pick<RunRecord, "id" | "pipeline" | "status" | "started" | "ended" | "seed">;

/** What a metric of a stage's node came to. */
export interface LastValue {
  readonly run: string;
  readonly node: string;
  readonly params: JsonObject;
  readonly value: number;
}

/** A metric as recorded. */
export interface MetricRecord {
  readonly node: string;
  readonly name: string;
  readonly step: number | null;
  readonly value: number | null;
  readonly time: number;
}

/** What a node is called where its run's arms are compared. */
export interface ArmRecord {
  readonly node: string;
  readonly arm: string;
  /** What the arm is compared at; may be empty. */
  readonly setting: string;
}

/** What a stage chose of candidates: a text or a number by name. */
export interface ChoiceRecord {
  readonly node: string;
  readonly name: string;
  readonly value: string | number;
}

/** How far a node of a run has come. */
export interface ProgressRecord {
  readonly node: string;
  readonly done: number;
  readonly total: number | null;
  readonly unit: string | null;
  readonly time: number;
}

/** One of several executions of a node in a run, or one that failed. */
export interface AttemptRecord {
  readonly node: string;
  /** 1 for the first. */
  readonly attempt: number;
  readonly started: number;
  readonly seconds: number;
  /** Why it ended without a result; null where it gave one. */
  readonly cause: Cause | null;
  readonly code: string | null;
  readonly error: string | null;
  /** Path of its log, relative to the store. */
  readonly log: string;
}

/** Where a node ran last, and what it took of what it had asked for. */
export interface PlaceRecord {
  readonly node: string;
  /** The machine, and the worker on it; null where the run itself executed the node. */
  readonly host: string | null;
  readonly worker: string | null;
  /** Seconds until a worker took it, by the clock of the run; null where the run itself executed it. */
  readonly waited: number | null;
  /** Most bytes of memory that were seen; null where nobody looked. */
  readonly used: number | null;
  /** Bytes of memory that it had asked for; null: no limit. */
  readonly memory: number | null;
  /** Seconds that it had asked for; null: no limit. */
  readonly time: number | null;
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

/** A row as the database gives it: the columns `K` hold JSON. */
type Raw<T, K extends keyof T> = { [P in keyof T]: P extends K ? string : T[P] };
/** A row of the table of runs. */
export type RawRun = Raw<RunRecord, "params" | "environment">;
/** A row of the table of nodes. */
export type RawNode = Omit<Raw<NodeRecord, "params" | "reasons">, "engine"> & { engine: string | null };
/** An artifact joined with its result. */
export type RawArtifact = Omit<ArtifactRecord, "artifact" | "components"> & {
  manifest: string;
  components: string;
};

/** The run that a row holds. */
export function runFromRow(row: RawRun): RunRecord {
  return { ...row, params: JSON.parse(row.params), environment: JSON.parse(row.environment) };
}

/** The node that a row holds. */
export function nodeFromRow(row: RawNode): NodeRecord {
  return {
    ...row,
    params: JSON.parse(row.params),
    reasons: JSON.parse(row.reasons),
    engine: row.engine === null ? null : JSON.parse(row.engine),
    // A read-only store of an older version has no such column.
    code: row.code ?? null,
  };
}

/** An annotation as its row holds it. */
export interface RawAnnotation {
  readonly run: string;
  readonly note: string;
  readonly tags: string;
  readonly archived: number;
}

/** An annotation from its row. */
export function annotationFromRow({ note, tags, archived }: RawAnnotation): Annotation {
  return { note, tags: JSON.parse(tags), archived: archived !== 0 };
}
