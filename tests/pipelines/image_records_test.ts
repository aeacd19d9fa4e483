import assert from "node:assert/strict";
import { dirname } from "node:path";
import { zipSync } from "fflate";
import { dump } from "npyjs";
import { RandomStream } from "../../circuits/mod.ts";
import { command, type Ended, Folder, outputValue, ROOT } from "../command.ts";
import { needs } from "../needs.ts";
import { realData } from "../real_data.ts";

/** Everything small: what matters here is what images go in and what comes out; pictures of models are left out. */
const SMALL = {
  train: 40,
  valid: 20,
  test: 20,
  clusters: [2],
  latents: 2,
  treeLatents: [],
  teachers: ["pixels"],
  epochs: { patches: 1, top: 1, together: 1 },
  converge: { epochs: 2 },
  repetitions: 1,
};

async function run(name: string, folder: Folder, parameters: object, data?: string): Promise<Ended> {
  const settings = Object.entries({ ...SMALL, ...parameters })
    .flatMap(([name, value]) => ["--set", `${name}=${JSON.stringify(value)}`]);
  return await command(
    "run",
    [
      `${ROOT}/pipelines/${name}.ts`,
      "--store",
      folder.store,
      "--jobs",
      "0",
      "--except",
      "images.show-*",
      ...settings,
    ],
    { cwd: folder.path, ...(data !== undefined && { env: { RETORT_DATA: data } }) },
  );
}

/** Rows of a run's table; each has a figure and says of its training what the tables of these experiments say. */
async function rowsOf(folder: Folder, output = "table") {
  const { budget, rows } = await outputValue(folder.store, output);
  assert.equal(budget, 3);
  for (const { arm, figure: { bits }, converged, course } of rows) {
    assert.ok(bits > 0 && bits < 10, `${arm}: ${bits}`);
    assert.equal(converged, false, "two epochs are over before the step has fallen");
    assert.ok(course.epochs === 2 && course.valid > 0, arm);
  }
  return rows;
}

/** A batch in the official format: planes of red, green and blue of pictures that are flat but for noise. */
function batch(seed: number, count: number, side: number): Uint8Array {
  const plane = side * side, random = new RandomStream(seed, 0);
  const data = new Uint8Array(count * 3 * plane), labels = new BigInt64Array(count);
  for (let i = 0; i < count; i++) {
    labels[i] = BigInt(1 + random.integer(1000));
    for (let c = 0; c < 3; c++) {
      const level = random.integer(200);
      for (let p = 0; p < plane; p++) data[(i * 3 + c) * plane + p] = level + random.integer(8);
    }
  }
  return zipSync({
    "data.npy": new Uint8Array(dump(data, [count, 3 * plane])),
    "labels.npy": new Uint8Array(dump(labels, [count])),
    "mean.npy": new Uint8Array(dump(new Float64Array(3 * plane), [3 * plane])),
  }, { level: 0 });
}

/** Files of downsampled ImageNet that are made up, six images a batch. */
function standIns(folder: Folder, set: string, side: number): string {
  const data = `${folder.path}/data`;
  Deno.mkdirSync(`${data}/${set}`, { recursive: true });
  for (let b = 1; b <= 10; b++) {
    Deno.writeFileSync(`${data}/${set}/train_data_batch_${b}.npz`, batch(b, 6, side));
  }
  Deno.writeFileSync(`${data}/${set}/val_data.npz`, batch(11, 20, side));
  return data;
}

for (const [side, repetitions, images] of [[32, 2, 20], [64, 1, 8]] as const) {
  Deno.test(`imagenet${side}_lvd: from the official files to a table, seeds: ${repetitions}`, async () => {
    using folder = new Folder();
    const data = standIns(folder, `imagenet${side}`, side);
    const few = { train: 2 * images, valid: images, test: images };
    const ran = await run(`imagenet${side}_lvd`, folder, { ...few, repetitions }, data);
    assert.equal(ran.code, 0, ran.stderr);
    const rows = await rowsOf(folder);
    const distilled = ["distilled from pixels, before joint EM", "distilled from pixels"];
    assert.deepEqual(
      rows.map(({ arm }: { arm: string }) => arm),
      Array(repetitions).fill(distilled).flat(),
    );
    assert.deepEqual(rows[0].figure.space, {
      ...{ height: side, width: side, channels: 3, levels: [256, 511, 511] },
      ...{ transform: "ycocg-r-511", steps: [] },
    });
    assert.equal(rows[0].figure.images, images);
  });
}

Deno.test("imagenet32_lvd: missing and wrong files are refused in words", async () => {
  using folder = new Folder();
  const none = await run("imagenet32_lvd", folder, {}, folder.path);
  assert.equal(none.code, 1);
  assert.match(none.stderr, /data set `imagenet32` is not on this machine/);
  assert.match(
    none.stderr,
    /Log in at https:\/\/image-net.org\/download-images, take Imagenet32_train_npz.zip/,
  );
  // Of the other size; it is the batch that is read last.
  const data = standIns(folder, "imagenet32", 32);
  Deno.writeFileSync(`${data}/imagenet32/train_data_batch_10.npz`, batch(1, 6, 64));
  const other = await run("imagenet32_lvd", folder, {}, data);
  assert.equal(other.code, 1);
  assert.match(other.stderr, /train_data_batch_10.npz: 6 images of 32x32x3 need 18432 bytes; got 73728/);
});

const fashion = await realData("fashion-mnist"), cifar = await realData("cifar-10");

Deno.test({
  name: "fashion_mnist_record: trees and a control",
  ...needs("fashion", fashion !== undefined),
  async fn() {
    using folder = new Folder();
    const ran = await run("fashion_mnist_record", folder, {
      treeLatents: [2],
      teachers: ["random"],
    }, dirname(fashion!.folder));
    assert.equal(ran.code, 0, ran.stderr);
    assert.match(ran.stdout, /How few bits per dimension of Fashion-MNIST/);
    const arms = (await rowsOf(folder)).map(({ arm }: { arm: string }) => arm);
    assert.deepEqual(arms, [
      "hidden Chow-Liu tree",
      "distilled from random, before joint EM",
      "distilled from random",
    ]);
  },
});

Deno.test({
  name: "cifar10_full: all batches, lossy and lossless colours in one run, in tables of their own",
  ...needs("data", cifar !== undefined),
  async fn() {
    using folder = new Folder();
    const ran = await run("cifar10_full", folder, {}, dirname(cifar!.folder));
    assert.equal(ran.code, 0, ran.stderr);
    for (const [output, transform] of [["table", "ycbcr-lossy"], ["secondTable", "ycocg-r-511"]] as const) {
      const rows = await rowsOf(folder, output);
      assert.equal(rows.length, 2);
      for (const { figure } of rows) assert.equal(figure.space.transform, transform);
    }
    assert.match(ran.stdout, /lossy YCbCr/);
    // The images that choose follow those that are learned from, up to the last one of the fifth batch.
    const many = await run("cifar10_full", folder, { train: 49_001 }, dirname(cifar!.folder));
    assert.equal(many.code, 2);
    assert.match(many.stderr, /parameter `train`/);
  },
});
