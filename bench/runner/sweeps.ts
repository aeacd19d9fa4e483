import { PipelineSession } from "../../runner/session.ts";
import { exponent } from "../exponent.ts";
import { type Figure, figure, workOf } from "../measure.ts";
import { writePipeline } from "./pipelines.ts";

/** Nodes of the sweeps: the largest has twenty times as many as the smallest. */
const SIZES = [250, 500, 1000, 2000, 5000];
const RUNS = 3;

/** What is measured of a sweep; the targets, in seconds, are those of the largest. */
const STEPS = {
  new: { name: "built and planned, empty store", target: 10 },
  run: { name: "executed in this process, store in memory", target: 30 },
  drops: { name: "the same, half of the outputs temporary", target: undefined },
  cached: { name: "built and planned, everything cached", target: 3 },
  other: { name: "built and planned, another sweep of the same stages", target: 10 },
  workers: { name: "executed by two workers, store on the disk", target: undefined },
} as const;
type Step = keyof typeof STEPS;

/**
 * How planning and executing grow with a sweep: seconds for the largest, and the exponent that fits all sizes,
 * 1 where each node costs the same. The exponents are those of this process's time on the processor, which
 * other programs disturb least; workers have their own, so theirs is one of time that passed.
 */
export async function measureSweeps(folder: string): Promise<Figure[]> {
  const files = new Map(SIZES.map((size) => [size, writePipeline(folder, size)]));
  const seconds: Record<Step, number[]> = { new: [], run: [], drops: [], cached: [], other: [], workers: [] };
  const exponents: Record<Step, number[]> = {
    new: [],
    run: [],
    drops: [],
    cached: [],
    other: [],
    workers: [],
  };
  const round = async (sizes: readonly number[]): Promise<Record<Step, { wall: number; core: number }>[]> => {
    const all = [];
    for (const size of sizes) all.push(await measureSweep(files.get(size)!, folder));
    return all;
  };
  await round([SIZES[0]!]); // Compiling the code is the runtime's matter.
  for (let run = 0; run < RUNS; run++) {
    const measured = await round(SIZES);
    for (const step of Object.keys(STEPS) as Step[]) {
      seconds[step].push(measured.at(-1)![step].wall / 1000);
      const costs = measured.map((one) => step === "workers" ? one[step].wall : one[step].core);
      exponents[step].push(exponent(SIZES, costs));
    }
  }
  const largest = SIZES.at(-1)!.toLocaleString("en");
  return (Object.keys(STEPS) as Step[]).flatMap((step) => {
    const { name, target } = STEPS[step];
    return [
      figure(
        `${largest} nodes: ${name}`,
        "s",
        seconds[step],
        target === undefined ? undefined : { atMost: target },
      ),
      figure(`  the exponent from ${SIZES[0]} nodes on`, "", exponents[step], { atMost: 1.2 }),
    ];
  });
}

async function measureSweep(
  file: string,
  folder: string,
): Promise<Record<Step, { wall: number; core: number }>> {
  const plan = async (store: string, first: number, expected: "cached" | undefined) => {
    await using session = await PipelineSession.open({ file, store, set: [`first=${first}`] });
    const plan = [...(await session.plan()).values()];
    const same = plan.every(({ status }) => (status === "cached") === (expected === "cached"));
    if (!same && expected === "cached") throw new Error("expected everything cached");
  };
  const run = async (store: string, jobs: number, drops = false) => {
    await using session = await PipelineSession.open({ file, store, set: [`drops=${drops}`] });
    const { status } = await session.run({ jobs, command: "bench", stop: new AbortController().signal });
    if (status !== "done") throw new Error(`the run ended as ${status}`);
  };
  const memory = memoryFolder(folder);
  const other = memoryFolder(folder);
  const disk = Deno.makeTempDirSync({ dir: folder });
  try {
    return {
      new: await workOf(() => plan(memory, 0, undefined)),
      run: await workOf(() => run(memory, 0)),
      drops: await workOf(() => run(other, 0, true)),
      cached: await workOf(() => plan(memory, 0, "cached")),
      other: await workOf(() => plan(memory, 10_000, undefined)),
      workers: await workOf(() => run(disk, 2)),
    };
  } finally {
    for (const one of [memory, other, disk]) Deno.removeSync(one, { recursive: true });
  }
}

/** An empty folder on a file system in memory; where there is none, beside the other. */
function memoryFolder(otherwise: string): string {
  try {
    return Deno.makeTempDirSync({ dir: "/dev/shm", prefix: "retort-bench-" });
  } catch {
    return Deno.makeTempDirSync({ dir: otherwise });
  }
}
