import { DatabaseSync } from "node:sqlite";
import { messageOf, RetortError } from "../../foundation/errors.ts";
import { removeQuietly } from "../../foundation/atomic.ts";
import { fileFault } from "../../foundation/faults.ts";

/**
 * The steps from an empty database to the current one. A step, once released, never changes: a new
 * version of the schema is one more step at the end.
 */
const MIGRATIONS: readonly string[] = [
  `
  CREATE TABLE runs (
    id TEXT PRIMARY KEY, pipeline TEXT NOT NULL, file TEXT NOT NULL, command TEXT NOT NULL,
    params TEXT NOT NULL, seed INTEGER NOT NULL, status TEXT NOT NULL,
    started REAL NOT NULL, ended REAL, environment TEXT NOT NULL, pid INTEGER NOT NULL
  ) STRICT;
  CREATE INDEX runs_by_start ON runs (started);
  CREATE TABLE nodes (
    run TEXT NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
    position INTEGER NOT NULL, name TEXT NOT NULL, stage TEXT NOT NULL, params TEXT NOT NULL,
    state TEXT NOT NULL, key TEXT, reasons TEXT NOT NULL, started REAL, seconds REAL,
    log TEXT, error TEXT, engine TEXT,
    PRIMARY KEY (run, name)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX nodes_by_key ON nodes (key);
  CREATE TABLE edges (
    run TEXT NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
    node TEXT NOT NULL, input TEXT NOT NULL, source TEXT NOT NULL, output TEXT NOT NULL
  ) STRICT;
  CREATE INDEX edges_by_node ON edges (run, node);
  CREATE TABLE run_outputs (
    run TEXT NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
    name TEXT NOT NULL, node TEXT NOT NULL, output TEXT NOT NULL,
    PRIMARY KEY (run, name)
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE metrics (
    run TEXT NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
    node TEXT NOT NULL, name TEXT NOT NULL, step REAL, value REAL, time REAL NOT NULL
  ) STRICT;
  CREATE INDEX metrics_by_node ON metrics (run, node, name, step);
  CREATE TABLE results (
    key TEXT PRIMARY KEY, stage TEXT NOT NULL, node TEXT NOT NULL, pipeline TEXT NOT NULL,
    run TEXT NOT NULL, components TEXT NOT NULL, created REAL NOT NULL
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX results_by_node ON results (stage, pipeline, node, created);
  CREATE TABLE artifacts (
    key TEXT NOT NULL REFERENCES results (key) ON DELETE CASCADE,
    output TEXT NOT NULL, digest TEXT NOT NULL, manifest TEXT NOT NULL,
    PRIMARY KEY (key, output)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX artifacts_by_digest ON artifacts (digest);
  CREATE TABLE inputs (
    key TEXT NOT NULL REFERENCES results (key) ON DELETE CASCADE,
    name TEXT NOT NULL, position INTEGER NOT NULL, digest TEXT NOT NULL,
    PRIMARY KEY (key, name, position)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX inputs_by_digest ON inputs (digest);
  CREATE TABLE fingerprints (id TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;
  CREATE TABLE file_digests (
    path TEXT PRIMARY KEY, identity TEXT NOT NULL, digest TEXT NOT NULL
  ) STRICT, WITHOUT ROWID;
  `,
  // What codecs say of artifacts that runs returned, for those who do not have the codec at hand.
  `CREATE TABLE summaries (digest TEXT PRIMARY KEY, text TEXT NOT NULL) STRICT, WITHOUT ROWID;`,
  `
  CREATE TABLE progress (
    run TEXT NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
    node TEXT NOT NULL, done REAL NOT NULL, total REAL, unit TEXT, time REAL NOT NULL,
    PRIMARY KEY (run, node)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX runs_by_pipeline ON runs (pipeline, started);
  `,
  // The newest results of a stage, read in their order: sorting all of them once a node makes sweeps quadratic.
  `CREATE INDEX results_by_stage ON results (stage, pipeline, created DESC, key);`,
  // The components of a result hold the same; and a row an input made results of many inputs quadratic.
  `DROP TABLE IF EXISTS inputs;`,
  // What runs answer, what their nodes are called in it, and what stages chose. Tables of their own: records of before
  // have none of it, and are read all the same.
  `
  CREATE TABLE IF NOT EXISTS questions (
    run TEXT PRIMARY KEY REFERENCES runs (id) ON DELETE CASCADE, question TEXT NOT NULL, headline TEXT
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS arms (
    run TEXT NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
    node TEXT NOT NULL, arm TEXT NOT NULL, setting TEXT NOT NULL,
    PRIMARY KEY (run, node)
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS choices (
    run TEXT NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
    node TEXT NOT NULL, name TEXT NOT NULL, value TEXT NOT NULL,
    PRIMARY KEY (run, node, name)
  ) STRICT, WITHOUT ROWID;
  `,
  // What metrics came to, for lists of many runs; and what people say of runs.
  `
  CREATE TABLE IF NOT EXISTS last_metrics (
    run TEXT NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
    node TEXT NOT NULL, name TEXT NOT NULL, value REAL, stepless INTEGER NOT NULL,
    PRIMARY KEY (run, node, name)
  ) STRICT, WITHOUT ROWID;
  INSERT OR REPLACE INTO last_metrics
    SELECT m.run, m.node, m.name, m.value, m.step IS NULL FROM metrics m JOIN (
      SELECT coalesce(max(CASE WHEN step IS NULL THEN rowid END), max(rowid)) AS last
      FROM metrics GROUP BY run, node, name
    ) l ON m.rowid = l.last;
  CREATE INDEX IF NOT EXISTS nodes_by_stage ON nodes (stage);
  CREATE TABLE IF NOT EXISTS annotations (
    run TEXT PRIMARY KEY REFERENCES runs (id) ON DELETE CASCADE,
    note TEXT NOT NULL, tags TEXT NOT NULL, archived INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;
  `,
  // Codes of the errors of failed nodes.
  `ALTER TABLE nodes ADD COLUMN code TEXT;`,
  // Executions of nodes that failed or were tried again.
  `CREATE TABLE IF NOT EXISTS attempts (
    run TEXT NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
    node TEXT NOT NULL, attempt INTEGER NOT NULL, started REAL NOT NULL, seconds REAL NOT NULL,
    cause TEXT, code TEXT, error TEXT, log TEXT NOT NULL,
    PRIMARY KEY (run, node, attempt)
  ) STRICT, WITHOUT ROWID;`,
  // Where nodes ran, and what they took of what they had asked for.
  `CREATE TABLE IF NOT EXISTS places (
    run TEXT NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
    node TEXT NOT NULL, host TEXT, worker TEXT, waited REAL, used INTEGER, memory INTEGER, time REAL,
    PRIMARY KEY (run, node)
  ) STRICT, WITHOUT ROWID;`,
];

/** The schema version that this code writes. */
export const SCHEMA_VERSION = MIGRATIONS.length;

/** The oldest version that has what a reader cannot do without: later steps add indexes, and tables that lists use where they are. */
const TABLES_VERSION = 3;

/**
 * Opens the records' database and brings its schema up to date.
 *
 * @param options.copy opens a copy of the database, which takes what is written and goes with the process: for
 * stores that are read-only.
 * @param options.migrations only for tests of the migration itself.
 * @param options.readable the oldest version that a reader understands; with `migrations`.
 * @throws RetortError when it is damaged, newer than this code, or cannot be written.
 */
export function openDatabase(
  path: string,
  options: { readOnly?: boolean; copy?: boolean; migrations?: readonly string[]; readable?: number } = {},
): DatabaseSync {
  const migrations = options.migrations ?? MIGRATIONS;
  const readable = options.readable ?? options.migrations?.length ?? TABLES_VERSION;
  try {
    const database = options.copy === true
      ? openCopy(path)
      : options.readOnly === true
      ? openForReading(path)
      : new DatabaseSync(path, { timeout: 20_000 });
    try {
      const version = database.prepare("PRAGMA user_version").get() as { user_version: number };
      if (version.user_version > migrations.length) {
        throw new RetortError(
          "records/version",
          `${path} has schema version ${version.user_version}; this version of Retort knows ${migrations.length}`,
          { hint: "Use the version of Retort that wrote it, or another --store." },
        );
      }
      if (options.readOnly !== true) {
        // One writer, many readers; a commit is safe against a killed process without an fsync of its own.
        const journal = options.copy === true ? "MEMORY" : "WAL";
        database.exec(
          `PRAGMA journal_mode = ${journal}; PRAGMA synchronous = NORMAL; PRAGMA foreign_keys = ON`,
        );
        if (version.user_version < migrations.length) migrate(database, migrations);
      } else if (version.user_version < readable) {
        throw new RetortError(
          "records/version",
          `${path} has the older schema version ${version.user_version} and is read-only`,
          { hint: "Run any pipeline on a writable copy of the store once: that brings it up to date." },
        );
      }
      return database;
    } catch (error) {
      database.close();
      throw error;
    }
  } catch (error) {
    throw databaseFault(error, path);
  }
}

/**
 * Even a reader writes files beside the database to see concurrent writes. On a read-only store it reads a copy:
 * nobody else can write there either.
 */
function openForReading(path: string): DatabaseSync {
  const database = new DatabaseSync(path, { readOnly: true, timeout: 20_000 });
  try {
    database.prepare("PRAGMA user_version").get();
    return database;
  } catch (error) {
    database.close();
    if (!/unable to open|readonly|read-only/i.test(messageOf(error))) throw error;
    const copy = openCopy(path);
    copy.exec("PRAGMA query_only = ON");
    return copy;
  }
}

/** A copy of the database, or an empty one where there is none; nobody else sees it. */
function openCopy(path: string): DatabaseSync {
  const folder = Deno.makeTempDirSync({ prefix: "retort-records-" });
  try {
    // The latest writes may be in the log beside it.
    for (const ending of ["", "-wal"]) {
      try {
        Deno.copyFileSync(path + ending, `${folder}/records.sqlite${ending}`);
        Deno.chmodSync(`${folder}/records.sqlite${ending}`, 0o600); // A copy has the permissions of what it copies.
      } catch (error) {
        if (!(error instanceof Deno.errors.NotFound)) throw error;
      }
    }
    const copy = new DatabaseSync(`${folder}/records.sqlite`);
    copy.exec("PRAGMA journal_mode = MEMORY; SELECT 1 FROM sqlite_master");
    return copy;
  } finally {
    removeQuietly(folder); // The open file stays readable.
  }
}

function migrate(database: DatabaseSync, migrations: readonly string[]): void {
  database.exec("BEGIN IMMEDIATE");
  try {
    // Read again under the lock: another process may have migrated meanwhile.
    const { user_version } = database.prepare("PRAGMA user_version").get() as { user_version: number };
    for (const step of migrations.slice(user_version)) database.exec(step);
    database.exec(`PRAGMA user_version = ${migrations.length}`);
    database.exec("COMMIT");
  } catch (error) {
    rollBack(database);
    throw error;
  }
}

/** Rolls back an open transaction, if any: some failures, such as a full disk, end it themselves. */
export function rollBack(database: DatabaseSync): void {
  if (database.isTransaction) database.exec("ROLLBACK");
}

/** Converts a database error to one that people can act on. */
export function databaseFault(error: unknown, path: string): unknown {
  if (error instanceof RetortError) return error;
  const text = messageOf(error);
  if (/malformed|not a database|corrupt/i.test(text)) {
    return new RetortError("records/damaged", `the run records ${path} are damaged: ${text}`, {
      hint:
        "Move the file away: results in the store stay valid and are used; only the history of runs is lost.",
      cause: error,
    });
  }
  if (/readonly|read-only|unable to open/i.test(text)) {
    return new RetortError("records/unavailable", `the run records ${path} cannot be opened: ${text}`, {
      hint: "Make the store's folder writable or use another --store.",
      cause: error,
    });
  }
  if (/disk is full|disk I\/O/i.test(text)) {
    return new RetortError("records/unavailable", `the run records ${path} cannot be written: ${text}`, {
      hint: "Free some space or use another --store; then run again.",
      cause: error,
    });
  }
  if (/locked|busy/i.test(text)) {
    return new RetortError(
      "records/unavailable",
      `the run records ${path} are in use by another process: ${text}`,
      { hint: "Try again when it is done.", cause: error },
    );
  }
  return fileFault(error, "opening", path);
}
