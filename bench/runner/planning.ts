import { pathToFileURL } from "node:url";
import { loadPipeline } from "../../runner/build_pipeline.ts";
import { PipelineSession } from "../../runner/session.ts";
import { type Figure, figure, milliseconds } from "../measure.ts";
import { writePipeline } from "./pipelines.ts";

const NODES = 1000;
const RUNS = 7;

/** Building and planning a graph of 1,000 nodes, in this process. */
export async function measurePlanning(folder: string): Promise<Figure[]> {
  const file = writePipeline(folder, NODES);
  await loadPipeline(pathToFileURL(file)); // Compiling the module is the runtime's matter.
  const built: number[] = [];
  const empty: number[] = [];
  const changed: number[] = [];
  const cached: number[] = [];

  const plan = async (store: string, into: number[], set: string[] = []) => {
    const began = performance.now();
    await using session = await PipelineSession.open({ file, store, set });
    built.push(performance.now() - began);
    const counts = { cached: 0, run: 0, unknown: 0 };
    into.push(
      await milliseconds(async () => {
        for (const { status } of (await session.plan()).values()) counts[status]++;
      }),
    );
    return counts;
  };

  const full = `${folder}/full`;
  {
    await using session = await PipelineSession.open({ file, store: full });
    await session.run({ jobs: 0, command: "bench", stop: new AbortController().signal });
  }
  for (let run = 0; run < RUNS; run++) {
    await plan(`${folder}/empty-${run}`, empty);
    const counts = await plan(full, cached);
    if (counts.cached !== NODES) throw new Error(`expected everything cached, got ${JSON.stringify(counts)}`);
    await plan(full, changed, ["text=other"]);
  }
  const target = { atMost: 1000 };
  return [
    figure("1,000 nodes: build the graph, open the store", "ms", built),
    figure("1,000 nodes: plan, empty store (starts the bundler)", "ms", empty, target),
    figure("1,000 nodes: plan, everything cached", "ms", cached, target),
    figure("1,000 nodes: plan, the source's parameter changed", "ms", changed, target),
  ];
}
