import { fileURLToPath } from "node:url";
import { type Figure, figure } from "../measure.ts";

const MAIN = fileURLToPath(new URL("../../cli/main.ts", import.meta.url));
const WORKERS = 4;
const SHARDS = 4;
const RUNS = 3;
/** Passes over the samples: the slope between both is what a pass takes, the rest is the start of all processes. */
const EPOCHS = { few: 1, many: 2 };

/** EM of an HMM over every second window of WikiText-2, in one node or in shards. `round` makes other keys of the same work. */
const PIPELINE = `import { z } from "zod";
import { definePipeline } from "retort";
import { dataSet, trainInShards } from "retort/stages";
import { layWindows, loadText, randomHmm, tokenize, trainText } from "retort/stages/text";

export default definePipeline({
  name: "bench-shards",
  params: z.object({
    how: z.enum(["prepare", "whole", "shards"]),
    round: z.int().default(0),
    states: z.int().default(512),
    shards: z.int().default(${SHARDS}),
    epochs: z.int(),
    minimum: z.int().default(25),
    stride: z.int().default(64),
  }),
  build({ params: { how, round, states, shards, epochs, minimum, stride } }) {
    const length = 32, pseudocount = { sums: 0.01, leaves: 0.01 + round * 1e-6 };
    const text = loadText({ files: dataSet({}, { name: "wikitext-2" }).files }, { format: "file", split: "names" });
    const { train, valid, vocabulary } = tokenize(text, { by: "spaces", ends: "lines", minimum });
    const lay = (tokens: typeof train, stride: number, name: string) =>
      layWindows({ tokens, vocabulary }, { length, stride }, { name }).windows;
    const trainWindows = lay(train, stride, "windows");
    const validWindows = lay(valid, 50_000, "few");
    const { circuit } = randomHmm({ vocabulary }, { states, length });
    if (how === "prepare") return { circuit, trainWindows, validWindows };
    if (how === "shards") {
      return {
        circuit: trainInShards(circuit, { text: train, windows: trainWindows }, { shards, epochs, pseudocount }).circuit,
      };
    }
    const data = { train, trainWindows, valid, validWindows };
    return { circuit: trainText({ circuit, ...data }, { epochs, pseudocount }, {}).circuit };
  },
});
`;

/** A command whose time on the processor is counted, that of the processes which it has waited for included. */
class Counted {
  readonly #child: Deno.ChildProcess;

  /** Starts `deno` with arguments, on one core where `core` says which. */
  constructor(args: readonly string[], core?: number) {
    const pinned = core === undefined || Deno.build.os !== "linux"
      ? []
      : ["taskset", "--cpu-list", `${core}`];
    this.#child = new Deno.Command("sh", {
      // A signal ends the command, not the shell, which then tells the times of its children.
      args: ["-c", '"$@" >/dev/null & trap "kill -TERM $!" TERM; wait $!; wait $!; times', "sh", ...pinned]
        .concat(Deno.execPath(), args),
      env: { NO_COLOR: "1" },
      stdout: "piped",
      stderr: "piped",
    }).spawn();
  }

  /** Asks it to end. */
  stop(): void {
    this.#child.kill("SIGTERM");
  }

  /** Seconds on the processor, once it has ended. */
  async seconds(): Promise<number> {
    const { stdout, stderr } = await this.#child.output();
    // The second line is that of children: minutes and seconds of the user and of the system.
    const [, children = ""] = new TextDecoder().decode(stdout).trim().split("\n");
    const times = [...children.matchAll(/(\d+)m([\d.]+)s/g)].map(([, m, s]) => 60 * Number(m) + Number(s));
    if (times.length !== 2) throw new Error(new TextDecoder().decode(stderr));
    return times[0]! + times[1]!;
  }
}

/** Processor time of EM in shards by workers of one core each, over that of EM in one process on one core. */
export async function measureShards(folder: string): Promise<Figure[]> {
  const file = `${folder}/bench_shards.ts`, store = `${folder}/store`;
  Deno.writeTextFileSync(file, PIPELINE);
  const deno = (args: readonly string[], core?: number) =>
    new Counted(["run", "--allow-all", MAIN, ...args], core);
  const run = async (set: readonly string[], more: readonly string[], core?: number) => {
    const settings = set.flatMap((one) => ["--set", one]);
    return await deno(["run", file, "--store", store, "--engine", "cpu", ...settings, ...more], core)
      .seconds();
  };
  const inOne = (set: readonly string[]) => run(["how=whole", ...set], ["--jobs", "1"], 0);
  const inShards = async (set: readonly string[]) => {
    const workers = Array.from(
      { length: WORKERS },
      (_, i) => deno(["work", "--store", store], i % navigator.hardwareConcurrency),
    );
    const driver = await run(["how=shards", ...set], ["--executor", "workers", "--jobs", `${WORKERS}`]);
    workers.forEach((worker) => worker.stop());
    const own = await Promise.all(workers.map((worker) => worker.seconds()));
    return own.reduce((sum, seconds) => sum + seconds, driver);
  };
  /** Of a way: what an epoch takes, and what comes once. */
  const measure = async (way: typeof inOne, round: number) => {
    const few = await way([`epochs=${EPOCHS.few}`, `round=${2 * round}`]);
    const many = await way([`epochs=${EPOCHS.many}`, `round=${2 * round + 1}`]);
    const epoch = (many - few) / (EPOCHS.many - EPOCHS.few);
    return { epoch, once: few - EPOCHS.few * epoch };
  };
  await run(["how=prepare", "epochs=1"], ["--jobs", "1"]);
  const epochs = { one: [] as number[], shards: [] as number[] };
  const once = { one: [] as number[], shards: [] as number[] };
  for (let round = 0; round < RUNS; round++) {
    for (const [name, way] of [["one", inOne], ["shards", inShards]] as const) {
      const measured = await measure(way, round);
      epochs[name].push(measured.epoch);
      once[name].push(measured.once);
    }
  }
  const more = epochs.shards.map((seconds, i) => 100 * (seconds / epochs.one[i]! - 1));
  const those = `${SHARDS} shards, ${WORKERS} workers of one core each`;
  return [
    figure("an epoch of EM in one process on one core, processor time", "s", epochs.one),
    figure(`an epoch in ${those}, of all processes`, "s", epochs.shards),
    figure("  what the shards add", "%", more, { atMost: 15 }),
    figure("once, in one process: its start and end, and the plan", "s", once.one),
    figure("once, of all processes: the same of the driver and the workers", "s", once.shards),
  ];
}
