/**
 * How fast what people look at is: pages of the dashboard with 1,000 runs in the records, what the dashboard costs a
 * running pipeline, how quickly the explorer and the playground answer, how fast a tab learns, and how near to the engine
 * `cpu` it comes. Prints one table; the figures stand in docs/performance.md.
 *
 *     deno task bench:web
 *     deno task bench:web --part pages --runs 10000     part: pages, cost, explorer, playground, training, agreement; --json
 */
import { benchOptions, type Figure, measureParts, printFigures } from "./measure.ts";
import { measureCost } from "./web/cost.ts";
import { measureExplorer } from "./web/explorer.ts";
import { measurePages } from "./web/pages.ts";
import { measurePlayground } from "./web/playground.ts";
import { measureTabAgreement } from "./web/tab_agreement.ts";
import { measureTabTraining } from "./web/tab_training.ts";

const options = benchOptions({
  part: { type: "string", multiple: true },
  runs: { type: "string", default: "1000" },
});
const PARTS: Record<string, (folder: string) => Promise<Figure[]>> = {
  pages: (folder) => measurePages(folder, Number(options.runs)),
  cost: measureCost,
  explorer: measureExplorer,
  playground: measurePlayground,
  training: measureTabTraining,
  agreement: measureTabAgreement,
};
const unknown = options.part?.find((part) => !Object.hasOwn(PARTS, part));
if (unknown !== undefined || !(Number(options.runs) >= 20)) {
  console.error(`the parts are ${Object.keys(PARTS).join(", ")}; --runs is a number from 20`);
  Deno.exit(2);
}

printFigures(await measureParts(PARTS, options.part), options);
Deno.exit();
