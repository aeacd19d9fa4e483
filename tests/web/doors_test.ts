import assert from "node:assert/strict";
import { serveDashboard } from "../../web/dashboard/server.ts";
import { IN_BROWSER, launch, open } from "./browser.ts";
import { WrittenStore } from "./records.ts";
import { until } from "./serving.ts";

/** Half-open connections that a dashboard is left with, more than it takes at once. */
const HALF_OPEN = 800;

/** What `ssh -L` does: a port of this machine whose connections lead to another one. */
function tunnelTo(port: () => number): { readonly port: number } & Disposable {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const lead = async (from: Deno.Conn) => {
    try {
      const to = await Deno.connect({ hostname: "127.0.0.1", port: port() });
      // Either side may end first; the other is then cut off.
      from.readable.pipeTo(to.writable).catch(() => {});
      to.readable.pipeTo(from.writable).catch(() => {});
    } catch {
      from.close(); // Nobody listens there just now.
    }
  };
  (async () => {
    for await (const from of listener) lead(from);
  })().catch(() => {});
  return { port: (listener.addr as Deno.NetAddr).port, [Symbol.dispose]: () => listener.close() };
}

Deno.test({
  name:
    "in a browser: through a tunnel by the name that is told, at the remembered port, beside half-open connections",
  ...IN_BROWSER,
  async fn() {
    using written = new WrittenStore();
    written.addRun("first");
    let dashboard = await serveDashboard(written.store);
    using tunnel = tunnelTo(() => Number(new URL(dashboard.url).port));
    const browser = await launch();
    try {
      // Without its name a tunnel is refused, with the words that let it in.
      const { page } = await open(
        browser,
        `http://localhost:${tunnel.port}${new URL(dashboard.url).pathname}`,
      );
      const said = await page.innerText("body");
      const [, name] = /start the dashboard with --public-host (\S+)/.exec(said) ?? [];
      assert.equal(name, `localhost:${tunnel.port}`, said);
      await dashboard[Symbol.asyncDispose]();
      const address = dashboard.url;
      dashboard = await serveDashboard(written.store, { publicHosts: [name] });
      assert.equal(dashboard.url, address, "it is where it was");

      // Through it all works: the list is live, and a note is written.
      await page.goto(dashboard.publicUrls[0]!);
      const text = async () => await page.innerText("main");
      await page.getByText("live", { exact: true }).waitFor();
      written.addRun("second", { started: 2000 });
      await until("the new run", async () => /1 to 2 of 2/.test(await text()));
      await page.locator("td a", { hasText: "second" }).click();
      await page.getByRole("textbox", { name: "Note" }).fill("through the tunnel");
      await page.getByRole("button", { name: "Save" }).click();
      await until("it is kept", () => written.records.annotation("second").note === "through the tunnel");

      // A second dashboard of the store has another port, the same secret and the same runs, and leaves the first its place.
      const local = await open(browser, `${dashboard.url}#/runs`);
      await local.page.getByText("live", { exact: true }).waitFor();
      {
        await using other = await serveDashboard(written.store, { patience: 1000 });
        assert.notEqual(other.url, dashboard.url);
        const { page: beside } = await open(browser, other.url);
        await beside.getByText("through the tunnel").waitFor();

        // Connections that ask nothing keep nobody out for longer than they are waited for.
        const port = Number(new URL(other.url).port);
        const half = await Promise.all(
          Array.from({ length: HALF_OPEN }, () => Deno.connect({ hostname: "127.0.0.1", port })),
        );
        await Promise.all(
          half.map((one) => one.write(new TextEncoder().encode("GET / HTTP/1.1\r\n")).catch(() => 0)),
        );
        await until("the page beside them", async () => {
          try {
            await beside.goto("about:blank");
            await beside.goto(other.url, { timeout: 3000 });
            await beside.getByText("through the tunnel").waitFor({ timeout: 3000 });
            return true;
          } catch {
            return false;
          }
        });
        for (const one of half) one.close();
      }
      await dashboard[Symbol.asyncDispose]();
      await local.page.getByText("connection lost").waitFor();
      dashboard = await serveDashboard(written.store);
      assert.equal(dashboard.url, address);
      written.addRun("third", { started: 3000 });
      await until(
        "the open page goes on",
        async () => /1 to 3 of 3/.test(await local.page.innerText("main")),
      );
    } finally {
      await browser.close();
      await dashboard[Symbol.asyncDispose]();
    }
  },
});
