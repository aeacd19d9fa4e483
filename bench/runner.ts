/**
 * How fast the runner is: process start to end with everything cached, planning, storing, executing
 * nodes, and how all that grows with a sweep. Prints one table; the figures stand in docs/performance.md.
 *
 *     deno task bench:runner
 *     deno task bench:runner --json --part storing     part: processes, planning, storing, executing, sweeps, cluster,
 *                                                      shards, remote
 */
import { benchOptions, measureParts, printFigures } from "./measure.ts";
import { measureCluster } from "./runner/cluster.ts";
import { measureExecuting } from "./runner/executing.ts";
import { measurePlanning } from "./runner/planning.ts";
import { measureProcesses } from "./runner/processes.ts";
import { measureStoring } from "./runner/storing.ts";
import { measureRemote } from "./runner/remote.ts";
import { measureShards } from "./runner/shards.ts";
import { measureSweeps } from "./runner/sweeps.ts";

const PARTS = {
  processes: measureProcesses,
  planning: measurePlanning,
  storing: measureStoring,
  executing: measureExecuting,
  sweeps: measureSweeps,
  cluster: measureCluster,
  shards: measureShards,
  remote: measureRemote,
};

const options = benchOptions({ part: { type: "string", multiple: true } });
const unknown = options.part?.find((part) => !Object.hasOwn(PARTS, part));
if (unknown !== undefined) {
  console.error(`there is no part ${unknown}; the parts are ${Object.keys(PARTS).join(", ")}`);
  Deno.exit(2);
}

printFigures(await measureParts(PARTS, options.part), options);
// A worker that still winds down would hold the process.
Deno.exit();
