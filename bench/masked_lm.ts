/**
 * How long a masked language model takes to train on WikiText-2 from nothing, and how its loss falls. The time of an epoch
 * is extrapolated from some steps, or measured with `--epochs`.
 *
 *     deno task bench:masked-lm                        two layers of 128 numbers, 30 steps
 *     deno task bench:masked-lm --epochs 4             a whole training, with its loss curve
 *     deno task bench:masked-lm --width 256 --layers 4 --steps 50 --json
 */
import { cpuUsage } from "node:process";
import { dataFolders, locate } from "../datasets/locate.ts";
import { wordTokenizer } from "../datasets/text/tokenizer.ts";
import { MaskedLmTraining } from "../teachers/masked_lm_training.ts";
import { benchOptions, type Figure, figure, milliseconds, printFigures } from "./measure.ts";

const options = benchOptions({
  width: { type: "string", default: "128" },
  layers: { type: "string", default: "2" },
  batch: { type: "string", default: "128" },
  steps: { type: "string", default: "30" },
  epochs: { type: "string" },
});
const [width, layers, batch] = [options.width, options.layers, options.batch].map(Number) as [
  number,
  number,
  number,
];

const folders = [...dataFolders(), new URL("../../shared/data", import.meta.url).pathname];
const corpus = await locate("wikitext-2", { dataFolders: folders });
const textOf = (split: string) =>
  Deno.readTextFile(corpus.files.find((file) => file.path === `${split}.txt`)!.location);
const [train, valid] = [await textOf("train"), await textOf("valid")];
const passage = (text: string) => ({ document: 0, text, last: true });
const tokenizer = await wordTokenizer(
  async function* () {
    yield passage(train);
  }(),
  { split: "spaces", lowercase: false, ends: "lines" },
);
const idsOf = (text: string) => Int32Array.from(tokenizer.encode(passage(text)));
const training = new MaskedLmTraining(
  { tokens: tokenizer.vocabulary.words.length, length: 32, width, layers, heads: 4, hidden: 4 * width },
  // The defaults of the stage; without `--epochs` the length of the schedule does not matter.
  {
    epochs: Number(options.epochs ?? 4),
    batch,
    rate: 1e-3,
    warmup: 0.05,
    decay: 0.01,
    hidden: 0.15,
    suffixes: 0.5,
    shorter: 0.2,
    candidates: 4096,
    validWindows: 1024,
    reports: 1,
    seed: 0,
  },
  { train: idsOf(train), valid: idsOf(valid) },
);

const steps = options.epochs === undefined ? Number(options.steps) : training.progress.total;
await training.step();
const wall: number[] = [], processor: number[] = [];
const whole = performance.now();
for (let step = 1; step < steps; step++) {
  const before = cpuUsage();
  const reports = training.reports.length;
  const ms = await milliseconds(() => training.step());
  const { user, system } = cpuUsage(before);
  if (training.reports.length > reports) {
    const { epoch, train, valid, validSuffix } = training.reports.at(-1)!;
    console.error(
      `epoch ${epoch}: train ${train.toFixed(3)}, valid ${valid.toFixed(3)}, suffix ${
        validSuffix.toFixed(3)
      }`,
    );
    continue;
  }
  wall.push(ms);
  processor.push((user + system) / 1000);
}
const seconds = (performance.now() - whole) / 1000;
await training.close();

const perEpoch = training.stepsPerEpoch;
const figures: Figure[] = [
  figure("a step", "ms", wall),
  figure("a step, processor time", "core ms", processor),
  figure(`an epoch of ${perEpoch} steps`, "min", wall.map((ms) => ms * perEpoch / 60_000)),
  figure("an epoch, processor time", "core min", processor.map((ms) => ms * perEpoch / 60_000)),
  figure("memory of the process", "MiB", [Deno.memoryUsage().rss / 2 ** 20]),
  ...(options.epochs === undefined ? [] : [figure("all epochs with their scores", "min", [seconds / 60])]),
];
const what =
  `${layers} layers of ${width}, ${tokenizer.vocabulary.words.length} types, ${batch} windows of 32 a step`;
printFigures(figures, { ...options, about: [what], more: { what, curve: training.reports } });
