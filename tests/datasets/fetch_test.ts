import assert from "node:assert/strict";
import { download } from "../../datasets/download.ts";
import { DataSetError, FetchError } from "../../datasets/errors.ts";
import { RetortError } from "../../foundation/errors.ts";
import { fetchDataSet, type FetchEvent } from "../../datasets/fetch.ts";
import { entryOf, setUp, size, someBytes, TempFolder } from "./fault_server.ts";
import { needs } from "../needs.ts";

const inPlace = ["sample/", "sample/.retort-fetch.lock", "sample/a/", "sample/a/data.bin"];

Deno.test("a data set is fetched once and then kept", async () => {
  await using at = setUp();
  const events: FetchEvent[] = [];
  const located = await at.run({ onProgress: (event) => events.push(event) });
  assert.deepEqual(located, {
    name: "sample",
    edition: "only",
    folder: `${at.folder.path}/sample`,
    files: [{ path: "a/data.bin", location: at.path, bytes: size, sha256: at.file.sha256 }],
  });
  assert.deepEqual(at.folder.list(), inPlace);
  assert.equal(at.server.seen[0]!.encoding, "identity");
  const first = events[0]!, last = events.at(-1)!;
  assert.ok(first.kind === "bytes" && first.bytes === 0 && first.total === size);
  assert.deepEqual(last, { kind: "done", file: "a/data.bin" });
  const again: FetchEvent[] = [];
  await at.run({ onProgress: (event) => again.push(event) });
  assert.deepEqual(again, [{ kind: "kept", file: "a/data.bin" }]);
  assert.equal(at.server.seen.length, 1);
});

Deno.test("a damaged file in place is fetched again", async () => {
  await using at = setUp();
  at.folder.write("sample/a/data.bin", someBytes(size, 2));
  await at.run();
  assert.ok(await at.isGood());
});

Deno.test("an abort leaves a part that the next call goes on with", async () => {
  await using at = setUp();
  at.server.faults = [{ kind: "hang", after: 123_000 }];
  const stop = new AbortController();
  const reason = new Error("Ctrl-C");
  await assert.rejects(
    at.run({
      signal: stop.signal,
      onProgress: (event) => event.kind === "bytes" && event.bytes === 123_000 && stop.abort(reason),
    }),
    (error) => error === reason,
  );
  assert.equal((await Deno.stat(`${at.path}.part`)).size, 123_000);
  await at.run();
  assert.ok(await at.isGood());
  assert.equal(at.server.seen[1]!.range, "bytes=123000-");
  await assert.rejects(at.run({ signal: AbortSignal.abort(reason) }), (error) => error === reason);
});

Deno.test("two fetchers at once take turns and download once", async () => {
  await using at = setUp();
  const events: FetchEvent[] = [];
  const onProgress = (event: FetchEvent) => events.push(event);
  await Promise.all([at.run({ onProgress }), at.run({ onProgress }), at.run({ onProgress })]);
  assert.ok(await at.isGood());
  assert.equal(at.server.seen.length, 1);
  assert.equal(events.filter((event) => event.kind === "waiting").length, 2);
  assert.equal(events.filter((event) => event.kind === "kept").length, 2);
});

Deno.test("waiting for another fetcher can be aborted", async () => {
  await using at = setUp();
  at.server.faults = [{ kind: "hang", after: 10 }];
  const first = new AbortController(), second = new AbortController();
  const holding = Promise.withResolvers<void>();
  const running = at.run({
    signal: first.signal,
    onProgress: (event) => event.kind === "bytes" && holding.resolve(),
  });
  await holding.promise;
  await assert.rejects(
    at.run({
      signal: second.signal,
      onProgress: (event) => event.kind === "waiting" && second.abort(new Error("enough")),
    }),
    /enough/,
  );
  first.abort(new Error("done"));
  await assert.rejects(running, /done/);
});

Deno.test("a killed fetcher leaves a part and no lock", async () => {
  await using at = setUp();
  at.server.faults = [{ kind: "hang", after: 200_000 }];
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-check", new URL("fetch_child.ts", import.meta.url).pathname],
    env: { ENTRY: JSON.stringify(entryOf([at.file])), FOLDER: at.folder.path },
  }).spawn();
  for (let tries = 0;; tries++) {
    const size = await Deno.stat(`${at.path}.part`).then((info) => info.size, () => 0);
    if (size === 200_000) break;
    assert.ok(tries < 1000, "the child downloads nothing");
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  child.kill("SIGKILL");
  await child.status;
  await at.run();
  assert.ok(await at.isGood());
  assert.equal(at.server.seen[1]!.range, "bytes=200000-");
});

Deno.test({
  name: "a full disk is named as such",
  ...needs("linux", Deno.build.os === "linux"),
  async fn() {
    await using at = setUp();
    at.folder.write("sample/a/other", "");
    await Deno.symlink("/dev/full", `${at.path}.part`);
    await assert.rejects(at.run(), (error) => {
      assert.ok(error instanceof RetortError && !(error instanceof FetchError));
      assert.match(error.message, /the disk is full: writing .*data\.bin\.part failed/);
      assert.match(error.hint!, /Free some space/);
      return true;
    });
    assert.equal(at.server.seen.length, 1);
  },
});

Deno.test({
  name: "without permissions, a fetch says which one it needs",
  permissions: { read: true, net: false, write: false },
  async fn() {
    await assert.rejects(fetchDataSet("circuits", { folder: "/nowhere" }), (error) => {
      assert.ok(error instanceof RetortError);
      assert.match(
        error.message,
        /this process is not permitted: making \/nowhere\/circuits: .*--allow-write/,
      );
      return /docs\/permissions\.md/.test(error.hint!);
    });
    await assert.rejects(
      download({
        urls: ["http://127.0.0.1:8999/x"],
        path: "/nowhere/x",
        bytes: 1,
        digest: { algorithm: "sha256" as const, hex: "0".repeat(64) },
      }),
      /may not use the network; it needs --allow-net=127\.0\.0\.1:8999/,
    );
  },
});

Deno.test("an edition without an address says what to put where", async () => {
  using folder = new TempFolder();
  await assert.rejects(
    fetchDataSet("cifar-10", { folder: folder.path, edition: "shuffled-two-batches" }),
    (error) => {
      assert.ok(error instanceof DataSetError);
      assert.match(error.message, /edition `shuffled-two-batches`, has no download address/);
      assert.match(error.hint!, /data_batch_1\.bin\.gz.*cifar-10/);
      return true;
    },
  );
});
