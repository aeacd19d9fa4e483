import { type CDPSession, chromium, type Page } from "playwright-core";

/** A page with nothing but scripts, in Chromium without a GPU. */
export interface Tab extends AsyncDisposable {
  readonly page: Page;
  /** Milliseconds of processor time that the page's process takes for an action, all of its threads together. */
  core(action: () => Promise<unknown>): Promise<number>;
}

/** Opens a page that loads `main.js` of some files. */
export async function openTab(files: ReadonlyMap<string, string | Uint8Array<ArrayBuffer>>): Promise<Tab> {
  const server = Deno.serve({ port: 0, hostname: "127.0.0.1", onListen: () => {} }, ({ url }) => {
    const name = new URL(url).pathname.slice(1), file = files.get(name);
    if (name === "") {
      return new Response('<!doctype html><script type="module" src="/main.js"></script>', {
        headers: { "content-type": "text/html" },
      });
    }
    const type = name.endsWith(".wasm") ? "application/wasm" : "text/javascript";
    return file === undefined
      ? new Response("", { status: 404 })
      : new Response(file, { headers: { "content-type": type } });
  });
  const browser = await chromium.launch({
    executablePath: Deno.env.get("RETORT_CHROMIUM") ?? "/usr/bin/chromium",
    args: ["--no-sandbox", "--disable-gpu"],
  });
  const page = await browser.newPage();
  page.on("pageerror", (error) => console.error(error.message));
  await page.goto(`http://127.0.0.1:${server.addr.port}/`);
  await page.waitForFunction("globalThis.ready === true");
  const session = await page.context().newCDPSession(page);
  await session.send("Performance.enable");
  return {
    page,
    async core(action) {
      const before = await processTime(session);
      await action();
      return 1000 * (await processTime(session) - before);
    },
    async [Symbol.asyncDispose]() {
      await browser.close();
      await server.shutdown();
    },
  };
}

/** Seconds of processor time of the page's process so far. */
async function processTime(session: CDPSession): Promise<number> {
  const { metrics } = await session.send("Performance.getMetrics");
  return metrics.find(({ name }) => name === "ProcessTime")!.value;
}
