import assert from "node:assert/strict";
import fc from "fast-check";
import { RetortError } from "../../foundation/errors.ts";
import { Records } from "../../runner/records/records.ts";
import { openDatabase, SCHEMA_VERSION } from "../../runner/records/schema.ts";
import { Store } from "../../runner/store/store.ts";
import { Folder } from "../command.ts";
import { holds } from "../property.ts";

const FIRST = "CREATE TABLE things (name TEXT PRIMARY KEY) STRICT";
const SECOND = "ALTER TABLE things ADD COLUMN size INTEGER NOT NULL DEFAULT 7";

function versionOf(database: ReturnType<typeof openDatabase>): unknown {
  return (database.prepare("PRAGMA user_version").get() as { user_version: number }).user_version;
}

Deno.test("records of an older schema are brought up to date and keep what they hold", () => {
  using folder = new Folder();
  const path = `${folder.path}/records.sqlite`;
  const old = openDatabase(path, { migrations: [FIRST] });
  old.exec("INSERT INTO things VALUES ('kept')");
  old.close();
  assert.throws(
    () => openDatabase(path, { migrations: [FIRST, SECOND], readOnly: true }),
    (error) => error instanceof RetortError && /older schema version 1 and is read-only/.test(error.message),
  );
  assert.throws(() => openDatabase(path, { migrations: [FIRST, "no SQL"] }), /syntax error/);
  const current = openDatabase(path, { migrations: [FIRST, SECOND] });
  assert.equal(versionOf(current), 2, "a step that failed before has left nothing");
  assert.deepEqual({ ...current.prepare("SELECT * FROM things").get() }, { name: "kept", size: 7 });
  current.close();
});

Deno.test("records of a newer schema are refused, damaged ones named; new ones get the current schema", () => {
  using folder = new Folder();
  const path = `${folder.path}/records.sqlite`;
  const database = openDatabase(path);
  assert.equal(versionOf(database), SCHEMA_VERSION);
  database.exec(`PRAGMA user_version = ${SCHEMA_VERSION + 1}`);
  database.close();
  assert.throws(
    () => openDatabase(path),
    (error) =>
      error instanceof RetortError &&
      error.message.includes(
        `schema version ${SCHEMA_VERSION + 1}; this version of Retort knows ${SCHEMA_VERSION}`,
      ),
  );
  Deno.writeTextFileSync(path, "not a database at all, but long enough to be looked at ".repeat(40));
  assert.throws(() => openDatabase(path), /run records .* are damaged/);
});

Deno.test("records without the newest index and column are read as they are, also read-only; a run brings them up to date", () => {
  using folder = new Folder();
  const path = `${folder.path}/records.sqlite`;
  const old = openDatabase(path);
  old.exec("DROP INDEX results_by_stage; ALTER TABLE nodes DROP COLUMN code; PRAGMA user_version = 3");
  old.exec(
    "INSERT INTO runs VALUES ('kept', 'p', 'f', 'c', '{}', 0, 'done', 1, 2, '{}', 1)",
  );
  old.exec(
    "INSERT INTO nodes VALUES ('kept', 0, 'n', 's', '{}', 'failed', NULL, '[]', 1, 2, NULL, 'it broke', NULL)",
  );
  old.close();
  const runsOf = (records: Records) => records.runs().map((run) => run.id);
  const failureOf = (records: Records) => records.nodes("kept").map(({ error, code }) => [error, code]);
  {
    using records = new Records({ root: folder.path }, { readOnly: true });
    assert.deepEqual(runsOf(records), ["kept"]);
    assert.deepEqual(failureOf(records), [["it broke", null]]);
  }
  {
    using records = new Records({ root: folder.path });
    assert.deepEqual(runsOf(records), ["kept"]);
    assert.deepEqual(failureOf(records), [["it broke", null]]);
    assert.deepEqual(records.resultsOfStage("stage", "p"), []);
  }
  const current = openDatabase(path);
  assert.equal(versionOf(current), SCHEMA_VERSION);
  assert.equal(
    current.prepare("SELECT 1 FROM sqlite_schema WHERE name = 'results_by_stage'").all().length,
    1,
  );
  current.exec("PRAGMA user_version = 2");
  current.close();
  assert.throws(() => openDatabase(path, { readOnly: true }), /older schema version 2 and is read-only/);
});

Deno.test("what a metric came to is what was told last without a step, else the last of its curve", (test) => {
  using folder = new Folder();
  const records = new Records(Store.open(folder.store, { create: true }));
  let nodes = 0;
  records.beginRun({
    ...{ id: "run", pipeline: "p", file: "p.ts", command: "", params: {}, seed: 0, status: "running" },
    ...{ started: 0, ended: null, environment: {} as never, pid: 1 },
  });
  holds(
    test,
    fc.property(
      fc.array(fc.record({ name: fc.constantFrom("loss", "share"), step: fc.option(fc.nat(4)) }), {
        maxLength: 12,
      }),
      (told) => {
        const node = `node-${nodes++}`;
        records.addMetrics(
          "run",
          told.map(({ name, step }, value) => ({ node, name, step, value, time: value })),
        );
        // By hand: the last one without a step, wherever it stands; only then the last one of all.
        const expected = ["loss", "share"].flatMap((name) => {
          const own = told.flatMap((one, value) => one.name === name ? [{ ...one, value }] : []);
          const last = own.findLast(({ step }) => step === null) ?? own.at(-1);
          return last === undefined ? [] : [[name, last.value]];
        });
        const found = records.lastMetrics("run", node).map(({ name, value }) => [name, value]);
        if (JSON.stringify(found) !== JSON.stringify(expected)) assert.deepEqual(found, expected);
      },
    ),
    { numRuns: 200 },
  );
  records.close();
});

Deno.test("of results with the same bytes the newest is found by their digest, and one of each digest by its beginning", () => {
  using folder = new Folder();
  using records = new Records(Store.open(folder.store, { create: true }));
  const same = `aa${"0".repeat(62)}`, other = `aa${"1".repeat(62)}`;
  const made = [[same, 1], [same, 3], [same, 2], [other, 9], [other, 8]] as const;
  for (const [i, [digest, second]] of made.entries()) {
    const artifact = { digest, codec: { name: "json", version: 1, digest: "c" }, facts: {}, files: [] };
    records.addResult({
      ...{ key: `key-${i}`, stage: "s", node: `node-${i}`, run: "r", components: { inputs: {} } },
      ...{ finished: new Date(second * 1000).toISOString(), outputs: { first: artifact, second: artifact } },
    } as never, "p");
  }
  const nodes = (prefix: string) => records.artifactsByDigest(prefix).map(({ node }) => node);
  assert.deepEqual(nodes(same), ["node-1"]);
  assert.deepEqual(nodes("aa"), ["node-3", "node-1"]);
  assert.deepEqual(nodes("ab"), []);
  assert.deepEqual(records.artifactsByDigest(same, "key-1" as never).map(({ node }) => node), ["node-2"]);
});
