/**
 * What the circuits of many clusters cost beside one circuit of one cluster's size on the same patches: an epoch of each,
 * interleaved. Prints one table; the figures stand in docs/performance.md.
 *
 *     deno task bench:patches
 *     deno task bench:patches --json --patches 131072 --clusters 64 --latents 16
 */
import {
  type Circuit,
  EmTraining,
  hclt,
  maximumSpanningTree,
  RandomStream,
  type Samples,
  sourceOf,
  trainGroups,
  type TrainingOptions,
} from "../circuits/mod.ts";
import { plainSpace } from "../datasets/images/mod.ts";
import { patchVariables } from "../stages/images/patch_codecs.ts";
import { openLearner } from "../stages/open_learner.ts";
import { benchOptions, type Figure, figure, printFigures, workOf } from "./measure.ts";

const options = benchOptions({
  patches: { type: "string", default: "262144" },
  clusters: { type: "string", default: "64" },
  latents: { type: "string", default: "16" },
  runs: { type: "string", default: "5" },
});
const [count, clusters, latents, runs] = [options.patches, options.clusters, options.latents, options.runs]
  .map(Number) as [number, number, number, number];

printFigures(await measure(), options);

async function measure(): Promise<Figure[]> {
  const variables = patchVariables(plainSpace(32, 32, 3), 4);
  const random = new RandomStream(1);
  const weights = new Float64Array(variables.length ** 2);
  for (let i = 0; i < variables.length; i++) {
    for (let j = 0; j < i; j++) {
      weights[i * variables.length + j] = weights[j * variables.length + i] = random.uniform();
    }
  }
  const tree = maximumSpanningTree(weights, variables.length);
  const starts = Array.from({ length: clusters }, (_, k) => hclt(variables, tree, { latents, seed: k }));
  const patches = patchesOf(variables.length, random);
  const groups = Int32Array.from({ length: count }, () => random.integer(clusters));
  const training: TrainingOptions = { epochs: 1, batchSize: 2048, smoothing: { leaves: { pseudocount: 1 } } };
  const learner = await openLearner(starts[0]!, { engine: { choice: "auto", used: () => {} } });
  const train = sourceOf(patches);
  const alone = async () => {
    const { parameters } = starts[0] as Circuit;
    await learner.setParameters(new Map([...parameters].map(([id, { values }]) => [id, values])));
    for await (const _ of new EmTraining(learner, { train }, training));
  };
  const grouped = async () => {
    for await (const _ of trainGroups(learner, starts, { train, groups }, training));
  };
  const one = { wall: [] as number[], core: [] as number[] };
  const all = {
    wall: [] as number[],
    core: [] as number[],
    wallRatio: [] as number[],
    coreRatio: [] as number[],
  };
  // The first round fills caches and prepares graphs.
  for (let run = 0; run <= runs; run++) {
    const [a, b] = [await workOf(alone), await workOf(grouped)];
    if (run === 0) continue;
    one.wall.push(a.wall / 1000);
    one.core.push(a.core / 1000);
    all.wall.push(b.wall / 1000);
    all.core.push(b.core / 1000);
    all.wallRatio.push(b.wall / a.wall);
    all.coreRatio.push(b.core / a.core);
  }
  await learner.close();
  return [
    figure(`an epoch of one circuit on ${count} patches`, "s", one.wall),
    figure(`an epoch of ${clusters} circuits on the same patches`, "s", all.wall),
    figure("the second over the first", "times", all.wallRatio, { atMost: 1.3 }),
    figure("the first, processor time", "core s", one.core),
    figure("the second, processor time", "core s", all.core),
    figure("the second over the first, processor time", "times", all.coreRatio, { atMost: 1.3 }),
  ];
}

function patchesOf(variables: number, random: RandomStream): Samples {
  // A short cycle of random numbers: what the values are does not change the work.
  const noise = Uint8Array.from({ length: 65_521 }, () => random.integer(256));
  const values = new Uint8Array(count * variables);
  for (let i = 0; i < values.length; i++) values[i] = noise[i % noise.length]!;
  return { count, variables, values };
}
