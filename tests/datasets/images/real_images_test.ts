import assert from "node:assert/strict";
import { gunzipSync } from "node:zlib";
import { idxImages, type ImageSet, readCifar } from "../../../datasets/images/mod.ts";
import { needs } from "../../needs.ts";
import { realData } from "../../real_data.ts";

/** The files of a data set by the beginnings of their names, unpacked; undefined where the set is not on this machine. */
async function filesOf(set: string, ...names: string[]): Promise<Uint8Array[] | undefined> {
  const located = await realData(set);
  return located && await Promise.all(names.map(async (name) => {
    const file = located.files.find(({ path }) => path.startsWith(name))!;
    const bytes = await Deno.readFile(file.location);
    return file.path.endsWith(".gz") ? gunzipSync(bytes) : bytes;
  }));
}

const cifar = await filesOf("cifar-10", "test_batch");
const fashion = await filesOf("fashion-mnist", "t10k-images", "t10k-labels");

function classSizes(set: ImageSet): number[] {
  const sizes = Array<number>(10).fill(0);
  for (const label of set.labels!) sizes[label]!++;
  return sizes;
}

/** Mean of each channel, in levels. */
function means({ pixels, space: { channels } }: ImageSet): number[] {
  const totals = Array<number>(channels).fill(0);
  for (let i = 0; i < pixels.length; i++) totals[i % channels]! += pixels[i]!;
  return totals.map((total) => total * channels / pixels.length);
}

Deno.test({
  name: "CIFAR-10's test images: 1,000 of each class, the published means of the colours",
  ...needs("data", cifar !== undefined),
  fn() {
    const set = readCifar(cifar![0]!);
    assert.deepEqual(classSizes(set), Array(10).fill(1000));
    // 0.4914, 0.4822, 0.4465 are the means of the training images that everyone normalises with.
    means(set).forEach((mean, c) => assert.ok(Math.abs(mean / 255 - [0.4914, 0.4822, 0.4465][c]!) < 0.01));
  },
});

Deno.test({
  name: "Fashion-MNIST's test images: 1,000 of each class, the published mean",
  ...needs("fashion", fashion !== undefined),
  fn() {
    const set = idxImages(fashion![0]!, fashion![1]!);
    assert.deepEqual(classSizes(set), Array(10).fill(1000));
    assert.ok(Math.abs(means(set)[0]! / 255 - 0.2860) < 0.005);
  },
});
