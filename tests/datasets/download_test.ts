import assert from "node:assert/strict";
import fc from "fast-check";
import { download } from "../../datasets/download.ts";
import { DataSetDamaged, DataSetError, FetchError } from "../../datasets/errors.ts";
import { fetchDataSet, type FetchEvent } from "../../datasets/fetch.ts";
import { holds } from "../property.ts";
import {
  entryOf,
  FaultServer,
  type ServerFault,
  setUp,
  sha256,
  size,
  someBytes,
  TempFolder,
} from "./fault_server.ts";

const inPlace = ["sample/", "sample/.retort-fetch.lock", "sample/a/", "sample/a/data.bin"];

Deno.test("a broken connection is gone on with where it broke", async () => {
  await using at = setUp();
  at.server.faults = [{ kind: "break", after: 100_000 }, { kind: "short", after: 50_000 }];
  await at.run();
  assert.ok(await at.isGood());
  assert.deepEqual(at.server.seen.map((one) => one.range), [null, "bytes=100000-", "bytes=150000-"]);
  assert.deepEqual(at.folder.list(), inPlace);
});

Deno.test("progress makes retries start to count anew", async () => {
  await using at = setUp();
  at.server.faults = Array.from({ length: 9 }, () => ({ kind: "short", after: 30_000 }) as const);
  await at.run({ retries: 1 });
  assert.ok(await at.isGood());
  assert.equal(at.server.seen.length, 10);
});

Deno.test("a server that ignores Range restarts the file, and cannot go on so for ever", async () => {
  await using at = setUp();
  at.server.faults = [{ kind: "break", after: 100_000 }, { kind: "noRange" }];
  await at.run();
  assert.ok(await at.isGood());
  assert.equal(at.server.seen.length, 2);

  await using other = setUp();
  other.server.faults = Array.from({ length: 50 }, () => ({ kind: "noRangeShort", after: 100_000 }) as const);
  await assert.rejects(other.run({ retries: 2 }), /ended after 100000 of 300000 bytes \(tried 3 times\)/);
  assert.equal(other.server.seen.length, 3);
});

Deno.test("a server error passes; its Retry-After is kept to", async () => {
  await using at = setUp();
  at.server.faults = [
    { kind: "status", status: 500 },
    { kind: "status", status: 429, retryAfter: "0" },
    { kind: "status", status: 503, retryAfter: new Date(Date.now() - 5000).toUTCString() },
  ];
  const events: FetchEvent[] = [];
  await at.run({ onProgress: (event) => events.push(event), backoff: 3 });
  assert.ok(await at.isGood());
  const delays = events.flatMap((event) => (event.kind === "retry" ? [event.delay] : []));
  assert.deepEqual(delays, [3, 0, 0]);
});

Deno.test("a server that stays broken is given up", async () => {
  await using at = setUp();
  at.server.faults = Array.from({ length: 50 }, () => ({ kind: "status", status: 503 }) as const);
  await assert.rejects(at.run({ retries: 2 }), (error) => {
    assert.ok(error instanceof FetchError);
    assert.match(error.message, /HTTP 503.*\(tried 3 times\)/);
    return true;
  });
  assert.equal(at.server.seen.length, 3);
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const url = `http://127.0.0.1:${listener.addr.port}/x`;
  listener.close();
  const nobody = {
    urls: [url],
    path: `${at.folder.path}/x`,
    bytes: 1,
    digest: { algorithm: "sha256" as const, hex: "0".repeat(64) },
    retries: 0,
  };
  await assert.rejects(download(nobody), /no connection to 127\.0\.0\.1:\d+: .*refused/);
});

Deno.test("404 is final, names the address and says what to do", async () => {
  await using at = setUp();
  at.server.files.clear();
  await assert.rejects(at.run(), (error) => {
    assert.ok(error instanceof FetchError);
    assert.match(error.message, /127\.0\.0\.1:\d+\/a\/data\.bin: HTTP 404 Not Found/);
    assert.ok(error.hint!.includes(at.path) && error.hint!.includes(at.file.sha256!));
    return true;
  });
  assert.equal(at.server.seen.length, 1);
});

Deno.test("a mirror is tried when the first address fails", async () => {
  await using at = setUp();
  const file = { ...at.file, url: at.server.url("gone"), mirrors: [at.server.url("a/data.bin")] };
  const events: FetchEvent[] = [];
  await fetchDataSet(entryOf([file]), {
    folder: at.folder.path,
    backoff: 1,
    onProgress: (event) => events.push(event),
  });
  assert.ok(await at.isGood());
  assert.ok(events.some((event) => event.kind === "mirror" && event.reason === "HTTP 404 Not Found"));
});

Deno.test("redirects are followed, loops are not", async () => {
  await using at = setUp();
  at.server.faults = [{ kind: "redirect", to: "/a/data.bin" }];
  await at.run();
  assert.ok(await at.isGood());
  await Deno.remove(at.path);
  at.server.faults = Array.from({ length: 30 }, () => ({ kind: "redirect", to: "/a/data.bin" }) as const);
  await assert.rejects(at.run(), FetchError);
});

Deno.test("wrong bytes are refused and not kept", async () => {
  await using at = setUp();
  at.server.faults = [{ kind: "wrongBytes" }];
  await assert.rejects(at.run(), (error) => {
    assert.ok(error instanceof DataSetDamaged);
    assert.equal(error.file, at.file.url);
    assert.equal(error.expected, at.file.sha256);
    assert.match(error.found, /^[0-9a-f]{64}$/);
    return true;
  });
  assert.deepEqual(at.folder.list(), ["sample/", "sample/.retort-fetch.lock", "sample/a/"]);
});

Deno.test("a file of another size is refused before it is taken", async () => {
  await using at = setUp();
  at.server.files.set("a/data.bin", someBytes(size + 1));
  await assert.rejects(at.run(), /the file there has 300001 bytes, expected 300000/);
  at.server.files.set("a/data.bin", someBytes(size));
  at.server.faults = [{ kind: "tooLong" }];
  await assert.rejects(at.run(), /sends more than the expected 300000 bytes/);
  assert.ok(!at.folder.list().some((path) => path.endsWith(".part")));
});

Deno.test("a part of other bytes is dropped and the file begun anew", async () => {
  await using at = setUp();
  at.folder.write("sample/a/data.bin.part", someBytes(1000, 7));
  await at.run();
  assert.ok(await at.isGood());
  assert.deepEqual(at.server.seen.map((one) => one.range), ["bytes=1000-", null]);
});

Deno.test("a complete part needs no request; one that is too long is dropped", async () => {
  await using at = setUp();
  at.folder.write("sample/a/data.bin.part", someBytes(size));
  await at.run();
  assert.ok(await at.isGood());
  assert.equal(at.server.seen.length, 0);
  await Deno.remove(at.path);
  at.folder.write("sample/a/data.bin.part", someBytes(size + 5));
  await at.run();
  assert.ok(await at.isGood());
});

Deno.test("a changed ETag, another range and 416 restart the file", async () => {
  await using at = setUp();
  at.server.faults = [{ kind: "break", after: 1000 }];
  const stop = new AbortController();
  const stopped = at.run({
    signal: stop.signal,
    onProgress: (event) => event.kind === "retry" && stop.abort(new Error("stop")),
  });
  await assert.rejects(stopped, /stop/);
  at.server.etag = '"two"';
  await at.run();
  assert.ok(await at.isGood());
  assert.deepEqual(at.server.seen.map((one) => one.range), [null, "bytes=1000-", null]);

  for (const fault of [{ kind: "wrongRange" }, { kind: "status", status: 416 }] as const) {
    await Deno.remove(at.path);
    at.folder.write("sample/a/data.bin.part", someBytes(size).subarray(0, 2000));
    at.server.faults = [fault];
    await at.run();
    assert.ok(await at.isGood());
  }
});

Deno.test("a server that falls silent is given up and asked again", async () => {
  await using at = setUp();
  at.server.faults = [{ kind: "hang", after: 40_000 }];
  const events: FetchEvent[] = [];
  await at.run({ stall: 100, onProgress: (event) => events.push(event) });
  assert.ok(await at.isGood());
  const retry = events.find((event) => event.kind === "retry");
  assert.match(retry?.kind === "retry" ? retry.reason : "", /sent nothing for 0\.1 s/);
  assert.equal(at.server.seen[1]!.range, "bytes=40000-");
});

Deno.test("whatever the server does, the file is good or absent, and a good server finishes it", async (test) => {
  const after = fc.integer({ min: 1, max: 60_000 });
  const fault: fc.Arbitrary<ServerFault> = fc.oneof(
    fc.record({ kind: fc.constant("short" as const), after }),
    fc.record({ kind: fc.constant("noRangeShort" as const), after }),
    fc.record({ kind: fc.constant("status" as const), status: fc.constantFrom(404, 416, 429, 500, 503) }),
    fc.constantFrom<ServerFault>(
      { kind: "none" },
      { kind: "noRange" },
      { kind: "wrongBytes" },
      { kind: "tooLong" },
      { kind: "wrongRange" },
    ),
  );
  const bytes = someBytes(50_000, 3);
  await using server = new FaultServer();
  const file = server.add("data.bin", bytes);
  await holds(
    test,
    fc.asyncProperty(fc.array(fault, { maxLength: 6 }), fc.boolean(), async (faults, etag) => {
      using folder = new TempFolder();
      server.etag = etag ? '"one"' : undefined;
      server.faults = [...faults];
      const path = `${folder.path}/sample/data.bin`;
      const run = () => fetchDataSet(entryOf([file]), { folder: folder.path, backoff: 0, retries: 1 });
      for (let tries = 0; server.faults.length > 0; tries++) {
        assert.ok(tries <= faults.length);
        await run().catch((error) => assert.ok(error instanceof DataSetError, error));
        const there = await Deno.readFile(path).catch(() => undefined);
        if (there !== undefined) {
          assert.equal(sha256(there), file.sha256);
          break;
        }
      }
      server.faults = [];
      await run();
      assert.equal(sha256(await Deno.readFile(path)), file.sha256);
      assert.deepEqual(folder.list(), ["sample/", "sample/.retort-fetch.lock", "sample/data.bin"]);
    }),
    { numRuns: 40 },
  );
});
