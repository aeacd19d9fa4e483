/**
 * How long an epoch of EM takes for blocked hidden Markov models of WikiText-2: E- and M-step of the engine cpu, by processor
 * time, which other work on the machine changes less than the seconds.
 *
 *     deno task bench:blocked                            128 blocks of 32 states, a quarter of the windows
 *     deno task bench:blocked --states 128 --share 0.05  16,384 states, a twentieth of the windows
 */
import { ExchangeClasses } from "../datasets/exchange.ts";
import { dataFolders, locate } from "../datasets/locate.ts";
import { blockedHmm, type Samples } from "../circuits/mod.ts";
import { openEngine } from "../kernels/mod.ts";
import { benchOptions, figure, printFigures, workOf } from "./measure.ts";

const options = benchOptions({
  blocks: { type: "string", default: "128" },
  states: { type: "string", default: "32" },
  share: { type: "string", default: "0.25" },
  runs: { type: "string", default: "2" },
  memory: { type: "string", default: "1024" },
});
const [blocks, states, share, runs, memory] = [
  options.blocks,
  options.states,
  options.share,
  options.runs,
  options.memory,
].map(Number) as [number, number, number, number, number];
const LENGTH = 32;

const folders = [...dataFolders(), new URL("../../shared/data", import.meta.url).pathname];
const corpus = await locate("wikitext-2", { dataFolders: folders });
const text = await Deno.readTextFile(corpus.files.find((file) => file.path === "train.txt")!.location);
const known = new Map<string, number>();
const ids = Int32Array.from(
  text.split("\n").slice(0, -1).flatMap((
    line,
  ) => [...line.split(" ").filter((word) => word !== ""), "<eos>"]),
  (word) => known.getOrInsertComputed(word, () => known.size),
);
const exchange = new ExchangeClasses(ids, known.size, blocks);
const passes: number[] = [];
for (let pass = 0; pass < 3; pass++) passes.push((await workOf(() => exchange.pass())).core);
const follows = Array.from({ length: blocks }, () => new Set<number>());
for (let i = 0; i + 1 < ids.length; i++) {
  follows[exchange.classes[ids[i]!]!]!.add(exchange.classes[ids[i + 1]!]!);
}
const circuit = blockedHmm({
  length: LENGTH,
  symbols: known.size,
  blocks: follows.map((_, g) => ({
    states,
    symbols: [...known.values()].filter((w) => exchange.classes[w] === g),
  })),
  follows: follows.map((set) => [...set].sort((a, b) => a - b)),
  backoff: 1,
});
const count = Math.floor(share * ids.length / LENGTH);
const samples: Samples = { count, variables: LENGTH, values: ids.slice(0, count * LENGTH) };
await using engine = await openEngine(circuit, { engine: "cpu", memory: memory * 2 ** 20 });
const [steps, updates, walls]: [number[], number[], number[]] = [[], [], []];
for (let run = 0; run <= runs; run++) {
  const step = await workOf(() => engine.accumulate(samples));
  const update = await workOf(() => engine.update({ step: { kind: "em" }, sums: { pseudocount: 1 } }));
  // The first is for the compiler of the code.
  if (run === 0) continue;
  steps.push(step.core / share);
  updates.push(update.core);
  walls.push((step.wall / share + update.wall) / 1000);
}
const { rss } = Deno.memoryUsage();
printFigures([
  figure("a pass of the exchange algorithm, processor time", "ms", passes),
  figure("the E-step of an epoch, processor time of all threads", "ms", steps),
  figure("an M-step, processor time of all threads", "ms", updates),
  figure("an epoch, seconds that passed", "s", walls),
  figure("memory of the process", "GiB", [rss / 2 ** 30]),
], {
  ...options,
  about: [`blocked models, ${blocks} x ${states} states, a share of ${share} of the windows`],
});
