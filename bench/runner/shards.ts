import { fileURLToPath } from "node:url";
import { RecordReader } from "../../runner/records/reader.ts";
import { Store } from "../../runner/store/store.ts";
import { type Figure, figure, median } from "../measure.ts";
import { ProcessorTime } from "./processor_time.ts";
import { measurePhases, type ShardedInputs } from "./shard_phases.ts";

const MAIN = fileURLToPath(new URL("../../cli/main.ts", import.meta.url));
const WORKERS = 4;
const SHARDS = 4;
const RUNS = 1;
/** Passes over the samples: the first one is not measured, as all processes start in it. */
const EPOCHS = 2;
const CORES = navigator.hardwareConcurrency;

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

/** What an arm took, in seconds on the processor. */
interface Spent {
  /** An epoch after the first one. */
  readonly epoch: number;
  /** What is left: processes that start and end, the plan, what the first epoch takes longer. */
  readonly once: number;
}

/** Processor time of EM in shards by workers of one core each, over that of EM in one process on one core. */
export async function measureShards(folder: string): Promise<Figure[]> {
  const file = `${folder}/bench_shards.ts`, store = `${folder}/store`;
  Deno.writeTextFileSync(file, PIPELINE);
  const deno = (args: readonly string[], core?: number) =>
    new Deno.Command(core === undefined ? Deno.execPath() : "taskset", {
      args: [
        ...core === undefined ? [] : ["--cpu-list", `${core}`, Deno.execPath()],
        "run",
        "--allow-all",
        MAIN,
        ...args,
      ],
      env: { NO_COLOR: "1" },
      stdin: "null",
      stdout: "null",
      stderr: "piped",
    }).spawn();
  const run = (set: readonly string[], more: readonly string[], core?: number) => {
    const settings = set.flatMap((one) => ["--set", one]);
    return deno(["run", file, "--store", store, "--engine", "cpu", ...settings, ...more], core);
  };
  const ended = async (child: Deno.ChildProcess) => {
    const { success, stderr } = await child.output();
    if (!success) throw new Error(new TextDecoder().decode(stderr));
  };
  /** What processes took until `driver` has ended and all are stopped. */
  const spent = async (
    driver: Deno.ChildProcess,
    workers: readonly Deno.ChildProcess[],
    ends: (reader: RecordReader, run: string) => number[],
    round: number,
  ): Promise<Spent> => {
    using time = new ProcessorTime([driver, ...workers].map(({ pid }) => pid));
    await ended(driver);
    const total = time.until();
    for (const worker of workers) worker.kill("SIGTERM");
    await Promise.all(workers.map((worker) => worker.output()));
    using reader = new RecordReader({ root: store }, { readOnly: true });
    const { id } = reader.runs().find(({ params }) => params.round === round)!;
    const [first, ...more] = ends(reader, id).map((end) => time.until(1000 * end));
    const epoch = (more.at(-1)! - first!) / more.length;
    return { epoch, once: total - EPOCHS * epoch };
  };
  let rounds = 0;
  const inOne = () => {
    const round = ++rounds;
    const driver = run(["how=whole", `epochs=${EPOCHS}`, `round=${round}`], ["--jobs", "1"], 0);
    return spent(
      driver,
      [],
      (reader, run) =>
        reader.metrics(run).filter(({ name, step }) => name === "train log-likelihood" && step !== null)
          .map(({ time }) => time),
      round,
    );
  };
  const inShards = () => {
    const round = ++rounds;
    const workers = Array.from({ length: WORKERS }, (_, i) => deno(["work", "--store", store], i % CORES));
    const driver = run(
      ["how=shards", `epochs=${EPOCHS}`, `round=${round}`],
      ["--executor", "workers", "--jobs", `${WORKERS}`],
    );
    return spent(
      driver,
      workers,
      (reader, run) =>
        reader.nodes(run).filter(({ stage }) => stage === "train.step-part").map(({ started, seconds }) =>
          started! + seconds!
        ),
      round,
    );
  };
  await ended(run(["how=prepare", `epochs=${EPOCHS}`], ["--jobs", "1"]));
  const phases = await measurePhases(Store.open(store), prepared(store), SHARDS);
  const one: Spent[] = [], shards: Spent[] = [];
  for (let i = 0; i < RUNS; i++) {
    one.push(await inOne());
    shards.push(await inShards());
  }
  const base = median(one.map(({ epoch }) => epoch));
  const more = shards.map(({ epoch }) => 100 * (epoch / base - 1));
  const those = `${SHARDS} shards, ${WORKERS} workers of one core each`;
  return [
    figure("an epoch of EM in one process on one core, processor time", "s", one.map(({ epoch }) => epoch)),
    figure(`an epoch in ${those}, of all processes`, "s", shards.map(({ epoch }) => epoch)),
    figure("  what the shards add", "%", more, { atMost: 15 }),
    figure("once, in one process: its start and end, and the plan", "s", one.map(({ once }) => once)),
    figure(
      "once, of all processes: the same of the driver and the workers",
      "s",
      shards.map(({ once }) => once),
    ),
    ...phases,
  ];
}

/** What the only run of a store has made for all arms. */
function prepared(store: string): ShardedInputs {
  using reader = new RecordReader({ root: store }, { readOnly: true });
  const nodes = reader.nodes(reader.runs()[0]!.id);
  const output = (name: string, output: string) => {
    const found = Store.open(store).lookup(nodes.find((node) => node.name === name)!.key!);
    if (found.state !== "found") throw new Error(`node ${name} has no result`);
    return found.result.outputs[output]!;
  };
  return {
    circuit: output("text.random_hmm", "circuit"),
    text: output("text.tokenize", "train"),
    windows: output("windows", "windows"),
  };
}
