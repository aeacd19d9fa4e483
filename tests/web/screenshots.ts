/**
 * Pictures of the pages for the documentation, in `docs/pictures/`: the report, the dashboard, compared runs and the explorer,
 * in light and dark and on a phone.
 *
 *     deno run --allow-all tests/web/screenshots.ts STORE     # with at least two done runs of one pipeline that has a question
 */
import { pathToFileURL } from "node:url";
import sharp from "sharp";
import { Records } from "../../runner/records/records.ts";
import { recordedAnswer } from "../../runner/recorded_answer.ts";
import { openArms } from "../../runner/verdict.ts";
import { Store } from "../../runner/store/store.ts";
import { command, Folder, ROOT } from "../command.ts";
import { launch } from "./browser.ts";
import { Served } from "./serving.ts";

const [folder] = Deno.args;
if (folder === undefined) throw new Error("usage: deno run --allow-all tests/web/screenshots.ts STORE");

const store = Store.open(folder);
const answered: string[] = [];
let model: string | undefined;
{
  using records = new Records(store, { readOnly: true });
  for (const run of records.runs({ status: "done", limit: 50 })) {
    const answer = await recordedAnswer(store, records, run.id);
    if (answer === undefined) continue;
    // What was trained to its end comes first.
    if (openArms(answer).length > 0) answered.push(run.id);
    else answered.unshift(run.id);
    const output = records.runOutputs(run.id).find(({ name }) => name === "model");
    const key = output && records.nodes(run.id).find(({ name }) => name === output.node)?.key;
    model ??= key
      ? records.artifactsOfKey(key).find((one) => one.output === output!.output)?.artifact.digest
      : undefined;
  }
}
const [run] = answered;
if (run === undefined) throw new Error(`${folder} has no done run with an answer`);

using written = new Folder();
const report = `${written.path}/report.html`;
const made = await command("report", [run, "--store", folder, "--out", report]);
if (made.code !== 0) throw new Error(made.stderr);
await using served = await Served.start(folder);
const browser = await launch();
try {
  const phone = { width: 390, height: 780 }, window = { width: 1280, height: 860 };
  const at = (place: string) => `${served.url}#/${place}`;
  const explore = model === undefined ? [] : [["explorer", at(`explore/${model}`)] as const];
  for (
    const [name, url] of [
      ["report", pathToFileURL(report).href],
      ["runs", at("runs")],
      ["compare", at(`compare/${answered.slice(0, 2).join(",")}`)],
      ...explore,
    ] as const
  ) {
    for (
      const [way, viewport, colorScheme] of [
        ["light", window, "light"],
        ["dark", window, "dark"],
        ["phone", phone, "light"],
      ] as const
    ) {
      const page = await browser.newPage({ viewport, colorScheme });
      await page.goto(url);
      if (name === "explorer") {
        await page.locator("#sentence").waitFor();
        // The arm that it is held against, beside it.
        await page.getByRole("group", { name: "Beside it" }).getByRole("checkbox").first().check();
        await page.locator("#sentence").fill("we must _ the american people .");
        await page.locator(".blank").first().waitFor({ timeout: 60_000 }).catch(() => {});
      }
      await page.waitForTimeout(2500);
      const small = await sharp(await page.screenshot()).png({ palette: true, effort: 10 }).toBuffer();
      await Deno.writeFile(`${ROOT}/docs/pictures/page-${name}-${way}.png`, small);
      console.log(`page-${name}-${way}.png ${Math.round(small.length / 1000)} kB`);
      await page.close();
    }
  }
} finally {
  await browser.close();
}
