import assert from "node:assert/strict";
import { RetortError } from "../../foundation/errors.ts";
import { openDatabase, SCHEMA_VERSION } from "../../runner/records/schema.ts";
import { Folder } from "../command.ts";

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
