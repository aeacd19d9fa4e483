/**
 * How fast what people look at is: pages of the dashboard with 1,000 runs in the records, what the dashboard costs a
 * running pipeline, how quickly the explorer answers. Prints one table; the figures stand in docs/performance.md.
 *
 *     deno task bench:web
 *     deno task bench:web --part pages --runs 10000     part: pages, cost, explorer; --json
 */
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { type Figure, figuresText, machineText, meets } from "./measure.ts";
import { measureCost } from "./web/cost.ts";
import { measureExplorer } from "./web/explorer.ts";
import { measurePages } from "./web/pages.ts";

const { values: options } = parseArgs({
  args: Deno.args,
  options: {
    json: { type: "boolean" },
    part: { type: "string", multiple: true },
    runs: { type: "string", default: "1000" },
  },
});
const PARTS: Record<string, (folder: string) => Promise<Figure[]>> = {
  pages: (folder) => measurePages(folder, Number(options.runs)),
  cost: measureCost,
  explorer: measureExplorer,
};
const unknown = options.part?.find((part) => !Object.hasOwn(PARTS, part));
if (unknown !== undefined || !(Number(options.runs) >= 20)) {
  console.error(`the parts are ${Object.keys(PARTS).join(", ")}; --runs is a number from 20`);
  Deno.exit(2);
}

// In the repository, so that the figures are those of the disk on which the default store lies.
const home = fileURLToPath(new URL("../.retort", import.meta.url));
const figures: Figure[] = [];
for (const [part, measure] of Object.entries(PARTS)) {
  if (options.part !== undefined && !options.part.includes(part)) continue;
  console.error(`measuring ${part} …`);
  Deno.mkdirSync(home, { recursive: true });
  const folder = Deno.makeTempDirSync({ dir: home, prefix: "bench-" });
  try {
    figures.push(...await measure(folder));
  } finally {
    Deno.removeSync(folder, { recursive: true });
  }
}
if (options.json) {
  const told = figures.map((one) => ({ ...one, met: meets(one) ?? null }));
  console.log(JSON.stringify({ machine: machineText(), figures: told }, null, 2));
} else {
  console.log(`${machineText()}\n\n${figuresText(figures)}`);
}
Deno.exit(0);
