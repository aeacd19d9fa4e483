import assert from "node:assert/strict";
import { command, fixture, Folder } from "../command.ts";
import { Records } from "../../runner/records/records.ts";
import type { RunRecord } from "../../runner/records/rows.ts";
import { WrittenStore } from "./records.ts";
import { Store } from "../../runner/store/store.ts";
import { type Dashboard, serveDashboard } from "../../web/dashboard/server.ts";

// deno-lint-ignore no-explicit-any -- JSON of several addresses, checked below
type Any = any;

/** A store with one run, served. */
async function served(): Promise<
  & { folder: Folder; store: Store; dashboard: Dashboard; json: (path: string) => Promise<Any> }
  & AsyncDisposable
> {
  const folder = new Folder();
  const run = await command("run", [fixture("shown"), "--store", folder.store, "--set", "seeds=1"]);
  assert.equal(run.code, 0, run.stderr);
  const store = Store.open(folder.store);
  const dashboard = await serveDashboard(store);
  return {
    folder,
    store,
    dashboard,
    json: async (path) => {
      const response = await fetch(`${dashboard.url}api/${path}`);
      return { status: response.status, ...await response.json() };
    },
    async [Symbol.asyncDispose]() {
      await dashboard[Symbol.asyncDispose]();
      folder[Symbol.dispose]();
    },
  };
}

/** Sends a request word for word and returns its status. */
async function raw(port: number, lines: readonly string[]): Promise<number> {
  using connection = await Deno.connect({ hostname: "127.0.0.1", port });
  await connection.write(new TextEncoder().encode(`${lines.join("\r\n")}\r\nConnection: close\r\n\r\n`));
  const text = await new Response(connection.readable).text();
  return Number(/^HTTP\/1\.1 (\d+)/.exec(text)?.[1]);
}

Deno.test("only who knows the secret, on this machine, reads; nobody writes", async () => {
  await using one = await served();
  const url = new URL(one.dashboard.url);
  const port = Number(url.port);
  const host = `Host: 127.0.0.1:${port}`;
  const path = url.pathname;
  assert.equal(await raw(port, [`GET ${path} HTTP/1.1`, host]), 200);
  const wrong = `${path.slice(0, -2)}${path.at(-2) === "A" ? "B" : "A"}/`;
  for (
    const other of [wrong, "/", "/api/runs", `/x${path}`, path.slice(0, -1), `${path.slice(0, 20)}/api/runs`]
  ) {
    assert.equal(await raw(port, [`GET ${other} HTTP/1.1`, host]), 403, other);
  }
  assert.equal(await raw(port, [`GET ${path}api/runs HTTP/1.1`, `Host: evil.example:${port}`]), 403);
  assert.equal(await raw(port, [`GET ${path}api/runs HTTP/1.1`, host, "Sec-Fetch-Site: cross-site"]), 403);
  assert.equal(await raw(port, [`POST ${path}api/runs HTTP/1.1`, host, "Content-Length: 0"]), 405);
  assert.equal(
    await raw(port, [`OPTIONS ${path}api/runs HTTP/1.1`, host, "Origin: https://evil.example"]),
    405,
  );

  const page = await fetch(one.dashboard.url);
  await page.body?.cancel();
  assert.match(page.headers.get("content-security-policy")!, /default-src 'none'.*frame-ancestors 'none'/);
  assert.equal(page.headers.get("access-control-allow-origin"), null);
  assert.equal(page.headers.get("referrer-policy"), "no-referrer");
  const kept = Deno.statSync(`${one.folder.store}/dashboard.json`);
  if (Deno.build.os !== "windows") assert.equal(kept.mode! & 0o077, 0, "nobody else reads the secret");
  await assert.rejects(
    Deno.connect({ hostname: "127.0.0.2", port }).then((c) => c.close()),
    "one address only",
  );
});

Deno.test("tunnels and proxies are let in by the name that was given for them, and refused with what to do", async () => {
  using written = new WrittenStore();
  await using dashboard = await serveDashboard(written.store, {
    publicHosts: ["localhost:9999", "Retort.example"],
  });
  const { port, pathname } = new URL(dashboard.url);
  for (const host of ["localhost:9999", "retort.example", `127.0.0.1:${port}`]) {
    assert.equal(await raw(Number(port), [`GET ${pathname}api/runs HTTP/1.1`, `Host: ${host}`]), 200, host);
  }
  for (const host of ["localhost:9998", "retort.example:81", "x.retort.example", "<b>", ""]) {
    assert.equal(await raw(Number(port), [`GET ${pathname}api/runs HTTP/1.1`, `Host: ${host}`]), 403, host);
  }
  using tunnel = await Deno.connect({ hostname: "127.0.0.1", port: Number(port) });
  await tunnel.write(
    new TextEncoder().encode(`GET / HTTP/1.1\r\nHost: localhost:9998\r\nConnection: close\r\n\r\n`),
  );
  assert.match(await new Response(tunnel.readable).text(), /--public-host localhost:9998/);
  assert.deepEqual(dashboard.publicUrls, [
    `http://localhost:9999${pathname}`,
    `http://retort.example${pathname}`,
  ]);
  await assert.rejects(
    serveDashboard(written.store, { publicHosts: ["http://x/"] }),
    /not NAME or NAME:PORT/,
  );
});

Deno.test("of two dashboards of a store the first is remembered", async () => {
  using written = new WrittenStore();
  const remembered = () => JSON.parse(Deno.readTextFileSync(`${written.store.root}/dashboard.json`)).port;
  // Neither the default nor one that the system hands out: dashboards of other tests take those in between.
  const port = 20_000 + Deno.pid % 10_000;
  const first = await serveDashboard(written.store, { port });
  assert.equal(Number(new URL(first.url).port), port);
  {
    await using second = await serveDashboard(written.store);
    assert.notEqual(Number(new URL(second.url).port), port);
    assert.equal(new URL(second.url).pathname, new URL(first.url).pathname, "the same secret");
    assert.equal(remembered(), port);
  }
  await first[Symbol.asyncDispose]();
  await using third = await serveDashboard(written.store);
  assert.equal(Number(new URL(third.url).port), port);
  assert.deepEqual(written.store.strangers(), []);
});

Deno.test("connections that ask nothing end after a while, and are so many at most", async () => {
  using written = new WrittenStore();
  await using dashboard = await serveDashboard(written.store, { patience: 1000 });
  const { port, pathname } = new URL(dashboard.url);
  const connect = () => Deno.connect({ hostname: "127.0.0.1", port: Number(port) });
  const ended = async (connection: Deno.Conn) => {
    try {
      await new Response(connection.readable).text();
    } catch {
      // Reset.
    }
  };
  const half = await connect();
  await half.write(new TextEncoder().encode("GET / HTTP/1.1\r\nHo"));
  await Promise.all([ended(half), connect().then(ended)]);

  // One more than there may be is closed although it could still ask; when the others are gone, all is as before.
  const many = await Promise.all(Array.from({ length: 520 }, connect));
  await Promise.all(many.map(ended));
  assert.equal(await raw(Number(port), [`GET ${pathname} HTTP/1.1`, `Host: 127.0.0.1:${port}`]), 200);
});

Deno.test("files of artifacts come by their names alone; paths are names that nothing has", async () => {
  await using one = await served();
  const { runs } = await one.json("runs");
  const { view } = await one.json(`run?id=${runs[0].id}`);
  assert.match((await one.json(`graph?id=${runs[0].id}`)).svg, /<svg/);
  const { digest } = view.outputs.find((output: Any) => output.name === "notes");
  const artifact = await one.json(`artifact?digest=${digest}`);
  assert.equal(artifact.previews[0].preview.kind, "text");
  assert.equal(artifact.lineage.inputs.length, 3);
  const file = (name: string) =>
    fetch(`${one.dashboard.url}api/file?digest=${digest}&name=${encodeURIComponent(name)}`);
  const good = await file("text.txt");
  assert.match(await good.text(), /the best rate is 0.03/);
  assert.equal(good.headers.get("content-type"), "application/octet-stream");
  assert.match(good.headers.get("content-disposition")!, /^attachment/);
  for (
    const name of [
      "../text.txt",
      "..%2ftext.txt",
      "/etc/passwd",
      "../../retort-store.json",
      "",
      "text.txt/..",
    ]
  ) {
    const bad = await file(name);
    assert.equal(bad.status, 404, name);
    assert.match((await bad.json()).error, /has no file/);
  }
  for (
    const path of [
      "../retort-store.json",
      "api/../../x",
      "api/file",
      "api/nothing",
      "api/artifact?digest=../x",
    ]
  ) {
    const bad = await fetch(one.dashboard.url + path);
    assert.ok(bad.status === 404 || bad.status === 403, path);
    await bad.body?.cancel();
  }
  assert.equal((await one.json("log?run=latest&node=../../x")).status, 404);
  assert.equal((await one.json(`log?run=latest&node=choose&from=-1`)).status, 400);
  assert.equal((await one.json(`compare?run=latest`)).status, 400);
});

Deno.test("10,000 runs come in pages; filters find those that fit", async () => {
  await using one = await served();
  {
    using records = new Records({ root: one.folder.store });
    const [first] = records.runs({ limit: 1 });
    records.transaction(() => {
      for (let i = 0; i < 10_000; i++) {
        const run: RunRecord = {
          ...first!,
          id: `run-${i}`,
          pipeline: `p${i % 7}`,
          started: i,
          status: "done",
        };
        records.beginRun({ ...run, command: `deno task run ${i === 4321 ? "<b>needle</b>" : ""}` });
      }
    });
  }
  const first = await one.json("runs");
  assert.equal(first.total, 10_001);
  assert.equal(first.runs.length, 50);
  const last = await one.json("runs?offset=9990");
  assert.deepEqual(last.runs.map((run: Any) => run.id).at(-1), "run-0");
  assert.equal((await one.json("runs?pipeline=p3")).total, 1429);
  assert.deepEqual(
    (await one.json(`runs?text=${encodeURIComponent("<B>NEEDLE")}`)).runs.map((r: Any) => r.id),
    [
      "run-4321",
    ],
  );
  for (const odd of ["offset=-5", "offset=zzz", "offset=1e99", "status=nothing"]) {
    assert.equal((await one.json(`runs?${odd}`)).status, 200, odd);
  }
});

Deno.test("a log of 50 MB comes in pieces of whole lines, from its end to its beginning", async () => {
  await using one = await served();
  const { runs: [{ id }] } = await one.json("runs");
  const { view } = await one.json(`run?id=${id}`);
  const { log, name } = view.nodes.find((node: Any) => node.log !== null);
  const line = `${"<i>x</i>".repeat(12)}\n`;
  const path = `${one.folder.store}/${log}`;
  const lines = Math.ceil(50e6 / line.length);
  Deno.writeTextFileSync(path, line.repeat(lines));
  const address = `log?run=${id}&node=${encodeURIComponent(name)}`;
  const end = await one.json(address);
  assert.equal(end.size, lines * line.length);
  assert.ok(end.text.length <= 1 << 16 && end.text.startsWith(line) && end.text.endsWith(line));
  const earlier = await one.json(`${address}&before=${end.from}`);
  assert.equal(earlier.to, end.from, "pieces meet");
  const start = await one.json(`${address}&from=0`);
  assert.equal(start.from, 0);
  assert.ok(start.text.endsWith("\n"));
  Deno.removeSync(path);
  assert.equal((await one.json(address)).text, "", "a log that is gone is empty");
});

Deno.test("damaged records and objects are told, and shown again when they are mended", async () => {
  await using one = await served();
  const { runs: [{ id }] } = await one.json("runs");
  const { view } = await one.json(`run?id=${id}`);
  const { digest } = view.outputs.find((output: Any) => output.name === "notes");
  const [file] = (await one.json(`artifact?digest=${digest}`)).artifact.files;
  const object = one.store.blobs.path(file.digest);
  Deno.chmodSync(object, 0o644);
  Deno.writeTextFileSync(object, "no longer what it was");
  const damaged = await one.json(`artifact?digest=${digest}`);
  assert.equal(damaged.status, 200);
  assert.match(damaged.previews[0].preview.message, /damaged/);
  assert.equal((await one.json(`file?digest=${digest}&name=text.txt`)).status, 500);

  const records = `${one.folder.store}/records.sqlite`;
  const whole = Deno.readFileSync(records);
  const replace = (bytes: Uint8Array) => {
    Deno.writeFileSync(`${records}.new`, bytes);
    Deno.renameSync(`${records}.new`, records);
  };
  replace(new TextEncoder().encode("this was a database ".repeat(1000)));
  const broken = await one.json("runs");
  assert.equal(broken.status, 500);
  assert.match(broken.error, /run records .* are damaged/);
  assert.match(broken.hint, /Move the file away/);
  Deno.removeSync(records);
  assert.equal((await one.json("runs")).status, 500);
  replace(whole);
  assert.equal((await one.json("runs")).total, 1);
});
