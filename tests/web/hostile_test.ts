import assert from "node:assert/strict";
import { Records } from "../../runner/records/records.ts";
import { Store } from "../../runner/store/store.ts";
import { serveDashboard } from "../../web/dashboard/server.ts";
import { command, fixture, Folder } from "../command.ts";
import { MARKUP } from "../fixtures/pipelines/shown.ts";
import { IN_BROWSER, launch, open } from "./browser.ts";
import { until } from "./serving.ts";

/** Ten thousand runs whose names are markup, one of them to be found. */
function addRuns(store: string): string {
  using records = new Records({ root: store });
  const [first] = records.runs({ limit: 1 });
  records.transaction(() => {
    for (let i = 0; i < 10_000; i++) {
      const command = i === 4321 ? "deno task run <b>needle</b>" : "deno task run x";
      records.beginRun({ ...first!, id: `run-${i}`, pipeline: MARKUP, started: i, command });
    }
  });
  return first!.id;
}

Deno.test({
  name: "what is hostile in a store is text in a browser, comes in pages, and is refused in words",
  ...IN_BROWSER,
  async fn() {
    using folder = new Folder();
    const run = await command("run", [fixture("shown"), "--store", folder.store, "--set", "seeds=1"]);
    assert.equal(run.code, 0, run.stderr);
    const id = addRuns(folder.store);
    const store = Store.open(folder.store);
    await using served = await serveDashboard(store);
    const browser = await launch();
    try {
      const { page, complaints } = await open(browser, served.url);
      const text = async () => await page.innerText("main");
      await until("ten thousand runs", async () => /1 to 50 of 10001/.test(await text()));
      // The first rows come alone, the others of the page a moment later.
      await until("a page of rows", async () => await page.locator("tbody tr").count() === 50);
      await page.getByRole("link", { name: "older" }).focus();
      await page.keyboard.press("Enter");
      await until("the next page", async () => /51 to 100 of 10001/.test(await text()));
      assert.ok((await text()).includes(MARKUP), "names are shown as they are");
      await page.getByRole("searchbox").focus();
      await page.keyboard.type("<b>NEEDLE");
      await until("the one that fits", async () => /1 to 1 of 1\b/.test(await text()));
      assert.match(await text(), /run-4321/);

      // A log of 50 MB: its end, then earlier pieces, on a page that stays small.
      const line = `${"<i>x</i>".repeat(12)}\n`;
      const node = "choose";
      Deno.writeTextFileSync(
        `${folder.store}/runs/${id}/${logOf(folder.store, id, node)}`,
        line.repeat(520_000),
      );
      await page.goto(`${served.url}#/run/${id}/node/${node}`);
      const log = page.locator("pre.log");
      await until("the log's end", async () => (await log.innerText()).includes("<i>x</i><i>x</i>"));
      assert.match(await text(), /50\.\d MB come before|4\d\.\d MB come before/);
      const before = (await log.innerText()).length;
      assert.ok(before <= 1 << 16);
      await page.getByRole("button", { name: "Earlier lines" }).focus();
      await page.keyboard.press("Enter");
      await until("earlier lines", async () => (await log.innerText()).length > before);
      assert.equal(await log.locator("i").count(), 0, "no markup");

      // A damaged object is told in its place; names that nothing has are refused, also where they look like paths.
      const { digest } = damaged(store, folder.store);
      await page.goto(`${served.url}#/artifact/${digest}`);
      await until("the damage", async () => /cannot be shown: .*damaged/.test(await text()));
      for (const odd of ["..%2F..%2Fetc%2Fpasswd", "%00", MARKUP, "%E0%A4%A"]) {
        await page.goto(`${served.url}#/artifact/${odd}`);
        await until(`a refusal of ${odd}`, async () => /nothing is named/.test(await text()));
        await page.goto(`${served.url}#/run/${odd}`);
        await until(`a refusal of run ${odd}`, async () => /there is no run/.test(await text()));
      }
      await page.goto(`${served.url}#/compare/${id},${MARKUP}`);
      await until("no comparison", async () => /there is no run/.test(await text()));

      // The records are damaged and mended under an open page.
      await page.goto(`${served.url}#/runs`);
      await until("the list", async () => /of 10001/.test(await text()));
      const records = `${folder.store}/records.sqlite`;
      const replace = (bytes: Uint8Array) => {
        Deno.writeFileSync(`${records}.new`, bytes);
        Deno.renameSync(`${records}.new`, records);
      };
      const whole = Deno.readFileSync(records);
      replace(new TextEncoder().encode("no database ".repeat(4000)));
      await until("the fault", async () => /records .*damaged/.test(await text()));
      replace(whole);
      await until("it is well again", async () => /\blive\b/.test(await text()));

      assert.notEqual(await page.title(), "broken", "no markup is run");
      const answer = await page.goto(served.url.replace(/\/[^/]+\/$/, "/wrong-token/"));
      assert.equal(answer!.status(), 403);
      assert.match(await page.innerText("body"), /secret in the address is missing or wrong/);
      assert.deepEqual(complaints.filter((one) => !/status of (404|403|500)/.test(one)), []);
    } finally {
      await browser.close();
    }
  },
});

/** The name of a node's log file. */
function logOf(store: string, run: string, node: string): string {
  using records = new Records({ root: store }, { readOnly: true });
  return records.nodes(run).find((one) => one.name === node)!.log!.split("/").at(-1)!;
}

/** Writes other bytes over an object of the artifact `notes`. */
function damaged(store: Store, root: string): { digest: string } {
  using records = new Records({ root }, { readOnly: true });
  const node = records.nodes(records.findRuns("2")[0]!.id).find((one) => one.name === "choose")!;
  const { artifact } = records.artifactsOfKey(node.key!).find((one) => one.output === "notes")!;
  const object = store.blobs.path(artifact.files[0]!.digest);
  Deno.chmodSync(object, 0o644);
  Deno.writeTextFileSync(object, "no longer what it was");
  return { digest: artifact.digest };
}
