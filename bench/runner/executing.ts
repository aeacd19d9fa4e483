import { PipelineSession } from "../../runner/session.ts";
import { type Figure, figure, milliseconds } from "../measure.ts";
import { writePipeline } from "./pipelines.ts";

const FEW = 50;
const MANY = 250;
const RUNS = 5;

/** What the runner adds to a node: stages that compute nothing, every node executed. */
export async function measureExecuting(folder: string): Promise<Figure[]> {
  const files = { few: writePipeline(folder, FEW), many: writePipeline(folder, MANY) };
  let stores = 0;
  const run = async (file: string, jobs: number) => {
    await using session = await PipelineSession.open({ file, store: `${folder}/store-${stores++}` });
    await session.plan(); // Keeps the bundler's start out.
    return await milliseconds(async () => {
      const stop = new AbortController().signal;
      const { status } = await session.run({ jobs, command: "bench", stop });
      if (status !== "done") throw new Error(`the run ended as ${status}`);
    });
  };
  // The slope between two sizes is the cost of a node; what is left is that of the run itself.
  const measure = async (jobs: number) => {
    const few = await run(files.few, jobs);
    const many = await run(files.many, jobs);
    const node = (many - few) / (MANY - FEW);
    return { node, start: few - node * FEW };
  };
  const inProcess: number[] = [];
  const inWorkers: number[] = [];
  const start: number[] = [];
  await measure(0);
  for (let i = 0; i < RUNS; i++) {
    inProcess.push((await measure(0)).node);
    const workers = await measure(2);
    inWorkers.push(workers.node);
    start.push(workers.start);
  }
  return [
    figure("a node of an empty stage, in this process (--jobs 0)", "ms", inProcess, { atMost: 10 }),
    figure("a node of an empty stage, two workers (--jobs 2)", "ms", inWorkers),
    figure("a run's own cost with two workers: their start and end", "ms", start),
  ];
}
