import assert from "node:assert/strict";
import { gzipSync } from "node:zlib";
import { zipSync } from "fflate";
import { dump } from "npyjs";
import {
  checkImageSet,
  decodePicture,
  encodePng,
  idxImages,
  npyImages,
  npzImages,
  npzPart,
  pictureImages,
  plainSpace,
  readCifar,
  readIdx,
} from "../../../datasets/images/mod.ts";

Deno.test("CIFAR records: planes become pixels, labels are kept", () => {
  const file = new Uint8Array(2 * 3073);
  file[0] = 7;
  file[3073] = 3;
  for (let i = 0; i < 3072; i++) file[3074 + i] = i % 251;
  const set = readCifar(file);
  assert.deepEqual([...set.labels!], [7, 3]);
  // Red, green and blue of pixel (1, 2) of the second image.
  const p = 1 * 32 + 2;
  assert.deepEqual(
    [...set.pixels.subarray(3072 + p * 3, 3072 + p * 3 + 3)],
    [p, p + 1024, p + 2048].map((i) => i % 251),
  );
  assert.throws(() => readCifar(file.subarray(1)), /records of 3073 bytes/);
  assert.throws(() => readCifar(new Uint8Array(gzipSync(file))), /does not consist of records/);
  assert.equal(readCifar(new Uint8Array(3074), 2).count, 1);
});

function idx(shape: number[], data: number[], type = 8): Uint8Array {
  const bytes = new Uint8Array(4 + 4 * shape.length + data.length);
  bytes.set([0, 0, type, shape.length]);
  shape.forEach((n, d) => new DataView(bytes.buffer).setUint32(4 + 4 * d, n));
  bytes.set(data, 4 + 4 * shape.length);
  return bytes;
}

Deno.test("IDX files: images with labels; faults are named", () => {
  const set = idxImages(idx([2, 1, 3], [1, 2, 3, 4, 5, 6]), idx([2], [9, 8]));
  assert.deepEqual(set.space, plainSpace(1, 3, 1));
  assert.deepEqual([...set.pixels], [1, 2, 3, 4, 5, 6]);
  assert.deepEqual([...set.labels!], [9, 8]);
  assert.throws(() => readIdx(idx([2, 2], [1, 2, 3])), /has 4 numbers; got 3/);
  assert.throws(() => readIdx(idx([1], [1], 0xd)), /type 0xd/);
  assert.throws(() => readIdx(Uint8Array.of(31, 139, 8, 0)), /not an IDX file/);
  assert.throws(() => idxImages(idx([2, 1, 1], [1, 2]), idx([3], [1, 2, 3])), /2 images with labels/);
});

Deno.test("npy: shapes with channels last, first and flat", async () => {
  const data = Uint8Array.from({ length: 2 * 4 * 5 * 3 }, (_, i) => i);
  const npy = (shape: number[]) => new Uint8Array(dump(data, shape));
  const last = await npyImages(npy([2, 4, 5, 3]));
  assert.deepEqual(last.space, plainSpace(4, 5, 3));
  assert.deepEqual(last.pixels, data);
  const first = await npyImages(npy([2, 3, 4, 5]));
  assert.deepEqual(first.space, plainSpace(4, 5, 3));
  assert.equal(first.pixels[(1 * 5 + 2) * 3 + 2], data[2 * 20 + 1 * 5 + 2]);
  const flat = await npyImages(npy([2, 60]), { shape: { height: 4, width: 5, channels: 3 } });
  assert.deepEqual(flat.pixels, data);
  const flatFirst = await npyImages(npy([2, 60]), {
    shape: { height: 4, width: 5, channels: 3 },
    layout: "channels-first",
  });
  assert.deepEqual(flatFirst.pixels, first.pixels);
  assert.deepEqual((await npyImages(npy([6, 4, 5]))).space, plainSpace(4, 5, 1));
  await assert.rejects(npyImages(npy([2, 60])), /not one of images/);
  await assert.rejects(npyImages(new Uint8Array(dump(new Float32Array(8), [2, 2, 2]))), /uint8/);
  await assert.rejects(npyImages(npy([2, 4, 5, 3]).subarray(0, 150)), /needs 120 bytes/);
});

Deno.test("npz: arrays by name, with labels", async () => {
  const data = Uint8Array.from({ length: 2 * 12 }, (_, i) => i);
  const npz = zipSync({
    "data.npy": new Uint8Array(dump(data, [2, 12])),
    "labels.npy": new Uint8Array(dump(BigInt64Array.of(4n, 5n), [2])),
  });
  const set = await npzImages(npz, { shape: { height: 2, width: 2, channels: 3 }, layout: "channels-first" });
  assert.deepEqual([...set.labels!], [4, 5]);
  assert.deepEqual([...set.pixels.subarray(0, 6)], [0, 4, 8, 1, 5, 9]);
  const both = zipSync({
    "x.npy": new Uint8Array(dump(new Uint8Array(3), [3, 1, 1])),
    "data.npy": new Uint8Array(dump(Uint8Array.of(7, 8), [2, 1, 1])),
  });
  assert.deepEqual([...(await npzImages(both)).pixels], [7, 8]);
  assert.equal((await npzPart(both, { first: 9 })).total, 2);
  await assert.rejects(npzImages(npz, { name: "faces" }), /no array faces; it has data.npy, labels.npy/);
  await assert.rejects(npzImages(data), /not an npz file/);
});

/**
 * `numpy.savez` and `numpy.savez_compressed` of numpy 2.4.6, in base 64: data=np.arange(24, dtype=np.uint8).reshape(2, 12), labels=[1, 1000],
 * mean=data.mean(0). Their local headers leave sizes to the fields of zip64.
 */
const NPZ = {
  savez:
    "UEsDBC0AAAAAAAAAIQBubn63//////////8IABQAZGF0YS5ucHkBABAAmAAAAAAAAACYAAAAAAAAAJNOVU1QWQEAdgB7J2Rlc2NyJzogJ3x1MScsICdmb3J0cmFuX29yZGVyJzogRmFsc2UsICdzaGFwZSc6ICgyLCAxMiksIH0gICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAKAAECAwQFBgcICQoLDA0ODxAREhMUFRYXUEsDBC0AAAAAAAAAIQA43+TK//////////8KABQAbGFiZWxzLm5weQEAEACQAAAAAAAAAJAAAAAAAAAAk05VTVBZAQB2AHsnZGVzY3InOiAnPGk4JywgJ2ZvcnRyYW5fb3JkZXInOiBGYWxzZSwgJ3NoYXBlJzogKDIsKSwgfSAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgIAoBAAAAAAAAAOgDAAAAAAAAUEsDBC0AAAAAAAAAIQDo3oJs//////////8IABQAbWVhbi5ucHkBABAA4AAAAAAAAADgAAAAAAAAAJNOVU1QWQEAdgB7J2Rlc2NyJzogJzxmOCcsICdmb3J0cmFuX29yZGVyJzogRmFsc2UsICdzaGFwZSc6ICgxMiwpLCB9ICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAKAAAAAAAAGEAAAAAAAAAcQAAAAAAAACBAAAAAAAAAIkAAAAAAAAAkQAAAAAAAACZAAAAAAAAAKEAAAAAAAAAqQAAAAAAAACxAAAAAAAAALkAAAAAAAAAwQAAAAAAAADFAUEsBAi0DLQAAAAAAAAAhAG5ufreYAAAAmAAAAAgAAAAAAAAAAAAAAIABAAAAAGRhdGEubnB5UEsBAi0DLQAAAAAAAAAhADjf5MqQAAAAkAAAAAoAAAAAAAAAAAAAAIAB0gAAAGxhYmVscy5ucHlQSwECLQMtAAAAAAAAACEA6N6CbOAAAADgAAAACAAAAAAAAAAAAAAAgAGeAQAAbWVhbi5ucHlQSwUGAAAAAAMAAwCkAAAAuAIAAAAA",
  savez_compressed:
    "UEsDBC0AAAAIAAAAIQBubn63//////////8IABQAZGF0YS5ucHkBABAAmAAAAAAAAABfAAAAAAAAAJvsF+obEMnIUMZQrZ6SWpxcpG6loF5Taqiuo6Cell9UUpSYF59flJIKEndLzClOBYoXZyQWpAL5GkY6CoZGmjoKtQrkAi4GRiZmFlY2dg5OLm4eXj5+AUEhYRFRMXEAUEsDBC0AAAAIAAAAIQA43+TK//////////8KABQAbGFiZWxzLm5weQEAEACQAAAAAAAAAEsAAAAAAAAAm+wX6hsQychQxlCtnpJanFykbqWgbpNpoa6joJ6WX1RSlJgXn1+UkgoSd0vMKU4FihdnJBakAvkaRjqaOgq1ChQALkYGCHjBDKEBUEsDBC0AAAAIAAAAIQDo3oJs//////////8IABQAbWVhbi5ucHkBABAA4AAAAAAAAABoAAAAAAAAAJvsF+obEMnIUMZQrZ6SWpxcpG6loG6TZqGuo6Cell9UUpSYF59flJIKEndLzClOBYoXZyQWpAL5GoZGOpo6CrUK5AMuBjCQcIDQMlBaAUorQWkVKK0GpTWgtBaU1oHSelDaAEobOgAAUEsBAi0DLQAAAAgAAAAhAG5ufrdfAAAAmAAAAAgAAAAAAAAAAAAAAIABAAAAAGRhdGEubnB5UEsBAi0DLQAAAAgAAAAhADjf5MpLAAAAkAAAAAoAAAAAAAAAAAAAAIABmQAAAGxhYmVscy5ucHlQSwECLQMtAAAACAAAACEA6N6CbGgAAADgAAAACAAAAAAAAAAAAAAAgAEgAQAAbWVhbi5ucHlQSwUGAAAAAAMAAwCkAAAAwgEAAAAA",
};

Deno.test("npz files of numpy, stored and compressed", async () => {
  for (const [name, text] of Object.entries(NPZ)) {
    const { images } = await npzPart(watched(Uint8Array.fromBase64(text), { read: 0, open: 0 }), {
      shape: { height: 2, width: 2, channels: 3 },
      layout: "channels-first",
      first: 1,
    });
    assert.deepEqual([...images.pixels], [12, 16, 20, 13, 17, 21, 14, 18, 22, 15, 19, 23], name);
    assert.deepEqual(images.labels, Uint16Array.of(1000), name);
  }
});

/** Bytes in pieces; `seen` says how many were asked for, and how many such streams are open. */
async function* watched(bytes: Uint8Array, seen: { read: number; open: number }) {
  seen.open++;
  try {
    for (let at = 0; at < bytes.length; at += 4096) yield bytes.subarray(at, seen.read = at + 4096);
  } finally {
    seen.open--;
  }
}

Deno.test("npz: of a file that comes in pieces the wanted images alone are kept, and it is closed", async () => {
  const data = Uint8Array.from({ length: 50_000 * 12 }, (_, i) => (i * 7919) % 251);
  for (const level of [0, 6] as const) {
    const npz = zipSync({
      "labels.npy": new Uint8Array(dump(Uint16Array.from({ length: 50_000 }, (_, i) => i), [50_000])),
      "data.npy": new Uint8Array(dump(data, [50_000, 2, 2, 3])),
    }, { level });
    const seen = { read: 0, open: 0 };
    const pieces = () => watched(npz, seen);
    for (const [first, count] of [[0, 3], [1234, 2000], [49_999, 1], [49_999, 5]] as const) {
      const { images, total } = await npzPart(pieces(), { first, count });
      assert.equal(total, 50_000);
      assert.equal(images.count, Math.min(count, total - first));
      assert.deepEqual(images.pixels, data.slice(12 * first, 12 * (first + count)));
      assert.deepEqual([...images.labels!], [...Array(images.count)].map((_, i) => first + i));
      assert.equal(images.pixels.buffer.byteLength, 12 * images.count);
    }
    const none = await npzPart(pieces(), { first: 50_000 });
    assert.deepEqual([none.images.count, none.total], [0, 50_000]);
    if (level === 0) {
      assert.ok(seen.read < npz.length / 2, `${seen.read} of ${npz.length} bytes tell how many there are`);
    }
    assert.equal(seen.open, 0);
  }
});

Deno.test("PNG files come back bit by bit, grey and coloured; the bytes do not vary", async () => {
  for (const channels of [1, 3] as const) {
    const pixels = Uint8Array.from({ length: 9 * 7 * channels }, (_, i) => (i * 89) % 256);
    const png = await encodePng({ height: 9, width: 7, channels, pixels });
    assert.deepEqual(await decodePicture(png), { height: 9, width: 7, channels, pixels });
    assert.deepEqual(await encodePng({ height: 9, width: 7, channels, pixels }), png);
  }
  await assert.rejects(decodePicture(Uint8Array.of(1, 2, 3), "cat.png"), /cat.png cannot be decoded/);
});

Deno.test("a folder of pictures: grey ones among coloured, other sizes refused", async () => {
  const png = async (height: number, channels: 1 | 3, value: number) => {
    const bytes = await encodePng({
      height,
      width: 2,
      channels,
      pixels: new Uint8Array(height * 2 * channels).fill(value),
    });
    return { name: `${value}.png`, bytes: () => Promise.resolve(bytes) };
  };
  const set = checkImageSet(await pictureImages([await png(2, 1, 5), await png(2, 3, 6)]));
  assert.deepEqual(set.space, plainSpace(2, 2, 3));
  assert.deepEqual([...set.pixels], [...Array(12).fill(5), ...Array(12).fill(6)]);
  assert.equal((await pictureImages([await png(2, 1, 5)])).space.channels, 1);
  await assert.rejects(pictureImages([await png(2, 1, 5), await png(3, 1, 7)]), /7.png has 3x2 pixels/);
});

Deno.test("an image set that is not what it says is refused", () => {
  const space = plainSpace(1, 2, 1);
  const pixels = Uint8Array.of(1, 2, 3, 4);
  assert.throws(() => checkImageSet({ space, count: 3, pixels }), /6 numbers; got 4/);
  assert.throws(() => checkImageSet({ space: { ...space, levels: [4] }, count: 2, pixels }), /is 4, but/);
  assert.throws(() => checkImageSet({ space: { ...space, levels: [] }, count: 2, pixels }), /levels/);
  assert.throws(() => checkImageSet({ space, count: 2, pixels, labels: Uint8Array.of(1) }), /1 labels/);
});
