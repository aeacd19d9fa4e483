/**
 * How fast the runner is: process start to end with everything cached, planning, storing, executing
 * nodes. Prints one table; the figures stand in docs/performance.md.
 *
 *     deno task bench:runner
 *     deno task bench:runner --json --part storing     part: processes, planning, storing, executing
 */
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { type Figure, figuresText, machineText, meets } from "./measure.ts";
import { measureExecuting } from "./runner/executing.ts";
import { measurePlanning } from "./runner/planning.ts";
import { measureProcesses } from "./runner/processes.ts";
import { measureStoring } from "./runner/storing.ts";

/** Every part measures in an empty folder that is gone afterwards. */
const PARTS = {
  processes: measureProcesses,
  planning: measurePlanning,
  storing: measureStoring,
  executing: measureExecuting,
};

const { values: options } = parseArgs({
  args: Deno.args,
  options: { json: { type: "boolean" }, part: { type: "string", multiple: true } },
});
const unknown = options.part?.find((part) => !Object.hasOwn(PARTS, part));
if (unknown !== undefined) {
  console.error(`there is no part ${unknown}; the parts are ${Object.keys(PARTS).join(", ")}`);
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
  console.log(JSON.stringify({ machine: machineText(), figures: figures.map(withVerdict) }, null, 2));
} else {
  console.log(`${machineText()}\n\n${figuresText(figures)}`);
}
// A worker that still winds down would hold the process.
Deno.exit(0);

function withVerdict(one: Figure) {
  return { ...one, met: meets(one) ?? null };
}
