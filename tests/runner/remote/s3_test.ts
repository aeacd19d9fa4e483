import assert from "node:assert/strict";
import { codeOf } from "../../../foundation/errors.ts";
import { digestBytes } from "../../../foundation/canonical.ts";
import { objectPath, objectsOf, parcelsOf, recordPath } from "../../../runner/store/remote/layout.ts";
import { type Remote } from "../../../runner/store/remote/remote.ts";
import { sweepRemote } from "../../../runner/store/remote/sweep.ts";
import { fetchResult, pushResult, wholeFile } from "../../../runner/store/remote/transfer.ts";
import { ACCESS, HASTE, Moto, onS3 } from "../../moto.ts";
import { PARTS_AT_ONCE, S3Remote } from "../../../runner/store/remote/s3.ts";
import { carriedAt } from "./carried.ts";
import { Faulty } from "./faulty.ts";
import { noise, ScratchStore } from "./stores.ts";

const PART = HASTE.part;
const paths = async (remote: Remote, prefix = "") => {
  const found: string[] = [];
  for await (const { path } of remote.list(prefix)) found.push(path);
  return found.sort();
};
const text = (bytes: Uint8Array | undefined) => bytes && new TextDecoder().decode(bytes);
const bytesOf = (told: string) => new TextEncoder().encode(told);

Deno.test({
  ...onS3,
  name: "an S3 bucket as a remote",
  async fn(test) {
    await using moto = await Moto.start();
    await using faulty = new Faulty(moto.endpoint);

    await test.step("of racing puts exactly one succeeds, and its bytes stay", async () => {
      const remote = moto.remote("racing");
      const puts = Array.from({ length: 8 }, (_, i) => remote.put("results/it", bytesOf(`racer ${i}`)));
      const won = await Promise.all(puts);
      assert.equal(won.filter((one) => one).length, 1);
      assert.equal(text(await wholeFile(remote, "results/it")), `racer ${won.indexOf(true)}`);
    });

    await test.step("a result comes to another store, objects before its record", async () => {
      using here = new ScratchStore();
      using there = new ScratchStore();
      const remote = moto.remote("carried", faulty.url);
      const names = { "a b/ü.txt": bytesOf("text"), "empty": new Uint8Array(0), "same": bytesOf("text") };
      const { key } = await here.add("one", names);
      faulty.asked.length = 0;
      assert.deepEqual(await pushResult(here.store, remote, key), { fresh: true, bytes: 4 });
      // Each counts once: a request that was tried again is none the more.
      const puts = [...new Set(faulty.asked.filter((asked) => asked.startsWith("PUT")))];
      assert.equal(puts.length, 3);
      assert.ok(puts.at(-1)!.endsWith(recordPath(key)));
      assert.deepEqual(await fetchResult(there.store, remote, key), { state: "fetched", bytes: 4 });
      for (const [name, bytes] of Object.entries(names)) {
        assert.deepEqual(await there.bytes(key, name), bytes);
      }
      assert.deepEqual(await pushResult(there.store, remote, key), { fresh: false, bytes: 0 });
      assert.deepEqual(await fetchResult(there.store, remote, digestBytes("nobody")), { state: "missing" });
    });

    await test.step("a large object goes up in parts, and downloads go on where they were cut", async () => {
      using here = new ScratchStore();
      using there = new ScratchStore();
      const remote = moto.remote("large", faulty.url);
      const large = noise(PARTS_AT_ONCE * PART + 12345, 7);
      const { key } = await here.add("large", { large });
      faulty.asked.length = 0;
      faulty.rules = [{
        fault: { kind: "status", status: 503 },
        method: "PUT",
        path: "partNumber=2",
        times: 1,
      }];
      await pushResult(here.store, remote, key);
      const parts = faulty.asked.flatMap((asked) =>
        /^PUT .*objects\/.*partNumber=(\d+)/.exec(asked)?.[1] ?? []
      );
      assert.deepEqual([...new Set(parts)].sort(), ["1", "2", "3", "4", "5"]);
      assert.ok(parts.filter((part) => part === "2").length >= 2, "the part that failed went up again");
      faulty.rules = [{ fault: { kind: "cut", after: PART }, method: "GET", path: "objects/", times: 1 }];
      assert.equal((await fetchResult(there.store, remote, key)).state, "fetched");
      assert.deepEqual(digestBytes(await there.bytes(key, "large")), digestBytes(large));
      assert.deepEqual(await remote.sweepUploads(Date.now() + 1e9), 0, "nothing is left of the upload");
    });

    await test.step("an object of a few parts' size goes up by one request, which tells the digest", async () => {
      using here = new ScratchStore();
      using there = new ScratchStore();
      const remote = moto.remote("medium", faulty.url);
      const medium = noise(2 * PART + 1, 8);
      const { key } = await here.add("medium", { medium });
      faulty.asked.length = 0;
      await pushResult(here.store, remote, key);
      const puts = faulty.asked.filter((asked) => /^(PUT|POST) .*objects\//.test(asked));
      assert.equal(new Set(puts).size, 1, puts.join("\n"));
      assert.ok(faulty.digests.has(digestBytes(medium)));
      faulty.rules = [{ fault: { kind: "cut", after: PART }, method: "GET", path: "objects/", times: 1 }];
      faulty.asked.length = 0;
      assert.equal((await fetchResult(there.store, remote, key)).state, "fetched");
      assert.equal(faulty.asked.filter((asked) => /^GET .*objects\//.test(asked)).length, 2);
      assert.deepEqual(digestBytes(await there.bytes(key, "medium")), digestBytes(medium));
    });

    await test.step("an object that is damaged here goes nowhere, and its result does not", async () => {
      using here = new ScratchStore();
      const remote = moto.remote("rotten");
      const result = await here.add("rotten", { good: noise(300_000, 1), bad: noise(300_000, 2) });
      const bad = here.store.blobs.path(digestBytes(noise(300_000, 2)));
      Deno.chmodSync(bad, 0o644);
      Deno.writeFileSync(bad, noise(300_000, 3));
      const error = await pushResult(here.store, remote, result.key).then(() => undefined, (error) => error);
      assert.equal(codeOf(error), "store/damaged");
      assert.deepEqual(await paths(remote, "results/"), []);
      assert.ok(!(await paths(remote)).includes(objectPath(digestBytes(noise(300_000, 2)))));
    });

    await test.step("many small files go as one pack", async () => {
      using here = new ScratchStore();
      using there = new ScratchStore();
      const remote = moto.remote("packed", faulty.url);
      const files = Object.fromEntries(Array.from({ length: 40 }, (_, i) => [`f${i}`, noise(100 + i, i)]));
      const result = await here.add("packed", files);
      faulty.asked.length = 0;
      await pushResult(here.store, remote, result.key);
      assert.ok(faulty.asked.length <= 4, `${faulty.asked.length} requests`);
      assert.equal((await paths(remote, "packs/")).length, 1);
      await fetchResult(there.store, remote, result.key);
      for (const [name, bytes] of Object.entries(files)) {
        assert.deepEqual(await there.bytes(result.key, name), bytes);
      }
    });

    await test.step("of an output that was dropped the manifest goes alone", async () => {
      using here = new ScratchStore();
      using there = new ScratchStore();
      const remote = moto.remote("dropped");
      const result = await here.add("one", { a: bytesOf("temporary") });
      here.store.commit({ ...result, dropped: { files: result.finished } });
      Deno.removeSync(here.store.blobs.path(objectsOf(result)[0]!.digest));
      assert.deepEqual(await pushResult(here.store, remote, result.key), { fresh: true, bytes: 0 });
      assert.deepEqual(await fetchResult(there.store, remote, result.key), { state: "fetched", bytes: 0 });
      const found = there.store.lookup(result.key);
      assert.deepEqual(found.state === "found" && found.result.dropped, { files: result.finished });
    });

    await test.step("wrong bytes are read again; where they stay wrong, they and their result are set aside", async () => {
      using here = new ScratchStore();
      using there = new ScratchStore();
      const remote = moto.remote("damaged", faulty.url);
      const result = await here.add("one", { a: bytesOf("some text") });
      await pushResult(here.store, remote, result.key);
      const object = objectPath(objectsOf(result)[0]!.digest);
      faulty.rules = [{ fault: { kind: "flip", at: 2 }, method: "GET", path: object, times: 2 }];
      assert.equal((await fetchResult(there.store, remote, result.key)).state, "fetched");
      using third = new ScratchStore();
      faulty.rules = [];
      await remote.remove([object]);
      await remote.put(object, bytesOf("same text"));
      const fetched = await fetchResult(third.store, remote, result.key);
      assert.deepEqual(fetched, { state: "damaged", why: `${object} has other bytes than it should` });
      assert.equal(third.store.lookup(result.key).state, "missing");
      assert.deepEqual([...third.store.blobs.list()], []);
      const aside = ["damaged/" + object.replaceAll("/", "-"), `damaged/${result.key}.json`].sort();
      assert.deepEqual(await paths(remote), aside);
      // Whoever has it puts it there again.
      assert.deepEqual(await pushResult(here.store, remote, result.key), { fresh: true, bytes: 9 });
      assert.equal((await fetchResult(third.store, remote, result.key)).state, "fetched");
    });

    await test.step("a damaged record, a missing object and a record of another key are no results", async () => {
      using here = new ScratchStore();
      using there = new ScratchStore();
      const remote = moto.remote("records");
      const [one, two, three] = [
        await here.add("1", { a: bytesOf("1") }),
        await here.add("2", { a: bytesOf("2") }),
        digestBytes("3"),
      ];
      await remote.put(recordPath(one.key), here.store.recordBytes(one.key)!);
      await remote.put(
        recordPath(two.key),
        here.store.recordBytes(two.key)!.map((byte, i) => i === 100 ? byte ^ 1 : byte),
      );
      await remote.put(recordPath(three), here.store.recordBytes(one.key)!);
      const states = [];
      for (const key of [one.key, two.key, three]) {
        states.push((await fetchResult(there.store, remote, key)).state);
      }
      assert.deepEqual(states, ["damaged", "damaged", "damaged"]);
      assert.deepEqual(await paths(remote, "results/"), []);
    });

    await test.step("errors and lost answers are tried again; a no is told as one, without keys and addresses", async () => {
      const remote = moto.remote("faults", faulty.url);
      faulty.rules = [
        { fault: { kind: "status", status: 500 }, path: "one", times: 2 },
        { fault: { kind: "lost", status: 500 }, path: "two", times: 1 },
        { fault: { kind: "status", status: 409 }, path: "three", times: 1 },
        { fault: { kind: "status", status: 403 }, path: "four" },
        { fault: { kind: "status", status: 503 }, path: "five" },
      ];
      assert.equal(await remote.put("one", bytesOf("1")), true);
      assert.equal(await remote.put("two", bytesOf("2")), false, "it is there: it was put at the first try");
      assert.equal(text(await wholeFile(remote, "two")), "2");
      assert.equal(await remote.put("three", bytesOf("3")), true);
      for (const [path, code] of [["four", "remote/refused"], ["five", "remote/unreachable"]] as const) {
        const error = await remote.put(path, bytesOf("no")).then(() => undefined, (error) => error);
        assert.equal(codeOf(error), code);
        assert.doesNotMatch(error.message + error.hint, /127\.0\.0\.1|AKIA|secret\+key/);
      }
      const nowhere = new S3Remote(
        new URL("s3://no-such-bucket/x"),
        { ...ACCESS, endpoint: moto.endpoint },
        HASTE,
      );
      await assert.rejects(
        wholeFile(nowhere, "a"),
        /NoSuchBucket/,
      );
      faulty.rules = [];
    });

    await test.step("a server that falls silent is no reason to wait for ever", async () => {
      const remote = moto.remote("silent", faulty.url);
      await remote.put("a", noise(100_000, 1));
      faulty.rules = [{ fault: { kind: "silence", after: 1000 }, method: "GET", path: "silent/a", times: 1 }];
      const hasty = moto.remote("silent", faulty.url, { silence: 300 });
      assert.equal((await wholeFile(hasty, "a"))!.length, 100_000);
    });

    await test.step("thousands of questions take few requests", async () => {
      const remote = moto.remote("many", faulty.url);
      for (let i = 0; i < 20; i++) await remote.put(recordPath(digestBytes(`${i}`)), bytesOf("x"));
      faulty.asked.length = 0;
      const asked = Array.from({ length: 3000 }, (_, i) => recordPath(digestBytes(`${i}`)));
      assert.equal((await remote.has(asked)).size, 20);
      assert.ok(faulty.asked.length <= 16, `${faulty.asked.length} requests`);
    });

    await test.step("a sweep goes by what the remote's runs reach, and leaves alone what is young", async () => {
      using here = new ScratchStore();
      const remote = moto.remote("swept");
      const kept = await here.add("kept", { a: bytesOf("kept"), b: bytesOf("shared") });
      const gone = await here.add("gone", { a: bytesOf("gone"), b: bytesOf("shared") });
      for (const { key } of [kept, gone]) await pushResult(here.store, remote, key);
      await remote.put("objects/ab/" + "0".repeat(62), bytesOf("nobody's"));
      const now = Date.now(), days = (n: number) => n * 86_400_000;
      const young = await sweepRemote(remote, { days: 30, dryRun: false, now });
      assert.deepEqual([young.results, young.objects, young.keptResults], [0, 0, 2]);
      // Seen in 40 days, with a run of 20 days before that.
      await carriedAt(remote, (now + days(20)) / 1000, { [kept.key]: "kept" });
      const later = { days: 30, now: now + days(40) };
      const would = await sweepRemote(remote, { ...later, dryRun: true });
      const did = await sweepRemote(remote, { ...later, dryRun: false });
      assert.deepEqual({ ...would, uploads: 0 }, { ...did, uploads: 0 });
      assert.deepEqual([did.results, did.objects, did.keptResults], [1, 2, 1]);
      const left = [recordPath(kept.key), ...parcelsOf(kept).map(({ path }) => path)].sort();
      assert.deepEqual((await paths(remote)).filter((path) => !path.startsWith("runs/")), left);
    });
  },
});
