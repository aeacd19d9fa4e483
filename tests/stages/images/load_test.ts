import assert from "node:assert/strict";
import { gzipSync } from "node:zlib";
import { zipSync } from "fflate";
import { dump } from "npyjs";
import {
  decodePicture,
  encodePng,
  type ImageSet,
  plainSpace,
  sheet,
  sideBySide,
  transformColours,
} from "../../../datasets/images/mod.ts";
import { images, pictures } from "../../../stages/images/codecs.ts";
import { loadImages } from "../../../stages/images/load_images.ts";
import { Folder } from "../../command.ts";
import { inPlace, runHere } from "../in_place.ts";

/** A folder of files as a stage reads it; `place` is where files lie that are read by their paths. */
function folder(files: Record<string, Uint8Array>, place?: Folder) {
  return {
    entries: Object.entries(files).map(([name, bytes]) => ({ name, size: bytes.length, digest: "" })),
    bytes: (name: string) => Promise.resolve(files[name]!),
    path(name: string) {
      const path = `${place!.path}/${name}`;
      Deno.writeFileSync(path, files[name]!);
      return Promise.resolve(path);
    },
  };
}

/** A batch as numpy's `savez` writes it: bytes `[images, 3 * side * side]`, classes from 1, the mean image. */
function npzFile(first: number, count: number, side = 2, level: 0 | 6 = 0): Uint8Array {
  const size = 3 * side * side, data = new Uint8Array(count * size);
  const labels = new BigInt64Array(count);
  for (let i = 0; i < count; i++) {
    data.fill(first + i, i * size, (i + 1) * size);
    labels[i] = BigInt(997 + (first + i) % 4);
  }
  return zipSync({
    "data.npy": new Uint8Array(dump(data, [count, size])),
    "labels.npy": new Uint8Array(dump(labels, [count])),
    "mean.npy": new Uint8Array(dump(new Float64Array(size), [size])),
  }, { level });
}

function cifarFile(count: number, value: (image: number) => number): Uint8Array {
  const bytes = new Uint8Array(count * 3073);
  for (let i = 0; i < count; i++) bytes.fill(value(i), i * 3073, (i + 1) * 3073);
  return bytes;
}

Deno.test("images are read from packed files, sliced, cropped, resized and transformed in that order", async () => {
  const files = folder({
    "b.bin.gz": new Uint8Array(gzipSync(cifarFile(3, (i) => 20 + i))),
    "a.bin": cifarFile(2, (i) => 10 + i),
    "readme": new Uint8Array(1),
  });
  const { images: set } = await runHere(loadImages, { files }, {
    format: "cifar",
    files: ["*.bin"],
    first: 1,
    count: 3,
    steps: [{ kind: "crop", top: 8, left: 8, height: 16, width: 16 }, {
      kind: "resize",
      height: 4,
      width: 4,
    }],
    transform: "ycocg-r-511",
  }) as { images: ImageSet };
  assert.deepEqual([...set.labels!], [11, 20, 21]);
  assert.deepEqual(set.space.levels, [256, 511, 511]);
  assert.deepEqual(set.space.steps.map(({ kind }) => kind), ["crop", "resize"]);
  assert.equal(set.pixels.length, 3 * 4 * 4 * 3);
  assert.deepEqual([...set.pixels.subarray(0, 3)], [11, 255, 255]);
  const grey = await runHere(loadImages, { files }, {
    format: "cifar",
    files: ["a.bin"],
    steps: [{ kind: "grey" }],
  });
  assert.equal(grey.images.space.channels, 1);
  await assert.rejects(
    runHere(loadImages, { files }, { format: "cifar", files: ["c*"] }),
    /no file is named c\*/,
  );
  await assert.rejects(
    runHere(loadImages, { files }, { format: "cifar", files: ["*.bin"], first: 3, count: 3 }),
    /3 images from 3 on were asked for, but there are 5/,
  );
  await assert.rejects(
    runHere(loadImages, { files }, { format: "cifar", files: ["*.bin"], first: 5 }),
    /none/,
  );
});

Deno.test("batches in npz files: in the order of their numbers, over their borders, classes above 255", async () => {
  using place = new Folder();
  const files = folder({
    "train_10.npz": npzFile(6, 3),
    "train_2.npz": npzFile(4, 2, 2, 6),
    "train_1.npz": npzFile(0, 4),
  }, place);
  const params = {
    format: "npz",
    files: ["train_*.npz"],
    shape: { height: 2, width: 2, channels: 3 },
    layout: "channels-first",
  };
  const load = async (range: { first?: number; count?: number }): Promise<ImageSet> =>
    (await runHere(loadImages, { files }, { ...params, ...range })).images;
  const all = await load({});
  assert.equal(all.count, 9);
  assert.deepEqual([...all.labels!], [997, 998, 999, 1000, 997, 998, 999, 1000, 997]);
  for (const [first, count] of [[0, 1], [3, 2], [3, 5], [4, 2], [5, 4], [8, 1]] as const) {
    const some = await load({ first, count });
    assert.deepEqual(some.pixels, all.pixels.slice(12 * first, 12 * (first + count)), `${first}, ${count}`);
    assert.deepEqual(some.labels, all.labels!.slice(first, first + count));
  }
  await assert.rejects(load({ first: 5, count: 5 }), /5 images from 5 on were asked for, but there are 9/);
  await assert.rejects(load({ first: 9 }), /there are 9 images, none from 9 on/);
});

Deno.test("files of images that are something else are refused by their names", async () => {
  using place = new Folder();
  const good = npzFile(0, 40);
  const params = {
    format: "npz",
    files: ["*.npz"],
    shape: { height: 2, width: 2, channels: 3 },
    layout: "channels-first",
  };
  const cases: [string, Uint8Array, RegExp][] = [
    ["pickle", new Uint8Array(900).fill(128), /^b.npz: this is not an npz file/],
    ["cut short", good.subarray(0, 300), /^b.npz: this is not an npz file/],
    ["larger images", npzFile(0, 2, 4), /^b.npz: 2 images of 2x2x3 need 24 bytes; got 96/],
    [
      "no images",
      zipSync({ "faces.npy": new Uint8Array(dump(new Uint8Array(2), [2])) }),
      /^b.npz: .*it has faces/,
    ],
    [
      "floats",
      zipSync({ "data.npy": new Uint8Array(dump(new Float32Array(12), [1, 12])) }),
      /^b.npz: data does not consist of bytes/,
    ],
    [
      "labels of others",
      zipSync({
        "labels.npy": new Uint8Array(dump(Int32Array.of(1, 2, 3), [3])),
        "data.npy": new Uint8Array(dump(new Uint8Array(12), [1, 12])),
      }),
      /^b.npz: got 3 labels for 1 images/,
    ],
    ["no npy", zipSync({ "data.npy": Uint8Array.of(1, 2, 3) }), /^b.npz: .*no .npy file/],
    [
      "half a header",
      zipSync({ "data.npy": new Uint8Array(dump(new Uint8Array(2), [2])).subarray(0, 40) }),
      /header/,
    ],
  ];
  for (const [what, bytes, message] of cases) {
    const files = folder({ "a.npz": good, "b.npz": bytes }, place);
    await assert.rejects(runHere(loadImages, { files }, params), (error: Error) => {
      assert.match(error.message, message, what);
      return true;
    });
  }
});

Deno.test("random crops are a function of their seed", async () => {
  const files = folder({ "a.bin": cifarFile(2, () => 1).map((_, i) => i % 255) });
  const at = async (seed: number) => {
    const steps = [{ kind: "random-crop", height: 8, width: 8, seed }];
    return (await runHere(loadImages, { files }, { format: "cifar", files: ["a.bin"], steps })).images
      .pixels;
  };
  assert.deepEqual(await at(3), await at(3));
  assert.notDeepEqual(await at(3), await at(4));
});

Deno.test("image sets come back from the store with all they carry", async () => {
  await inPlace(async ({ write, read }) => {
    const plain: ImageSet = {
      space: plainSpace(2, 3, 3),
      count: 2,
      pixels: Uint8Array.from({ length: 36 }, (_, i) => i * 7),
      labels: Uint8Array.of(3, 1),
    };
    for (
      const set of [
        plain,
        { ...plain, labels: Uint16Array.of(3, 1000) },
        transformColours(plain, "ycocg-r-512"),
        transformColours(plain, "ycbcr-lossy"),
      ]
    ) {
      const artifact = await write(images, set);
      assert.deepEqual(await read(images, artifact), set);
      assert.equal(artifact.facts["images"], 2);
    }
    const { labels: _, ...unlabelled } = plain;
    assert.deepEqual(await read(images, await write(images, unlabelled)), unlabelled);
    await assert.rejects(write(images, { ...plain, count: 3 }), /3 images/);
  });
});

Deno.test("pictures are PNG files with captions; facts say all that a page needs", async () => {
  await inPlace(async ({ write, read }) => {
    const picture = {
      height: 2,
      width: 3,
      channels: 3 as const,
      pixels: Uint8Array.from({ length: 18 }, (_, i) => i),
    };
    const artifact = await write(pictures, [{ name: "samples", caption: "Samples <b>", picture }]);
    assert.deepEqual(artifact.facts["pictures"], [
      { file: "samples.png", caption: "Samples <b>", height: 2, width: 3 },
    ]);
    const [back] = await read(pictures, artifact);
    assert.deepEqual(await decodePicture(await back!.bytes()), picture);
    assert.deepEqual(await back!.bytes(), await encodePng(picture));
    await assert.rejects(write(pictures, [{ name: "../x", caption: "", picture }]), /cannot name a picture/);
    await assert.rejects(
      write(pictures, [1, 2].map(() => ({ name: "x", caption: "", picture }))),
      /same name/,
    );
  });
});

Deno.test("sheets put every pixel where it belongs", () => {
  const set: ImageSet = { space: plainSpace(1, 2, 1), count: 3, pixels: Uint8Array.of(1, 2, 3, 4, 5, 6) };
  const one = sheet(set, { columns: 2, scale: 2, gap: 1, background: 9 });
  assert.deepEqual([one.height, one.width], [7, 11]);
  const row = (y: number) => [...one.pixels.subarray(y * 11, (y + 1) * 11)];
  assert.deepEqual(row(0), Array(11).fill(9));
  assert.deepEqual(row(1), [9, 1, 1, 2, 2, 9, 3, 3, 4, 4, 9]);
  assert.deepEqual(row(2), row(1));
  assert.deepEqual(row(5), [9, 5, 5, 6, 6, 9, 9, 9, 9, 9, 9]);
  const pair = sideBySide([set, { ...set, pixels: set.pixels.map((x) => x + 10) }], { gap: 0 });
  assert.deepEqual([...pair.pixels], [1, 2, 11, 12, 3, 4, 13, 14, 5, 6, 15, 16]);
  assert.throws(() => sideBySide([set, { ...set, count: 2 }]), /one number and size/);
});
