import assert from "node:assert/strict";
import {
  lockFaults,
  type LockFile,
  lockFilePath,
  outputFault,
  writeLockFile,
} from "../../runner/lock_file.ts";
import type { PipelineSession } from "../../runner/session.ts";
import { LettersFolder } from "./letters.ts";

/** Runs, writes the lock file, reads it and takes it away from beside the fixture. */
async function lockOf(session: PipelineSession): Promise<{ lock: LockFile; text: string }> {
  const summary = await session.run({ jobs: 0, command: "test", stop: new AbortController().signal });
  const path = await writeLockFile(session, summary);
  assert.equal(path, lockFilePath(session.url));
  const text = Deno.readTextFileSync(path);
  Deno.removeSync(path);
  return { lock: JSON.parse(text), text };
}

Deno.test("a lock file is sorted, holds keys, data and packages, and is the same from another store", async () => {
  using folder = new LettersFolder();
  await using session = await folder.open();
  const { lock, text } = await lockOf(session);
  assert.deepEqual(Object.keys(lock), [...Object.keys(lock)].sort());
  assert.deepEqual(Object.keys(lock.nodes), [...Object.keys(lock.nodes)].sort());
  assert.equal(Object.keys(lock.data["letters.file"]!).join(), "letters.txt");
  assert.match(lock.packages.zod!, /^4\./);
  await using other = await folder.open({ store: `${folder.root}/other` });
  assert.equal((await lockOf(other)).text, text);
});

Deno.test("an unchanged pipeline passes on a fresh store", async () => {
  using folder = new LettersFolder();
  await using session = await folder.open();
  const { lock } = await lockOf(session);
  await using fresh = await folder.open({ store: `${folder.root}/fresh` });
  assert.deepEqual(await lockFaults(fresh, lock), []);
});

Deno.test("what differs is named: parameters, seed, data, code, packages", async () => {
  using folder = new LettersFolder();
  await using session = await folder.open();
  const { lock } = await lockOf(session);
  const faultsOf = async (changed: LockFile, options = {}) => {
    await using now = await folder.open({ store: `${folder.root}/fresh`, ...options });
    return (await lockFaults(now, changed)).join("\n");
  };
  assert.match(
    await faultsOf(lock, { set: [`alphabets=["aeiou","bq"]`] }),
    /parameters: locked .*xyz.*, now .*bq/,
  );
  assert.match(await faultsOf(lock, { seed: 3 }), /seed: locked 0, now 3/);
  const node = lock.nodes["letters.read"]!;
  const otherCode = {
    ...lock,
    nodes: { ...lock.nodes, "letters.read": { ...node, code: "0".repeat(64), key: "1".repeat(64) } },
  };
  assert.match(await faultsOf(otherCode), /node `letters.read`, code: locked "000000000000"/);
  assert.match(
    await faultsOf({ ...lock, packages: { ...lock.packages, zod: "3.0.0 x" } }),
    /package zod: locked "3.0.0 x"/,
  );
  Deno.writeTextFileSync(folder.data, "another text");
  assert.match(await faultsOf(lock), /data of `letters.file`, file letters.txt: locked/);
});

Deno.test("outputs that the lock file does not promise are refused", async () => {
  using folder = new LettersFolder();
  await using session = await folder.open();
  const { lock } = await lockOf(session);
  const plan = await session.plan();
  const planned = [...plan.values()].find((one) => one.node.name === "letters.read")!;
  assert.equal(outputFault(lock, planned.node, planned.outputs!), undefined);
  const text = { ...planned.outputs!.text!, digest: "f".repeat(64) };
  assert.match(outputFault(lock, planned.node, { text })!, /does not give the same bytes/);
});
