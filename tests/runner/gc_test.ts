import assert from "node:assert/strict";
import { uniqueName } from "../../foundation/atomic.ts";
import { collectGarbage } from "../../runner/gc.ts";
import { Records } from "../../runner/records/records.ts";
import { Store } from "../../runner/store/store.ts";
import { tryLock } from "../../foundation/locks.ts";
import { verifyStore } from "../../runner/verify.ts";
import { LettersFolder, nodesIn } from "./letters.ts";

const DAY = 86_400_000;

function files(folder: string): string[] {
  const found: string[] = [];
  for (const entry of Deno.readDirSync(folder)) {
    if (entry.isDirectory) found.push(...files(`${folder}/${entry.name}`));
    else found.push(`${folder}/${entry.name}`);
  }
  return found.sort();
}

Deno.test("a sweep keeps what recent runs reach and removes the rest; a dry run removes nothing", async () => {
  using folder = new LettersFolder();
  await folder.run();
  const store = Store.open(folder.store);
  using records = new Records(store);
  // The first run is made old; the second one reaches a part of its results.
  const old = records.runs()[0]!;
  await folder.run({ set: [`alphabets=["aeiou"]`] });
  const recent = records.runs()[0]!;
  assert.notEqual(recent.id, old.id);
  const now = recent.started * 1000 + 10 * DAY;
  const days = 10 + (recent.started - old.started) / 2 / 86_400;

  const before = files(folder.store);
  const dry = collectGarbage(store, records, { days, dryRun: true, now });
  assert.deepEqual(files(folder.store), before);
  // Of the first run: the count of "xyz" and the sum of two counts; read and "aeiou" are reached by the second.
  assert.equal(dry.results, 2);
  assert.equal(dry.keptResults, 3);

  assert.deepEqual(collectGarbage(store, records, { days, dryRun: false, now }), dry);
  assert.deepEqual((await verifyStore(store)).faults, []);
  assert.deepEqual(nodesIn(await folder.run({ set: [`alphabets=["aeiou"]`] }), "ran"), []);
  const again = await folder.run();
  assert.deepEqual(nodesIn(again, "ran"), ["letters.count@alphabet=xyz", "letters.add"]);
  assert.deepEqual(again.nodes.at(-1)!.reasons.map((reason) => reason.kind), ["lost"]);
});

Deno.test("results outlive lost records: those that no record knows go by their own age", async () => {
  using folder = new LettersFolder();
  await folder.run();
  for (const suffix of ["", "-wal", "-shm"]) {
    await Deno.remove(`${folder.store}/records.sqlite${suffix}`).catch(() => {});
  }
  const store = Store.open(folder.store);
  using records = new Records(store);
  const now = Date.now();
  const kept = collectGarbage(store, records, { days: 30, dryRun: false, now: now + 29 * DAY });
  assert.deepEqual([kept.results, kept.objects], [0, 0]);
  assert.ok(kept.keptResults > 0);
  assert.deepEqual(nodesIn(await folder.run(), "ran"), []);
  const later = { days: 30, dryRun: false, now: now + 31 * DAY };
  assert.equal(collectGarbage(store, records, later).results, kept.keptResults);
});

Deno.test("nothing is swept while a run holds the store", async () => {
  using folder = new LettersFolder();
  await folder.run();
  const store = Store.open(folder.store);
  using records = new Records(store);
  using _run = tryLock(`${store.root}/store.lock`, "shared");
  assert.throws(
    () => collectGarbage(store, records, { days: 0, dryRun: false }),
    /a run is using this store/,
  );
});

Deno.test("a sweep of everything leaves a store that works", async () => {
  using folder = new LettersFolder();
  await folder.run();
  const store = Store.open(folder.store);
  using records = new Records(store);
  Deno.writeTextFileSync(`${store.tmp}/${uniqueName()}`, "left by a dead process");
  const sweep = collectGarbage(store, records, { days: 0, dryRun: false, now: Date.now() + DAY });
  assert.equal(sweep.results, 4);
  assert.equal(sweep.keptResults, 0);
  assert.ok(sweep.rubbish >= 1);
  assert.deepEqual([...store.blobs.list()], []);
  assert.equal(nodesIn(await folder.run(), "ran").length, 4);
});

Deno.test("results of a newer version are not swept: what they refer to cannot be told from rubbish", async () => {
  using folder = new LettersFolder();
  await folder.run();
  const store = Store.open(folder.store);
  using records = new Records(store);
  const [key] = [...store.keys()];
  const path = `${folder.store}/results/${key!.slice(0, 2)}/${key}.json`;
  Deno.writeTextFileSync(path, Deno.readTextFileSync(path).replace(`{"format":1,`, `{"format":2,`));
  const before = files(folder.store);
  const sweep = () => collectGarbage(store, records, { days: 0, dryRun: false, now: Date.now() + DAY });
  assert.throws(sweep, /1 results of this store were written by another version: it has format 2/);
  assert.deepEqual(files(folder.store), before);
  // What the message says helps: the node is made again.
  assert.equal(nodesIn(await folder.run(), "ran").length, 1);
  assert.equal(sweep().results, 4);
});
