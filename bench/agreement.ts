/**
 * Runs a pipeline on both engines, each in a store of its own, and compares all that its nodes measured: log-likelihoods and what is
 * made of them, distances, counts. Prints the greatest difference of every metric; fails where one is larger than the tolerance,
 * relative to numbers above 1.
 *
 *     deno task bench:agreement pipelines/quickstart.ts --set from=1990 --set states=32 --set epochs=5
 *     deno task bench:agreement pipelines/cifar10_lvd.ts --set … --adapter llvmpipe --tolerance 1e-3 --json
 */
import { fileURLToPath } from "node:url";
import { Records } from "../runner/records/records.ts";
import type { MetricRecord } from "../runner/records/rows.ts";
import { benchCall, figure, inFolder, meets, printFigures } from "./measure.ts";

const { values: options, positionals: [pipeline] } = benchCall({
  set: { type: "string", multiple: true, default: [] },
  adapter: { type: "string" },
  tolerance: { type: "string", default: "1e-3" },
});
if (pipeline === undefined) throw new Error("name a pipeline file");

const root = fileURLToPath(new URL("..", import.meta.url));
await inFolder(async (folder) => {
  const cpu = await run(folder, "cpu"), gpu = await run(folder, "webgpu");
  const figures = compare(cpu.metrics, gpu.metrics).map(({ name, count, least, most, error }) =>
    figure(`${name}: ${count} values, ${least.toPrecision(6)} to ${most.toPrecision(6)}`, "", [error], {
      atMost: Number(options.tolerance),
    })
  );
  printFigures(figures, {
    ...options,
    about: [gpu.adapters.join(", "), "greatest differences, relative to numbers above 1"],
    more: { seconds: [cpu.seconds, gpu.seconds] },
  });
  if (figures.some((one) => meets(one) !== true)) Deno.exitCode = 1;
});

/** The metrics of a run on one engine. */
async function run(folder: string, engine: "cpu" | "webgpu") {
  const store = `${folder}/${engine}`, began = performance.now();
  const more = engine === "webgpu" && options.adapter !== undefined ? ["--adapter", options.adapter] : [];
  const { code } = await new Deno.Command(Deno.execPath(), {
    args: [
      ...["task", "--quiet", "--cwd", root, "run", pipeline!, "--store", store, "--engine", engine],
      ...options.set.flatMap((one) => ["--set", one]),
      ...more,
    ],
    env: { INIT_CWD: Deno.cwd() },
    stdout: "null",
    stderr: "inherit",
  }).output();
  if (code !== 0) throw new Error(`the run on ${engine} failed`);
  using records = new Records({ root: store }, { readOnly: true });
  const { id } = records.runs({ limit: 1 })[0]!;
  const adapters = records.nodes(id).flatMap(({ engine }) => engine?.adapter ?? []);
  return {
    metrics: records.metrics(id),
    adapters: [...new Set(adapters)],
    seconds: (performance.now() - began) / 1000,
  };
}

/** Differences by the name of the metric. */
function compare(cpu: readonly MetricRecord[], gpu: readonly MetricRecord[]) {
  const keyOf = ({ node, name, step }: MetricRecord) => JSON.stringify([node, name, step]);
  const others = new Map(gpu.map((one) => [keyOf(one), one.value ?? NaN]));
  if (cpu.length === 0 || others.size !== new Set(cpu.map(keyOf)).size) {
    throw new Error(`${cpu.length} values on cpu, ${gpu.length} on webgpu`);
  }
  const names = Map.groupBy(cpu, ({ name }) => name);
  return [...names].map(([name, list]) => {
    const pairs = list.map((one) => [one.value ?? NaN, others.get(keyOf(one)) ?? NaN] as const);
    const most = (of: (a: number, b: number) => number) => Math.max(...pairs.map(([a, b]) => of(a, b)));
    return {
      name,
      count: pairs.length,
      least: -most((a) => -a),
      most: most((a) => a),
      error: most((a, b) => Math.abs(a - b) / Math.max(1, Math.abs(a))),
    };
  });
}
