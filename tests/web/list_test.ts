import assert from "node:assert/strict";
import { serveDashboard } from "../../web/dashboard/server.ts";
import { timeLeft } from "../../web/view/left.ts";
import { command, fixture, Folder } from "../command.ts";
import { assertUsable, IN_BROWSER, launch, open } from "./browser.ts";
import { WrittenStore } from "./records.ts";
import { Served, until } from "./serving.ts";

// deno-lint-ignore no-explicit-any -- JSON of several addresses, checked below
type Any = any;

/** Sixty runs: the loss of run i is (i * 7) % 60, its rate i / 100; run 5 sweeps over sizes. */
function sixtyRuns(): WrittenStore {
  const written = new WrittenStore();
  written.records.transaction(() => {
    for (let i = 0; i < 60; i++) {
      const id = `run-${String(i).padStart(2, "0")}`;
      const pipeline = i % 2 === 0 ? "even" : "=odd";
      written.addRun(id, { pipeline, params: { model: { rate: i / 100 } }, started: 1000 + i, seed: i });
      const metrics = [["loss", 1, 99], ["loss", null, (i * 7) % 60]] as const;
      written.addNode(id, "train", { params: { size: 8 }, key: `key-${i}` }, metrics);
      if (i !== 5) continue;
      written.addNode(id, "train@16", { stage: "train", params: { size: 16 } }, [["loss", null, 50]]);
      written.addNode(id, "rare-node", { state: "failed" });
      written.records.addRunOutput(id, "best", "train", "best");
    }
    // What was found in the store has the metrics of the run that made it.
    written.addRun("cached", { started: 1, pipeline: "even" });
    written.records.addResult({
      ...{ key: "key-3", stage: "train", node: "train", run: "run-03", finished: "2026-01-01T00:00:00Z" },
      ...{ components: { inputs: {} }, outputs: {} },
    } as never, "odd");
    written.addNode("cached", "other", { stage: "train", state: "cached", key: "key-3" });
  });
  return written;
}

Deno.test("runs are sorted, searched, plotted and written as CSV by what they came to", async () => {
  using written = sixtyRuns();
  await using dashboard = await serveDashboard(written.store);
  const json = async (path: string): Promise<Any> => (await fetch(`${dashboard.url}api/${path}`)).json();
  const loss = encodeURIComponent("metric:train/loss");
  const ids = async (query: string) => (await json(`runs?${query}`)).runs.map((run: Any) => run.id);

  const sorted = await json(`runs?sort=${loss}&order=asc&column=${loss}&column=param:model.rate`);
  assert.deepEqual(sorted.runs.slice(0, 3).map((run: Any) => run.cells), [
    [[0], [0]],
    [[1], [0.43]],
    [[2], [0.26]],
  ]);
  const last = await json(`runs?sort=${loss}&order=asc&offset=50&column=${loss}`);
  assert.equal(last.runs.length, 11);
  assert.deepEqual((await ids(`sort=${loss}&order=desc`)).slice(0, 2), ["run-17", "run-34"]);
  assert.deepEqual(
    (await json(`runs?text=cached&column=${loss}`)).runs[0].cells,
    [[21]],
    "of the run that made it",
  );
  const swept = (await json(`runs?text=rare-node&column=${loss}`)).runs;
  assert.deepEqual([swept.length, swept[0].cells, swept[0].sweeps], [1, [[35, 50]], "train ×2 (size)"]);
  assert.deepEqual((await ids("sort=took&order=asc&pipeline=even")).length, 31);
  assert.equal((await json("runs?text=0.47")).total, 1, "parameters are searched");
  assert.equal((await json("runs?text=LOSS")).total, 60, "names of metrics are");
  assert.equal((await json("runs?text=failed")).total, 1, "states are");
  assert.equal((await json("runs?text=best")).total, 1, "outputs are");

  const { params, metrics, nodes } = await json("columns?pipeline=even");
  assert.deepEqual([params, metrics, nodes.train], [["param:model.rate"], ["metric:train/loss"], [
    "node:size",
  ]]);
  const points = await json(`points?x=param:model.rate&y=${loss}&pipeline=even`);
  assert.equal(points.length, 30);
  const sizes = await json(`points?x=node:size&y=${loss}&text=rare-node`);
  assert.deepEqual(sizes.map((one: Any) => [one.node, one.x, one.y]), [["train", 8, 35], [
    "train@16",
    16,
    50,
  ]]);

  const csv = await (await fetch(`${dashboard.url}api/csv?column=${loss}&sort=${loss}&order=asc`)).text();
  const lines = csv.trimEnd().split("\r\n");
  assert.equal(lines.length, 62);
  assert.match(lines[0]!, /^run,pipeline,status,started,seconds,seed,note,tags,metric:train\/loss$/);
  assert.match(
    lines[2]!,
    /^run-43,'=odd,done,1970-01-01T00:17:23.000Z,17,43,,,1$/,
    "no spreadsheet takes a name for a formula",
  );
  for (const bad of ["column=x", `points?x=node:size`, "points?x=param:a&y=param"]) {
    const path = bad.startsWith("points") ? bad : `runs?${bad}`;
    const response = await fetch(`${dashboard.url}api/${path}`);
    await response.body?.cancel();
    assert.equal(response.status, 400, bad);
  }
});

Deno.test("notes, tags and the archive: by the command and by pages, never by other sites; losing the records breaks nothing", async () => {
  using written = sixtyRuns();
  const store = ["--store", written.folder.store];
  const noted = await command("runs", [
    "run-07",
    "--note",
    "the good one",
    "--tag",
    "paper",
    "--tag",
    "b",
    ...store,
  ]);
  assert.equal(noted.code, 0, noted.stderr);
  assert.match(noted.stdout, /notes +#b #paper the good one/);
  await command("runs", ["run-08", "--tag", "paper", "--archive", ...store]);
  const listed = async (...args: string[]) =>
    JSON.parse((await command("runs", [...args, "--json", ...store])).stdout).map((run: Any) => run.id);
  assert.deepEqual(await listed("--tagged", "paper"), ["run-07"]);
  assert.deepEqual(await listed("--tagged", "paper", "--archived"), ["run-08", "run-07"]);
  assert.equal((await command("runs", ["--note", "of none", ...store])).code, 2);
  assert.equal((await command("runs", ["run-07", "--tag", "two words", ...store])).code, 2);
  assert.equal((await command("runs", ["run-07", "--cancel", ...store])).code, 2, "it is not running");

  const dashboard = await serveDashboard(written.store);
  const post = async (body: unknown, headers: Record<string, string> = {}, path = "annotate") => {
    const response = await fetch(`${dashboard.url}api/${path}`, {
      method: "POST",
      headers: { "content-type": "application/json", ...headers },
      body: typeof body === "string" ? body : JSON.stringify(body),
    });
    return { status: response.status, said: await response.text() };
  };
  const runs = ["run-07", "run-09"];
  assert.equal((await post({ runs, addTags: ["c"], archived: true })).status, 200);
  assert.deepEqual(written.records.annotations().get("run-07"), {
    ...{ note: "the good one", tags: ["b", "c", "paper"], archived: true },
  });
  for (
    const [body, headers, status] of [
      [{ runs, note: "x" }, { origin: "https://evil.example" }, 403],
      [{ runs, note: "x" }, { "sec-fetch-site": "cross-site" }, 403],
      [{ runs, note: "x" }, { "content-type": "text/plain" }, 415],
      ["no JSON", {}, 400],
      [{ runs, tags: ["two words"] }, {}, 400],
      [{ runs, other: 1 }, {}, 400],
      [{ runs: ["nothing"], note: "x" }, {}, 404],
    ] as const
  ) {
    const refused = await post(body, headers);
    assert.equal(refused.status, status, refused.said);
  }
  assert.equal((await post({ run: "run-07" }, {}, "cancel")).status, 404);
  const got = await fetch(`${dashboard.url}api/annotate`);
  await got.body?.cancel();
  assert.equal(got.status, 405);
  await dashboard[Symbol.asyncDispose]();

  written.records.close();
  for (const end of ["", "-wal", "-shm"]) {
    await Deno.remove(`${written.store.root}/records.sqlite${end}`).catch(() => {});
  }
  const after = await command("run", [fixture("sweep"), ...store, "--set", "shape=flat", "--set", "nodes=2"]);
  assert.equal(after.code, 0, after.stderr);
  assert.equal((await listed()).length, 1);
});

Deno.test("time left: by progress, by what other nodes of a stage take, at least where nothing is known", () => {
  const node = (name: string, state: Any, started: number | null, seconds: number | null = null) => ({
    ...{ name, stage: name[0]!, state, started, seconds },
  });
  const progress = (node: string, done: number, total: number) => ({
    node,
    done,
    total,
    unit: null,
    time: 0,
  });
  const left = (nodes: Any, reported: Any = []) => timeLeft(nodes, reported, 100);
  assert.equal(left([node("a", "running", 90)]), undefined);
  assert.deepEqual(left([node("a", "running", 90)], [progress("a", 2, 8)]), { seconds: 30, atLeast: false });
  assert.deepEqual(left([node("a1", "ran", 0, 12), node("a2", "running", 96), node("a3", "pending", null)]), {
    ...{ seconds: 20, atLeast: false },
  });
  assert.deepEqual(
    left([node("a", "running", 90), node("b", "running", 80), node("c", "pending", null)], [
      ...[progress("a", 1, 2), progress("b", 1, 3)],
    ]),
    { seconds: 40, atLeast: true },
  );
});

Deno.test({
  name: "in a browser: columns, sorting, a plot, tags, copies, by keyboard and kept in the address",
  ...IN_BROWSER,
  async fn() {
    using written = sixtyRuns();
    const dashboard = await serveDashboard(written.store);
    const browser = await launch();
    try {
      const { page, complaints } = await open(browser, dashboard.url);
      const text = async () => await page.innerText("main");
      await until("the list", async () => /1 to 50 of 61/.test(await text()));
      await page.locator("summary", { hasText: "Columns" }).press("Enter");
      await page.getByLabel("loss of train").press("Space");
      await until(
        "the column",
        async () => await page.locator("th", { hasText: "loss of train" }).count() === 1,
      );
      assert.match(page.url(), /column=metric/);
      await page.locator("th a", { hasText: "loss of train" }).press("Enter");
      await until(
        "the greatest first",
        async () => /run-17/.test(await page.locator("tbody tr").first().innerText()),
      );
      assert.equal(await page.locator("th[aria-sort=descending]").innerText(), "loss of train ▼");
      await page.locator("th a", { hasText: "loss of train" }).press("Enter");
      await until(
        "the least first",
        async () => /run-00/.test(await page.locator("tbody tr").first().innerText()),
      );
      // What is looked for in metrics, outputs, nodes and states; the sweep stands in the list.
      await page.getByLabel("Search").fill("rare-node");
      await until("the run of a node", async () => /1 to 1 of 1/.test(await text()));
      assert.match(await page.locator("table.runs .sweeps").innerText(), /train ×2 \(size\)/);
      await page.goto(`${dashboard.url}#/runs`);
      await page.reload();
      await until(
        "the column is kept",
        async () => await page.locator("th", { hasText: "loss of train" }).count() === 1,
      );

      await page.locator("summary", { hasText: "Plot" }).press("Enter");
      await page.locator("figure.chart circle").first().waitFor();
      assert.equal(
        await page.locator("figure.chart circle").count(),
        61,
        "a point a node, of runs with a rate",
      );
      await page.locator("label", { hasText: /^against/ }).locator("select").selectOption("node:size");
      await until("by size", async () => /loss of train against size/.test(await text()));
      assert.match(page.url(), /x=node/);
      await page.locator("figure.chart circle").last().click();
      await until("what a point stands for", () => /#\/run\/[\w-]+\/node\//.test(page.url()));
      await page.goBack();
      await until("the plot is back", async () => /loss of train against size/.test(await text()));

      await page.getByLabel("choose run run-59").press("Space");
      await page.getByLabel("Tags").fill("kept");
      await page.getByRole("button", { name: "Add tags" }).press("Enter");
      await until("the tag", async () => await page.locator("td a.badge", { hasText: "kept" }).count() === 1);
      await page.getByLabel("choose run run-58").press("Space");
      await page.getByRole("button", { name: "Archive" }).press("Enter");
      await until("one less", async () => /of 60/.test(await text()));
      await page.getByLabel("Archive").selectOption("only");
      await until("it alone", async () => /1 to 1 of 1\b/.test(await text()));

      await page.goto(`${dashboard.url}#/run/run-59`);
      await page.getByRole("textbox", { name: "Note" }).fill("what it was for");
      await page.getByRole("button", { name: "Save" }).press("Enter");
      await until(
        "it is kept",
        () => written.records.annotations().get("run-59")?.note === "what it was for",
      );
      await page.context().grantPermissions(["clipboard-read", "clipboard-write"]);
      await page.getByRole("button", { name: "Copy the run's id" }).press("Enter");
      await until("copied", async () => /copied/.test(await text()));
      assert.equal(await page.evaluate("navigator.clipboard.readText()"), "run-59");
      await page.goto(`${dashboard.url}#/runs?x=param:model.rate`);
      await page.locator("figure.chart circle").first().waitFor();
      await page.locator("summary", { hasText: "Columns" }).press("Enter");
      await page.locator(".columns input").first().waitFor();
      await assertUsable(page);
      assert.deepEqual(complaints, []);
    } finally {
      await browser.close();
      await dashboard[Symbol.asyncDispose]();
    }
  },
});

Deno.test({
  name: "a run is cancelled from its page, which tells how long it has taken and what is left",
  ...IN_BROWSER,
  async fn() {
    using folder = new Folder();
    const set = ["seeds=1", "rates=[0.01]", "steps=100000", "pause=5"].flatMap((one) => ["--set", one]);
    const run = command("run", [fixture("shown"), "--store", folder.store, ...set]);
    await until(
      "it has begun",
      async () =>
        /running/.test((await command("runs", ["--status", "running", "--store", folder.store])).stdout),
    );
    await using served = await Served.start(folder.store);
    const browser = await launch();
    try {
      const { page } = await open(browser, served.url);
      const text = async () => await page.innerText("main");
      await until("what is left", async () => /\d s, (about|at least) .* left/.test(await text()), 40);
      await page.locator("td a").first().press("Enter");
      await page.getByRole("button", { name: "Cancel" }).press("Enter");
      await page.getByRole("button", { name: "Stop it" }).press("Enter");
      const { code, stderr } = await run;
      assert.equal(code, 130, stderr);
      await until("it is told", async () => /‖ interrupted/.test(await text()));
    } finally {
      await browser.close();
    }
  },
});
