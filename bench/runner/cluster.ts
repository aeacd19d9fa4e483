import { fileURLToPath } from "node:url";
import { EXECUTORS } from "../../runner/execute/executors.ts";
import { PipelineSession } from "../../runner/session.ts";
import { Store } from "../../runner/store/store.ts";
import { onSlurm, SlurmCluster } from "../../tests/slurm.ts";
import { type Figure, figure, milliseconds } from "../measure.ts";
import { writePipeline } from "./pipelines.ts";

const NODES = 1000;
const WORKERS = 4;
const RUNS = 3;

const MAIN = fileURLToPath(new URL("../../cli/main.ts", import.meta.url));

/** What a node costs where workers elsewhere execute it: stages that compute nothing, all workers on this machine. */
export async function measureCluster(folder: string): Promise<Figure[]> {
  const file = writePipeline(folder, NODES);
  let stores = 0;
  const run = async (name: string, store: string) => {
    const executor = EXECUTORS.find((kind) => kind.name === name)!;
    await using session = await PipelineSession.open({ file, store, executor });
    await session.plan(); // Keeps the bundler's start out.
    return await milliseconds(async () => {
      const stop = new AbortController().signal;
      const { status } = await session.run({ jobs: WORKERS, command: "bench", stop });
      if (status !== "done") throw new Error(`the run ended as ${status}`);
    }) / NODES;
  };
  const byWorkers: number[] = [], bySlurm: number[] = [];
  for (let i = 0; i < RUNS; i++) {
    const store = `${folder}/cluster-${stores++}`;
    Store.open(store, { create: true });
    const workers = Array.from({ length: WORKERS }, () =>
      new Deno.Command(Deno.execPath(), {
        args: ["run", "--allow-all", MAIN, "work", "--store", store],
        stdin: "null",
        stdout: "null",
        stderr: "null",
      }).spawn());
    byWorkers.push(await run("workers", store));
    for (const worker of workers) {
      worker.kill("SIGTERM");
      await worker.status;
    }
  }
  const figures = [
    figure(`a node of an empty stage, ${WORKERS} workers of a store (retort work)`, "ms", byWorkers, {
      atMost: 20,
    }),
  ];
  if (onSlurm().ignore) return figures;
  for (let i = 0; i < RUNS; i++) {
    await using _cluster = await SlurmCluster.start();
    bySlurm.push(await run("slurm", `${folder}/cluster-${stores++}`));
  }
  const name = `the same, by Slurm in arrays of ${WORKERS} on this machine, their start included`;
  return [...figures, figure(name, "ms", bySlurm, { atMost: 100 })];
}
