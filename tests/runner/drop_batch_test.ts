import assert from "node:assert/strict";
import { DropBatch } from "../../runner/store/drop_batch.ts";
import { ObjectUses } from "../../runner/store/object_uses.ts";
import type { NodeResult } from "../../runner/store/store.ts";
import { noise, ScratchStore } from "./remote/stores.ts";

Deno.test("outputs that are dropped together go one by one, and what is not dropped stays as it was", async () => {
  using scratch = new ScratchStore();
  const { store } = scratch;
  const shared = noise(50, 0);
  const results: NodeResult[] = [];
  for (let i = 0; i < 40; i++) {
    results.push(await scratch.add(`${i}`, { own: noise(100, i + 1), shared }));
  }
  const isThere = (i: number) =>
    results[i]!.outputs.files!.files.map(({ digest, size }) => store.blobs.has(digest, size));
  const records = results.map(({ key }) => store.recordBytes(key));
  const uses = new ObjectUses(store);
  await uses.refresh();
  {
    using batch = new DropBatch(store, uses);
    for (const { key } of results.slice(0, 39)) batch.add(key, ["files"]);
    batch.add("f".repeat(64), ["files"]);
    await batch.sync();
    // Until its turn comes, nothing is said of a result.
    assert.deepEqual(results.map(({ key }) => store.recordBytes(key)), records);
    for (const { key } of results.slice(0, 38)) assert.equal(batch.drop(key), 100);
    assert.equal(batch.drop("f".repeat(64)), 0, "there is no such result");
    assert.ok(results.slice(0, 38).every(({ key }) => store.droppedOutputs(key)?.files === batch.when));
  }
  assert.deepEqual([isThere(0), isThere(37), isThere(38), isThere(39)], [
    [false, true],
    [false, true],
    [true, true],
    [true, true],
  ]);
  for (const i of [38, 39]) assert.deepEqual(store.recordBytes(results[i]!.key), records[i]);
  assert.deepEqual([...Deno.readDirSync(store.tmp)], [], "no note is left");
  // The bytes that all share go with the last result that refers to them.
  using last = new DropBatch(store, uses);
  for (const { key } of results.slice(38)) last.add(key, ["files"]);
  await last.sync();
  assert.equal(last.drop(results[38]!.key), 100);
  assert.equal(last.drop(results[39]!.key), 150);
});
