import assert from "node:assert/strict";
import { command, fixture, Folder } from "../command.ts";
import { IN_BROWSER, launch, open } from "./browser.ts";
import { Served, until } from "./serving.ts";

Deno.test({
  name: "a killed run is killed everywhere: terminal, list, filter, its page and its nodes, and never live",
  ...IN_BROWSER,
  async fn() {
    using folder = new Folder();
    const store = ["--store", folder.store];
    const set = ["seeds=1", "rates=[0.01]", "pause=5", `until=${folder.path}/never`];
    let child: Deno.ChildProcess | undefined;
    const run = command("run", [fixture("shown"), ...store, ...set.flatMap((one) => ["--set", one])], {
      onStart: (started) => child = started,
    });
    const listed = async () => JSON.parse((await command("runs", [...store, "--json"])).stdout || "[]");
    await until("a node is at work", async () => (await listed())[0]?.nodes.running === 1);
    child!.kill("SIGKILL");
    await run;

    const [{ id, status, nodes }] = await listed();
    assert.deepEqual([status, nodes], ["killed", { killed: 1, unused: 1 }]);
    const told = await command("runs", [id, ...store]);
    assert.match(told.stdout, /status +killed/);
    assert.doesNotMatch(told.stdout, /running|pending/);

    await command("run", [fixture("shown"), ...store, "--set", "seeds=1"]);
    await using served = await Served.start(folder.store);
    const browser = await launch();
    try {
      const { page } = await open(browser, served.url);
      const text = async () => await page.innerText("main");
      await until("the list", async () => /1 to 2 of 2/.test(await text()));
      const rows = async () => await page.locator("tbody").innerText();
      assert.match(await rows(), /✗ killed/);
      assert.doesNotMatch(await rows(), /running|waiting/);
      const status = page.getByLabel("Status");
      await status.selectOption("running");
      await until("none is running", async () => /no runs/.test(await text()));
      await status.selectOption("killed");
      await until("the killed one", async () => /1 to 1 of 1\b/.test(await text()));
      assert.match(await rows(), new RegExp(id));

      await page.goto(`${served.url}#/run/${id}`);
      await page.locator(".graph svg").waitFor();
      assert.doesNotMatch(await text(), /\blive\b|running|waiting/);
      assert.match(await text(), /✗ killed[\s\S]*– not begun/);
      assert.equal(await page.locator(".graph .state-killed").count(), 1);
      await page.locator("td a", { hasText: "train" }).first().press("Enter");
      await page.locator("pre.log").waitFor();
      assert.match(await text(), /✗ killed/);
      assert.doesNotMatch(await text(), /\blive\b|running/);
      // A finished node that printed nothing says so.
      const { runs: [{ id: other }] } = await (await fetch(`${served.url}api/runs?status=done`)).json();
      await page.goto(`${served.url}#/run/${other}/node/choose`);
      await until("its log", async () => /It printed nothing/.test(await text()));
    } finally {
      await browser.close();
    }
  },
});
