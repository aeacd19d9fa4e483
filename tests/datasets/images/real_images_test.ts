import assert from "node:assert/strict";
import { gunzipSync } from "node:zlib";
import { DataSetMissing } from "../../../datasets/errors.ts";
import { idxImages, type ImageSet, readCifar } from "../../../datasets/images/mod.ts";
import { dataFolders, locate } from "../../../datasets/locate.ts";

const folders = [
  ...(Deno.env.get("RETORT_DATA") ? dataFolders().slice(0, 1) : []),
  new URL("../../../../shared/data", import.meta.url).pathname,
];

/** A file of a data set, unpacked; undefined where the set is not on this machine. */
async function fileOf(set: string, name: string, mustBe: boolean): Promise<Uint8Array | undefined> {
  try {
    const { files } = await locate(set, { dataFolders: folders });
    const file = files.find(({ path }) => path.startsWith(name))!;
    const bytes = await Deno.readFile(file.location);
    return file.path.endsWith(".gz") ? gunzipSync(bytes) : bytes;
  } catch (error) {
    if (!(error instanceof DataSetMissing) || (mustBe && Deno.env.has("CI"))) throw error;
    console.log(`not checked: ${error.message}`);
    return undefined;
  }
}

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

Deno.test("CIFAR-10's test images: 1,000 of each class, the published means of the colours", async () => {
  const bytes = await fileOf("cifar-10", "test_batch", true);
  if (bytes === undefined) return;
  const set = readCifar(bytes);
  assert.deepEqual(classSizes(set), Array(10).fill(1000));
  // 0.4914, 0.4822, 0.4465 are the means of the training images that everyone normalises with.
  means(set).forEach((mean, c) => assert.ok(Math.abs(mean / 255 - [0.4914, 0.4822, 0.4465][c]!) < 0.01));
});

Deno.test("Fashion-MNIST's test images: 1,000 of each class, the published mean", async () => {
  const images = await fileOf("fashion-mnist", "t10k-images", false);
  const labels = await fileOf("fashion-mnist", "t10k-labels", false);
  if (images === undefined || labels === undefined) return;
  const set = idxImages(images, labels);
  assert.deepEqual(classSizes(set), Array(10).fill(1000));
  assert.ok(Math.abs(means(set)[0]! / 255 - 0.2860) < 0.005);
});
