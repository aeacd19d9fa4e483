import assert from "node:assert/strict";
import { RandomStream } from "../../circuits/random.ts";
import {
  type AutoencoderOptions,
  AutoencoderTraining,
  type PatchSource,
} from "../../teachers/autoencoder_training.ts";
import {
  autoencoderFeatures,
  autoencoderGuesses,
  autoencoderPlans,
  type AutoencoderSizes,
  hiddenOf,
  maskedFeed,
  neighbourhood,
  positionVectors,
} from "../../teachers/masked_autoencoder.ts";
import { startingNumbers } from "../../teachers/transformer.ts";

const layer = { width: 16, layers: 2, heads: 2, hidden: 32 };
const sizes: AutoencoderSizes = {
  rows: 3,
  columns: 3,
  patch: 2,
  encoder: layer,
  decoder: { ...layer, width: 8, layers: 1 },
};
const options: AutoencoderOptions = {
  epochs: 20,
  batch: 16,
  rate: 5e-3,
  warmup: 0.1,
  decay: 0.01,
  hidden: [0.2, 0.8],
  shares: 3,
  seed: 4,
};

/** Images whose patches are all alike, up to a sign that depends on the place: what is hidden can be known. */
function source(count: number, seed: number): PatchSource {
  const images = Array.from({ length: count }, (_, i) => {
    const random = new RandomStream(seed, i);
    const [x, y] = [random.normal(), random.normal()];
    return Float32Array.from({ length: 18 }, (_, v) => (v & 1 ? y : x) * ((v >> 1) % 2 ? -1 : 1));
  });
  return {
    count,
    read(indices) {
      const out = new Float32Array(indices.length * 18);
      indices.forEach((image, i) => out.set(images[image]!, i * 18));
      return out;
    },
  };
}

async function train(training: AutoencoderTraining, steps = Infinity): Promise<void> {
  for (let s = 0; s < steps && !training.done; s++) await training.step();
}

Deno.test("the autoencoder learns to guess what is hidden", async () => {
  const training = new AutoencoderTraining(
    { ...sizes, decoder: { ...layer, layers: 1 } },
    { ...options, epochs: 16, rate: 1e-2 },
    source(400, 1),
    source(40, 2),
  );
  await train(training);
  assert.deepEqual(training.progress, { done: 400, total: 400 });
  const epochs = training.epochs;
  assert.equal(epochs.length, 16);
  // Guessing zero has the loss 1.
  assert.ok(epochs[0]!.valid > 0.5, `at first ${epochs[0]!.valid}`);
  assert.ok(epochs.at(-1)!.valid < 0.15, `at the end ${epochs.at(-1)!.valid}`);
  await training.close();
});

Deno.test("training is a function of its seed and goes on from any step bit by bit", async () => {
  const short = { ...options, epochs: 3 };
  const begin = (seed = 4) =>
    new AutoencoderTraining(sizes, { ...short, seed }, source(40, 1), source(10, 2));
  const [whole, half, rest, other] = [begin(), begin(), begin(), begin(5)];
  await train(whole);
  await train(half, 5);
  // Through a copy, as a checkpoint makes one.
  rest.restore(structuredClone(half.state()));
  await train(rest);
  await train(other);
  assert.deepEqual(rest.epochs, whole.epochs);
  for (const [name, values] of whole.weights) assert.deepEqual(rest.weights.get(name), values, name);
  assert.notDeepEqual(other.weights.get("patch/weight"), whole.weights.get("patch/weight"));
  const wider = new AutoencoderTraining({ ...sizes, patch: 3 }, short, source(40, 1), source(10, 2));
  assert.throws(() => wider.restore(whole.state()), /another autoencoder/);
  for (const training of [whole, half, rest, other, wider]) await training.close();
});

Deno.test("a feature is the first patch's, whatever the order of the others and the rest of the batch", async () => {
  const weights = Object.fromEntries(startingNumbers(autoencoderPlans(sizes), 9));
  const program = await autoencoderFeatures(sizes, 2, 3);
  const patches = source(2, 3).read(Uint32Array.of(0, 1));
  const features = async (first: number[], second: number[]) => {
    const feed = maskedFeed(sizes, patches, [Uint32Array.from(first), Uint32Array.from(second)]);
    return (await program.run({ ...weights, ...feed }))["features"]!;
  };
  const a = await features([4, 0, 8], [1, 2, 3]), b = await features([4, 8, 0], [3, 2, 1]);
  const near = (x: Float32Array, y: Float32Array) => x.every((v, i) => Math.abs(v - y[i]!) < 1e-5);
  assert.ok(near(a.subarray(0, 16), b.subarray(0, 16)));
  assert.ok(!near(a.subarray(16), b.subarray(16)), "another patch first");
  // Patches that are not visible say nothing.
  patches.fill(7, 5 * 2, 8 * 2);
  assert.deepEqual(await features([4, 0, 8], [1, 2, 3]), a);
  await program.release();
});

Deno.test("guesses stand in the order of the hidden patches", async () => {
  const patches = source(1, 3).read(Uint32Array.of(0));
  const visible = Uint32Array.of(8, 1, 3, 4, 5, 6, 7);
  assert.deepEqual(hiddenOf(visible, 9), [0, 2]);
  const feed = maskedFeed(sizes, patches, [visible]);
  assert.deepEqual([...feed["hidden patches"] as Float32Array], [
    ...patches.subarray(0, 2),
    ...patches.subarray(4, 6),
  ]);
  assert.deepEqual([...(feed["visibleAt"] as BigInt64Array)].map(Number), [...visible]);
  const weights = Object.fromEntries(startingNumbers(autoencoderPlans(sizes), 9));
  const program = await autoencoderGuesses(sizes, 1, 7);
  const { guesses, loss } = await program.run({ ...weights, ...feed });
  const hidden = feed["hidden patches"] as Float32Array;
  const error = guesses!.reduce((total, x, i) => total + (x - hidden[i]!) ** 2, 0) / 4;
  assert.ok(Math.abs(error - loss![0]!) < 1e-5);
  await program.release();
});

Deno.test("positions differ; neighbourhoods end at the border", () => {
  const vectors = positionVectors(3, 4, 8);
  const rows = Array.from({ length: 12 }, (_, p) => [...vectors.subarray(p * 8, p * 8 + 8)].join());
  assert.equal(new Set(rows).size, 12);
  // Row 2, column 1: sin 2, sin 0.02, cos 2, cos 0.02, sin 1, ...
  const at = vectors.subarray(9 * 8);
  [Math.sin(2), Math.sin(0.02), Math.cos(2), Math.cos(0.02), Math.sin(1)].forEach((x, i) =>
    assert.ok(Math.abs(x - at[i]!) < 1e-6)
  );
  assert.deepEqual([...neighbourhood(sizes, 4)], [4, 0, 1, 2, 3, 5, 6, 7, 8]);
  assert.deepEqual([...neighbourhood(sizes, 0)], [0, 1, 3, 4]);
  assert.deepEqual([...neighbourhood(sizes, 5)], [5, 1, 2, 4, 7, 8]);
});

Deno.test("sizes and shares that make no sense are refused", () => {
  assert.throws(
    () => autoencoderPlans({ ...sizes, encoder: { ...layer, width: 18 } }),
    /not a multiple of 4/,
  );
  assert.throws(() => autoencoderPlans({ ...sizes, decoder: { ...layer, heads: 3 } }), /3 heads/);
  const make = (change: Partial<AutoencoderOptions>) =>
    new AutoencoderTraining(sizes, { ...options, ...change }, source(4, 1), source(4, 1));
  assert.throws(() => make({ hidden: [0, 0.5] }), /cannot be hidden/);
  assert.throws(() => make({ hidden: [0.6, 0.5] }), /cannot be hidden/);
  assert.throws(() => new AutoencoderTraining(sizes, options, source(0, 1), source(4, 1)), /needs images/);
});
