/** Every exported function that takes a number refuses one that makes no sense, in words for people. */
import assert from "node:assert/strict";
import * as circuits from "../../circuits/mod.ts";
import {
  categoricalVariables,
  type Circuit,
  CircuitBuilder,
  CircuitError,
  clusterTree,
  EmTraining,
  expectedStatistics,
  hclt,
  hmm,
  maximise,
  maximumSpanningTree,
  PatchLearner,
  perturbed,
  RandomStream,
  ReferenceEvaluator,
  ReferenceLearner,
  sample,
  samplesFromRows,
  type SampleSource,
  scoreOf,
  sourceOf,
  stack,
  withParameters,
} from "../../circuits/mod.ts";
import * as kernels from "../../kernels/mod.ts";
import { CpuEngine } from "../../kernels/cpu/engine.ts";
import { planOf } from "../../kernels/mod.ts";
import { BLOCKED_CHECKS } from "./blocked_checks.ts";
import { WITHOUT_NUMBERS } from "./without_numbers.ts";
import { type Check, WRONG } from "./wrong_numbers.ts";

const model = hmm({ length: 3, states: 2, symbols: 3, seed: 1 });
const reference = new ReferenceEvaluator(model), rows = samplesFromRows([[0, 1, 2], [2, null, 0]]);
const variables = categoricalVariables(4, 2), four = samplesFromRows([[0, 1, 0, 1], [1, 1, 0, 0]]);
const tree = maximumSpanningTree(new Float64Array(16), 4);
const learner = () => new ReferenceLearner(model);
const training = { epochs: 1, batchSize: 2 };
const EM: circuits.UpdateRule = { step: { kind: "em" } },
  SHARD = { shard: 0, shards: 1, parts: 1, batchSize: 2 };
const inShard = (more: object) => circuits.countShard(reference, sourceOf(rows), { ...SHARD, ...more });
const train = (options: object, weights?: number[]) =>
  new EmTraining(learner(), { train: sourceOf(rows, weights) }, { ...training, ...options });
const update = async (rule: circuits.UpdateRule) => {
  const one = learner();
  await one.accumulate(rows);
  await one.update(rule);
};
const patch = stack([1, 2].map((seed) => hmm({ length: 2, states: 2, symbols: 2, seed })));
const top = clusterTree(["a", "b"], maximumSpanningTree(new Float64Array(4), 2), { clusters: 2 });
const parts = [{ circuit: patch, columns: [0, 1] }, { circuit: patch, columns: [2, 3] }];
const patches = (options: object = {}) =>
  PatchLearner.open({
    variables,
    top,
    parts,
    open: (circuit: Circuit) => new ReferenceLearner(circuit),
    ...options,
  });
const leaves = () => {
  const b = new CircuitBuilder();
  const leaf = b.input({ variable: b.categorical("x", 2), family: "categorical", units: 2 });
  return { b, leaf };
};
const image = { height: 2, width: 2, units: 2 };

const checks: Readonly<Record<string, readonly Check[]>> = {
  ...BLOCKED_CHECKS,
  CircuitBuilder: [
    ["seed", (seed) => new CircuitBuilder({ seed })],
    ["positive", (states) => new CircuitBuilder().categorical("x", states)],
    ["positive", (units) => leaves().b.input({ variable: 0, family: "categorical", units })],
    ["whole", (variable) => leaves().b.input({ variable, family: "categorical", units: 2 })],
    ["positive", (units) => leaves().b.sum([leaves().leaf], { units })],
    ["positive", (groups) => leaves().b.sum([0], { units: 2, groups })],
    ["whole", (child) => leaves().b.sum([child], { units: 2 })],
    ["whole", (child) => leaves().b.product([0, child])],
    ["whole", (size) => leaves().b.parameter("p", [size, 2], [1, 2])],
    ["whole", (root) => leaves().b.build(root)],
    ["whole", (node) => leaves().b.units(node)],
    ["probability", (p) => leaves().b.build(leaves().b.sum([0], { units: 1, weights: [p, 1 - p] }))],
  ],
  EmTraining: [
    ["whole", (epochs) => train({ epochs })],
    ["positive", (batchSize) => train({ batchSize })],
    ["positive", (batchesPerUpdate) => batchesPerUpdate === Infinity ? fail() : train({ batchesPerUpdate })],
    ["seed", (seed) => train({ seed })],
    ["number", (tolerance) => train({ tolerance })],
    ["share", (inertia) => train({ step: { kind: "inertia", inertia } })],
    ["number", (pseudocount) => train({ smoothing: { sums: { pseudocount } } })],
    ["weight", (weight) => train({}, [1, weight])],
    ["weight", (weight) => new EmTraining(learner(), { train: odd(weight) }, training)],
  ],
  HmmCounts: [
    ["positive", (states) => new circuits.HmmCounts({ states, symbols: 2 })],
    ["positive", (symbols) => new circuits.HmmCounts({ states: 2, symbols })],
    ["whole", (end) => new circuits.HmmCounts({ states: 2, symbols: 2, end })],
    ["positive", (length) => new circuits.HmmCounts({ states: 2, symbols: 2 }).add([0, 1], [0, 1], length)],
    ["whole", (x) => new circuits.HmmCounts({ states: 2, symbols: 2 }).add([0, x], [0, 1], 2)],
    ["positive", (length) => new circuits.HmmCounts({ states: 2, symbols: 2 }).circuit(length)],
  ],
  PatchLearner: [
    ["share", (threshold) => patches({ threshold })],
    ["positive", (rows) => patches({ rows })],
    ["weight", async (weight) => (await patches()).accumulate(four, [1, weight])],
  ],
  RandomStream: [["seed", (seed) => new RandomStream(seed)]],
  ReferenceEvaluator: [["weight", (weight) => reference.flows(rows, [1, weight])]],
  ReferenceLearner: [
    ["weight", (weight) => learner().accumulate(rows, [1, weight])],
    ["weight", (weight) => learner().flows(rows, [1, weight])],
    ["probability", (p) => learner().setParameters(new Map([["initial", Float32Array.of(p, 1 - p)]]))],
    ["share", (step) => update({ step: { kind: "anemone", step } })],
    ["number", (pseudocount) => update({ step: { kind: "em" }, leaves: { pseudocount } })],
    ["share", (mix) => update({ step: { kind: "em" }, sums: { mix } })],
  ],
  batchCount: [
    ["whole", (count) => circuits.batchCount(count, 2)],
    ["positive", (size) => circuits.batchCount(4, size)],
  ],
  batchOf: [
    ["positive", (size) => circuits.batchOf(new Uint32Array(4), 0, size)],
    ["whole", (batch) => circuits.batchOf(new Uint32Array(4), batch, 2)],
  ],
  encodeCircuitFile: [["whole", (bits) => circuits.encodeCircuitFile(model, { bits: bits as 8 })]],
  categoricalVariables: [
    ["whole", (count) => categoricalVariables(count, 2)],
    ["positive", (states) => categoricalVariables(2, states)],
  ],
  checkSampleWeights: [["weight", (weight) => circuits.checkSampleWeights(rows, [1, weight])]],
  checkSamples: [["whole", (x) => circuits.checkSamples(model, samplesFromRows([[0, 1, x]]))]],
  checkSchedule: [["share", (value) => circuits.checkSchedule("step", { points: [[0, value]] })]],
  circuitOfRegions: [["positive", (units) => circuits.ratSpn(variables, { units, depth: 1, replicas: 1 })]],
  clusterTree: [
    [
      "positive",
      (clusters) => clusterTree(["a"], { root: 0, parents: Int32Array.of(-1), order: [0] }, { clusters }),
    ],
    ["positive", (latents) => clusterTree(["a", "b", "c", "d"], tree, { clusters: 2, latents })],
    ["seed", (seed) => clusterTree(["a", "b", "c", "d"], tree, { clusters: 2, seed })],
  ],
  completePatches: [
    ["seed", async (seed) => await circuits.completePatches(await patches(), four, { seed })],
    ["positive", async (draws) => await circuits.completePatches(await patches(), four, { draws })],
  ],
  conditional: [["whole", (v) => circuits.conditional(reference, rows, [v])]],
  conditionalLogLikelihood: [["whole", (v) => circuits.conditionalLogLikelihood(reference, rows, [v])]],
  conditionalMean: [["whole", (v) => circuits.conditionalMean(reference, rows, [v])]],
  copyStates: [[
    "whole",
    (state) => circuits.copyStates(hclt(variables, tree, { latents: 2 }), new Map([[1, [state]]])),
  ]],
  countClusters: [
    ["positive", (clusters) => circuits.countClusters(tree, [0, 0, 0, 0], { clusters })],
    ["whole", (cluster) => circuits.countClusters(tree, [0, 0, 0, cluster], { clusters: 2 })],
    ["number", (pseudocount) => circuits.countClusters(tree, [0, 0, 0, 0], { clusters: 2, pseudocount })],
    ["share", (spread) => circuits.countClusters(tree, [0, 0, 0, 0], { clusters: 2, spread })],
  ],
  countComplete: [["positive", (batchSize) =>
    circuits.countComplete(
      new ReferenceLearner(
        circuits.materialise(model, [1, 3, 5].filter((id) => model.nodes[id]?.kind === "sum")).circuit,
      ),
      sourceOf(samplesFromRows([[0, 0, 0, 0, 0]])),
      { batchSize },
    )]],
  dropValues: [
    ["share", (rate) => circuits.dropValues({ samples: rows, indices: Uint32Array.of(0, 1) }, rate, 1, 1)],
    ["seed", (seed) => circuits.dropValues({ samples: rows, indices: Uint32Array.of(0, 1) }, 0.5, seed, 1)],
  ],
  StateDropout: [
    ["share", (rate) => new circuits.StateDropout(model, rate, 1)],
    ["seed", (seed) => new circuits.StateDropout(model, 0.5, seed)],
    ["whole", (epoch) => new circuits.StateDropout(model, 0.5, 1).kept(epoch, 0)],
    ["whole", (batch) => new circuits.StateDropout(model, 0.5, 1).kept(1, batch)],
  ],
  entropy: [["whole", (v) => circuits.entropy(reference, rows, v)]],
  excludeState: [
    ["whole", (state) => circuits.excludeState(model, [0], state)],
    ["whole", (v) => circuits.excludeState(model, [v], 0)],
  ],
  expectedStatistics: [["weight", (weight) => expectedStatistics(reference, rows, [1, weight])]],
  fullOptions: [["share", (dropout) => circuits.fullOptions({ ...training, dropout }, 2)]],
  fittedUpdates: [
    ["whole", (count) => circuits.fittedUpdates(count, 2)],
    ["positive", (largest) => circuits.fittedUpdates(2, largest)],
  ],
  checkFalling: [["probability", (to) => circuits.checkFalling({ from: 0.5, to })]],
  hclt: [
    ["positive", (latents) => hclt(variables, tree, { latents })],
    ["seed", (seed) => hclt(variables, tree, { latents: 2, seed })],
  ],
  fit: [
    ["whole", (epochs) => circuits.fit(learner(), rows, { epochs })],
    ["positive", (batchSize) => circuits.fit(learner(), rows, { batchSize })],
    ["seed", (seed) => circuits.fit(learner(), rows, { seed })],
    ["share", (valid) => circuits.fit(learner(), rows, { valid })],
    ["number", (tolerance) => circuits.fit(learner(), rows, { tolerance })],
  ],
  hcltFromSamples: [
    ["whole", (root) => circuits.hcltFromSamples({ variables, samples: four }, { latents: 2, root })],
    ["positive", (bins) => circuits.hcltFromSamples({ variables, samples: four }, { latents: 2, bins })],
  ],
  hideValues: [["whole", (v) => circuits.hideValues(rows, [v])]],
  hideVariables: [["whole", (v) => circuits.hideVariables(rows, [v])]],
  hmm: [
    ["positive", (length) => hmm({ length, states: 2, symbols: 2 })],
    ["positive", (states) => hmm({ length: 2, states, symbols: 2 })],
    ["positive", (symbols) => hmm({ length: 2, states: 2, symbols })],
    ["seed", (seed) => hmm({ length: 2, states: 2, symbols: 2, seed })],
    ["probability", (p) => hmm({ length: 2, states: 2, symbols: 2, initial: [p, 1 - p] })],
  ],
  ascending: [["whole", (count) => circuits.ascending(count)]],
  leafMarginals: [["positive", (batchSize) => circuits.leafMarginals(model, sourceOf(rows), batchSize)]],
  marginal: [["whole", (v) => circuits.marginal(reference, rows, [v])]],
  materialise: [["whole", (node) => circuits.materialise(model, [node])]],
  maximise: [
    [
      "number",
      async (pseudocount) => maximise(model, await expectedStatistics(reference, rows), pseudocount),
    ],
    ["weight", async (count) => {
      const flows = await expectedStatistics(reference, rows);
      flows.weights.get("initial")![0] = count;
      maximise(model, flows);
    }],
  ],
  maximumSpanningTree: [
    ["positive", (count) => maximumSpanningTree([], count)],
    ["whole", (root) => maximumSpanningTree(new Float64Array(4), 2, root)],
  ],
  mixedLeaves: [["share", (weight) => circuits.mixedLeaves(model, new Map(), weight)]],
  mixture: [["probability", (p) => circuits.mixture([model, model], [p, 1 - p])]],
  mixtureOfUnits: [["probability", (p) => circuits.mixtureOfUnits(patch, [p, 1 - p])]],
  mutualInformation: [
    ["number", (pseudocount) => circuits.mutualInformation(variables, four, { pseudocount })],
    ["positive", (bins) => circuits.mutualInformation(variables, four, { bins })],
    ["weight", (weight) => circuits.mutualInformation(variables, four, { sampleWeights: [1, weight] })],
  ],
  naiveMixture: [
    ["positive", (components) => circuits.naiveMixture(variables, { components })],
    ["seed", (seed) => circuits.naiveMixture(variables, { components: 2, seed })],
  ],
  nodeOf: [["whole", (node) => circuits.nodeOf(model, node)]],
  perturbed: [
    ["number", (amount) => perturbed(model, { amount, seed: 1 })],
    ["seed", (seed) => perturbed(model, { amount: 1, seed })],
  ],
  pixelVariables: [["whole", (height) => circuits.pixelVariables({ height, width: 2 }, [0, 1])]],
  poonDomingos: [
    ["positive", (delta) => circuits.poonDomingos(variables, { ...image, delta })],
    ["positive", (height) => circuits.poonDomingos(variables, { ...image, height, delta: 1 })],
  ],
  posterior: [["whole", (latent) => circuits.posterior(reference, rows, latent)]],
  quadGraph: [["positive", (width) => circuits.quadGraph(variables, { ...image, width })]],
  quadTree: [
    ["positive", (units) => circuits.quadTree(variables, { ...image, units })],
    ["positive", (channels) => circuits.quadTree(variables, { ...image, channels })],
  ],
  ratSpn: [
    ["whole", (depth) => circuits.ratSpn(variables, { units: 2, depth, replicas: 1 })],
    ["positive", (replicas) => circuits.ratSpn(variables, { units: 2, depth: 1, replicas })],
    ["seed", (seed) => circuits.ratSpn(variables, { units: 2, depth: 1, replicas: 1, seed })],
  ],
  rectangleMask: [
    [
      "whole",
      (height) => circuits.rectangleMask({ height, width: 2 }, { top: 0, left: 0, bottom: 1, right: 1 }),
    ],
    ["whole", (top) => circuits.rectangleMask(image, { top, left: 0, bottom: 1, right: 1 })],
    ["whole", (right) => circuits.rectangleMask(image, { top: 0, left: 0, bottom: 1, right })],
  ],
  sample: [
    ["whole", (count) => sample(reference, count)],
    ["seed", (seed) => sample(reference, 1, { seed })],
  ],
  sampleMissing: [
    ["positive", (draws) => circuits.sampleMissing(reference, rows, { draws })],
    ["seed", (seed) => circuits.sampleMissing(reference, rows, { seed })],
  ],
  samplePatches: [["whole", async (count) => await circuits.samplePatches(await patches(), count)]],
  patchSamples: [["positive", (clusters) => circuits.patchSamples([new Float32Array(4)], clusters)]],
  countShard: ["shards", "parts", "batchSize"].map((name) => ["positive", (x) => inShard({ [name]: x })]),
  stepPart: [["positive", (parts) => circuits.stepPart(model, [], EM, { part: 0, parts })]],
  scoreOf: [
    ["positive", (batchSize) => scoreOf(reference, sourceOf(rows), batchSize)],
    ["weight", (weight) => scoreOf(reference, odd(weight), 2)],
  ],
  shuffled: [
    ["whole", (count) => circuits.shuffled(count, 1, 1)],
    ["seed", (seed) => circuits.shuffled(4, seed, 1)],
    ["whole", (epoch) => circuits.shuffled(4, 1, epoch)],
    ["positive", (block) => circuits.shuffled(4, 1, 1, block)],
  ],
  sliceSamples: [
    ["whole", (from) => circuits.sliceSamples(rows, from, 2)],
    ["whole", (to) => circuits.sliceSamples(rows, 0, to)],
  ],
  sourceOf: [["weight", (weight) => sourceOf(rows, [1, weight])]],
  startFromData: [
    ["seed", (seed) => circuits.startFromData(model, rows, { seed })],
    ["weight", (weight) => circuits.startFromData(model, rows, { sampleWeights: [1, weight] })],
  ],
  statesByFlow: [
    ["positive", (states) => circuits.statesByFlow([1, 2], states, 0)],
    ["share", (threshold) => circuits.statesByFlow([1, 2], 2, threshold)],
  ],
  substitute: [["whole", (v) => circuits.substitute(top, v, patch)]],
  takeSamples: [["whole", (index) => circuits.takeSamples(rows, [0, index])]],
  textPositions: [["seed", (t) => circuits.textPositions(3, [t === -1 ? -4 : t])]],
  trainGroups: [
    ["whole", async (from) => {
      const groups = circuits.trainGroups(learner(), [model], { train: sourceOf(rows), groups: [0, 0] }, {
        ...training,
        from,
      });
      await groups.next();
    }],
    ["whole", async (group) => {
      const groups = circuits.trainGroups(
        learner(),
        [model],
        { train: sourceOf(rows), groups: [0, group] },
        training,
      );
      await groups.next();
    }],
  ],
  unobserved: [
    ["whole", (count) => circuits.unobserved(count, 2)],
    ["whole", (columns) => circuits.unobserved(2, columns)],
  ],
  unstack: [["positive", (groups) => circuits.unstack(patch, groups)]],
  variableOf: [["whole", (v) => circuits.variableOf(model, v)]],
  windowsOf: [
    ["positive", (length) => circuits.windowsOf(new Uint8Array(4), length)],
    ["positive", (stride) => circuits.windowsOf(new Uint8Array(4), 2, stride)],
  ],
  withParameters: [["probability", (p) => withParameters(model, new Map([["initial", [p, 1 - p]]]))]],
  checkMemory: [["memory", kernels.checkMemory]],
  foldOf: [["whole", (node) => kernels.foldOf(planOf(model), node, 0)], [
    "whole",
    (unit) => kernels.foldOf(planOf(model), 0, unit),
  ]],
  largestBatch: [["memory", (bytes) => kernels.largestBatch(planOf(model), bytes, "forward")]],
  openEngine: [
    ["memory", (memory) => kernels.openEngine(model, { engine: "cpu", memory })],
    ["positive", (threads) => kernels.openEngine(model, { engine: "cpu", threads })],
    ["weight", async (weight) => {
      const engine = await kernels.openEngine(model, { engine: "cpu" });
      await engine.accumulate(rows, [1, weight]).finally(() => engine.close());
    }],
    ["probability", async (p) => {
      const engine = new CpuEngine(model, { threads: 1 });
      await engine.setParameters(new Map([["initial", Float32Array.of(p, 1 - p)]])).finally(() =>
        engine.close()
      );
    }],
  ],
};

/** A source that carries weights nobody checked. */
function odd(weight: number): SampleSource {
  return { ...sourceOf(rows), weights: [1, weight] };
}

function fail(): never {
  throw new CircuitError("circuit/argument", "for all batches there is `epoch`");
}

Deno.test("every exported function is asked, or takes no numbers", () => {
  const exported = [circuits, kernels].flatMap((module) =>
    Object.entries(module).filter(([, value]) => typeof value === "function").map(([name]) => name)
  );
  const known = [...Object.keys(checks), ...WITHOUT_NUMBERS];
  assert.deepEqual(
    exported.filter((name) => !known.includes(name)),
    [],
    "add calls with wrong numbers to `checks`",
  );
  assert.deepEqual(known.filter((name) => !exported.includes(name)), [], "no longer exported");
});

for (const [name, list] of Object.entries(checks)) {
  Deno.test(`${name} refuses numbers that make no sense`, async () => {
    for (const [i, [kind, call]] of list.entries()) {
      for (const x of WRONG[kind]) {
        await assert.rejects(async () => await call(x), (error: unknown) => {
          assert.ok(error instanceof CircuitError, `call ${i} with ${x}: ${(error as Error).stack ?? error}`);
          return true;
        }, `call ${i} took ${x}`);
      }
    }
  });
}
