import assert from "node:assert/strict";
import * as fc from "fast-check";
import {
  type Circuit,
  countShard,
  decodeTrainingState,
  EmTraining,
  encodeTrainingState,
  type EpochReport,
  hmm,
  type Learner,
  naiveMixture,
  perturbed,
  ReferenceLearner,
  samplesFromRows,
  sourceOf,
  stepPart,
  type TrainingOptions,
  type UpdateRule,
} from "../../circuits/mod.ts";
import { CpuEngine } from "../../kernels/cpu/engine.ts";
import { joinTraining, type ShardScore } from "../../stages/shard_stages.ts";
import { trainEm } from "../../stages/train_em.ts";
import { holds } from "../property.ts";
import { runHere } from "../stages/in_place.ts";
import { mixedCircuit, randomBatch } from "./learner_conformance.ts";
import { anyCircuit } from "./truth.ts";

const real = [{ kind: "real", name: "x" }] as const;
const far = samplesFromRows([[100], [101], [99], [120], [121], [119]]);

function reports(learner: Learner, options: TrainingOptions, data = far): Promise<EpochReport[]> {
  return Array.fromAsync(new EmTraining(learner, { train: sourceOf(data) }, options));
}

const warningsOf = (all: readonly EpochReport[]) => all.map(({ warnings = [] }) => warnings);

Deno.test("a unit that the first update gives no weight is told by name, once", async () => {
  const options = { epochs: 3, batchSize: 2 };
  const circuit = naiveMixture(real, { components: 3, seed: 0 });
  const [first, ...others] = warningsOf(await reports(new ReferenceLearner(circuit), options));
  assert.deepEqual(others, [[], []]);
  assert.equal(first!.length, 1);
  assert.match(first![0]!, /gave no weight to unit \d of `leaf\/0` \(variable 0 `x`\), unit \d of `leaf\/0`/);
  assert.match(first![0]!, /`startFromData`/);
  // Started from the data, or smoothed, all units live; so do those that had no weight from the beginning.
  const started = naiveMixture(real, { components: 3, seed: 0, data: far });
  const smoothed = { ...options, smoothing: { sums: { pseudocount: 1 } } };
  const sparse = hmm({
    length: 2,
    states: 3,
    symbols: 2,
    initial: [1, 0, 0],
    transition: [0, 1, 0, 0, 1, 0, 0, 0, 1],
  });
  for (
    const silent of [
      await reports(new ReferenceLearner(started), options),
      await reports(new ReferenceLearner(circuit), smoothed),
      await reports(new ReferenceLearner(sparse), options, samplesFromRows([[0, 1], [1, 1]])),
    ]
  ) assert.deepEqual(warningsOf(silent), [[], [], []]);
});

Deno.test("the warning of an epoch survives a checkpoint in its middle", async () => {
  const options: TrainingOptions = { epochs: 1, batchSize: 2, batchesPerUpdate: 2, shuffle: false };
  const open = () =>
    new EmTraining(
      new ReferenceLearner(naiveMixture(real, { components: 3 })),
      { train: sourceOf(far) },
      options,
    );
  const training = open(), resumed = open();
  await training.step();
  await training.step(); // the first update
  await resumed.restore(decodeTrainingState(encodeTrainingState(await training.state())));
  const [report] = await Array.fromAsync(resumed);
  assert.match(report!.warnings![0]!, /gave no weight/);
  assert.deepEqual(await Array.fromAsync(training), [report]);
});

/** A learner whose updates are spoilt from the second one on. */
class Spoilt extends ReferenceLearner {
  readonly #spoil: (circuit: Circuit) => Circuit;
  #updates = 0;

  constructor(circuit: Circuit, spoil: (circuit: Circuit) => Circuit) {
    super(circuit);
    this.#spoil = spoil;
  }

  override async update(rule: UpdateRule): Promise<void> {
    await super.update(rule);
    if (this.#updates++ === 0) return;
    await this.parameters();
    const { parameters } = this.#spoil(this.circuit);
    await this.setParameters(new Map([...parameters].map(([id, { values }]) => [id, values])));
  }
}

Deno.test("a fall of the likelihood that EM does not explain is told with both numbers", async () => {
  const circuit = naiveMixture(real, { components: 2, data: far });
  const spoilt = () => new Spoilt(circuit, (one) => perturbed(one, { amount: 3, seed: 1 }));
  const all = await reports(spoilt(), { epochs: 4, batchSize: 3 });
  const found = warningsOf(all).flat();
  assert.ok(found.length > 0);
  assert.match(
    found[0]!,
    /lowered the log-likelihood of the training samples from -\d.* to -\d.* nats a sample/,
  );
  const [before, after] = [/from (-[\d.e+]+)/, /to (-[\d.e+]+)/].map((one) =>
    Number(one.exec(found[0]!)![1])
  );
  assert.ok(after! < before!);
  assert.equal(all.find(({ warnings }) => warnings)!.train!.logLikelihood, after);
  // The same under rules that may lower it says nothing.
  for (
    const option of [
      { batchesPerUpdate: 1 },
      { dropout: 0.2 },
      { step: { kind: "inertia", inertia: 0.5 } },
      { step: { kind: "anemone", step: 0.5 } },
      { smoothing: { leaves: { pseudocount: 1 } } },
      { smoothing: { parameters: { z: { mix: 0.1 } } } },
    ] as const
  ) {
    const quiet = await reports(spoilt(), { epochs: 4, batchSize: 3, ...option });
    assert.ok(warningsOf(quiet).flat().every((warning) => !/lowered/.test(warning)), JSON.stringify(option));
  }
  // Possible samples that become impossible are a fall too.
  const symbols = hmm({ length: 1, states: 1, symbols: 2, emission: [0.5, 0.5] });
  const forgetful = new Spoilt(symbols, () => hmm({ length: 1, states: 1, symbols: 2, emission: [1, 0] }));
  const [, , third] = await reports(forgetful, { epochs: 3, batchSize: 2 }, samplesFromRows([[0], [1]]));
  assert.match(third!.warnings![0]!, /made 1 training samples impossible/);
});

Deno.test("EM that goes as it should says nothing of a fall, on the reference and in float32", async (test) => {
  const quiet = async (learner: Learner, seed: number) => {
    const data = samplesFromRows(randomBatch(learner.circuit, 12, seed));
    const found = warningsOf(await reports(learner, { epochs: 8, batchSize: 5 }, data)).flat();
    assert.ok(found.every((warning) => /no weight/.test(warning)), `${found}`);
    await learner.close();
  };
  await holds(
    test,
    fc.asyncProperty(anyCircuit(), fc.nat(1000), async (random, seed) => {
      for (const circuit of [random, mixedCircuit()]) await quiet(new ReferenceLearner(circuit), seed);
    }),
    { numRuns: 12 },
  );
  for (const seed of [1, 2]) await quiet(new CpuEngine(mixedCircuit(), { threads: 1 }), seed);
});

Deno.test("the stage that trains logs what its training warns of", async () => {
  const logs: string[] = [];
  await runHere(
    trainEm,
    { circuit: naiveMixture(real, { components: 3 }), train: sourceOf(far), valid: sourceOf(far) },
    { epochs: 2 },
    { log: (text: string) => logs.push(text) },
  );
  assert.ok(logs.some((text) => /^epoch 1: the first update gave no weight to unit/.test(text)), `${logs}`);
});

Deno.test("so does the one that ends a training in shards, in the same words", async () => {
  const start = naiveMixture(real, { components: 3 }), source = sourceOf(far);
  const counts = [], scores: ShardScore[] = [];
  for (const shard of [0, 1]) {
    const one = await countShard(new ReferenceLearner(start), source, {
      shard,
      shards: 2,
      parts: 1,
      batchSize: 2,
    });
    counts.push(one.parts[0]!);
    scores.push(one.score);
  }
  const first = [stepPart(start, counts, { step: { kind: "em" } }, { part: 0, parts: 1 })];
  const logs = async (smoothing: readonly unknown[], after: number, monotone = true) => {
    const told: string[] = [], later = scores.map((score) => ({ ...score, total: after * score.weight }));
    await runHere(
      joinTraining,
      {
        circuit: start,
        updated: first,
        first,
        smoothing,
        scores: [...scores, ...later],
        valid: [],
        windows: [],
      },
      { shards: 2, tolerance: 0, mostFalls: 0, perUpdate: 2, monotone },
      { log: (text: string) => told.push(text) },
    );
    return told;
  };
  const whole: string[] = [];
  await runHere(trainEm, { circuit: start, train: source, valid: source }, { epochs: 1 }, {
    log: (text: string) => whole.push(text),
  });
  const lost = whole.find((text) => text.startsWith("epoch 1: the first update gave no weight to unit"));
  assert.deepEqual(await logs([{}], 0), [lost]);
  assert.deepEqual(await logs([], 0), [], "levels smooth every unit");
  const [, fall] = await logs([{}], -1e6);
  assert.match(
    fall!,
    /^epoch 2: the last update lowered the log-likelihood of the training samples from -.* to -1000000 /,
  );
  assert.deepEqual(await logs([{}], -1e6, false), [lost], "mini-batches may lower it");
  const pseudocounts = { sums: { pseudocount: 1 }, leaves: { pseudocount: 1 } };
  assert.deepEqual(await logs([pseudocounts], -1e6), [lost], "and so may pseudocounts");
});
