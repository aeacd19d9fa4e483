import assert from "node:assert/strict";
import * as fc from "fast-check";
import {
  bitsNote,
  bitsPerDimension,
  comparable,
  crop,
  describeSpace,
  formatBits,
  type ImageSet,
  imagesOf,
  joinImages,
  patchesOf,
  patchGrid,
  patchIndices,
  plainSpace,
  randomCrop,
  resizeByArea,
  sliceImages,
  toGrey,
  transformColours,
} from "../../../datasets/images/mod.ts";
import { holds } from "../../property.ts";

function images(count: number, height: number, width: number, channels: number, seed = 1): ImageSet {
  const pixels = Uint8Array.from(
    { length: count * height * width * channels },
    (_, i) => (Math.imul(i + seed, 2654435761) >>> 24),
  );
  return { space: plainSpace(height, width, channels), count, pixels };
}

const at = (set: ImageSet, i: number, y: number, x: number, c: number) =>
  set.pixels[((i * set.space.height + y) * set.space.width + x) * set.space.channels + c];

Deno.test("a crop has the pixels of its place", () => {
  const set = images(3, 6, 5, 3);
  const cut = crop(set, { top: 2, left: 1, height: 3, width: 4 });
  for (let i = 0; i < 3; i++) {
    for (let y = 0; y < 3; y++) {
      for (let x = 0; x < 4; x++) {
        for (let c = 0; c < 3; c++) assert.equal(at(cut, i, y, x, c), at(set, i, y + 2, x + 1, c));
      }
    }
  }
  assert.equal(describeSpace(cut.space), "3x4x3, crop 3x4 at 2,1, colours as they are");
  assert.throws(() => crop(set, { top: 4, left: 0, height: 3, width: 3 }), /does not lie inside/);
});

Deno.test("random crops take every place about as often", () => {
  const set: ImageSet = {
    space: plainSpace(4, 5, 1),
    count: 6000,
    pixels: Uint8Array.from({ length: 6000 * 20 }, (_, i) => i % 20),
  };
  let state = 1;
  const uniform = () => (state = Math.imul(state, 48271) >>> 1) / 2 ** 31;
  const cut = randomCrop(set, { height: 3, width: 3, seed: 9 }, uniform);
  const places = new Map<number, number>();
  for (let i = 0; i < cut.count; i++) {
    const corner = cut.pixels[i * 9]!;
    places.set(corner, (places.get(corner) ?? 0) + 1);
    assert.equal(cut.pixels[i * 9 + 4], corner + 6);
  }
  assert.deepEqual([...places.keys()].sort((a, b) => a - b), [0, 1, 2, 5, 6, 7]);
  assert.ok([...places.values()].every((n) => Math.abs(n - 1000) < 150));
});

Deno.test("area resizing keeps means, by hand and for all sizes", (test) => {
  const set: ImageSet = {
    space: plainSpace(2, 4, 1),
    count: 1,
    pixels: Uint8Array.of(0, 10, 20, 30, 40, 50, 60, 70),
  };
  assert.deepEqual([...resizeByArea(set, { height: 1, width: 2 }).pixels], [25, 45]);
  // Thirds: 4 pixels on 3, each covers 4/3.
  assert.deepEqual([...resizeByArea(set, { height: 2, width: 3 }).pixels], [3, 15, 28, 43, 55, 68]);
  holds(
    test,
    fc.property(fc.integer({ min: 1, max: 7 }), fc.integer({ min: 1, max: 6 }), (height, width) => {
      const small = resizeByArea(images(2, 7, 6, 3), { height, width });
      const mean = (s: ImageSet) => Array.from(s.pixels).reduce((a, b) => a + b, 0) / s.pixels.length;
      assert.ok(Math.abs(mean(small) - mean(images(2, 7, 6, 3))) <= 0.5 + 1e-9);
    }),
  );
  assert.deepEqual(resizeByArea(set, { height: 2, width: 4 }).pixels, set.pixels);
  assert.throws(() => resizeByArea(set, { height: 3, width: 4 }), /cannot be resized/);
  assert.throws(() =>
    resizeByArea(transformColours(images(1, 4, 4, 3), "ycbcr-lossy"), { height: 2, width: 2 })
  );
});

Deno.test("grey is luma", () => {
  const set: ImageSet = {
    space: plainSpace(1, 3, 3),
    count: 1,
    pixels: Uint8Array.of(255, 0, 0, 0, 255, 0, 9, 9, 9),
  };
  const grey = toGrey(set);
  assert.deepEqual([...grey.pixels], [77, 149, 9]);
  assert.deepEqual(grey.space.levels, [256]);
  assert.equal(describeSpace(grey.space), "1x3x1, grey, colours as they are");
});

Deno.test("patches and images are inverse; a patch has the pixels of its place", (test) => {
  holds(
    test,
    fc.property(
      fc.integer({ min: 1, max: 3 }),
      fc.integer({ min: 1, max: 3 }),
      fc.integer({ min: 1, max: 3 }),
      fc.constantFrom(1, 3),
      (patch, rows, columns, channels) => {
        const set = images(2, patch * rows, patch * columns, channels);
        const grid = patchGrid(set.space, patch);
        const patches = patchesOf(set.pixels, grid);
        assert.deepEqual(imagesOf(patches, grid), set.pixels);
        const places = [...patchIndices(grid)];
        assert.deepEqual(places.toSorted((a, b) => a - b), places.map((_, i) => i));
      },
    ),
  );
  const set = images(1, 4, 6, 3);
  const grid = patchGrid(set.space, 2);
  const patches = patchesOf(set.pixels, grid);
  // Patch in row 1, column 2; its pixel (1, 0), channel 2.
  assert.equal(patches[(1 * 3 + 2) * 12 + (1 * 2 + 0) * 3 + 2], at(set, 0, 3, 4, 2));
  assert.throws(() => patchGrid(set.space, 4), /do not cover/);
});

Deno.test("bits per dimension carry what they were measured on", () => {
  const plain = plainSpace(2, 2, 3);
  // A uniform model of 8-bit numbers has 8 bits a dimension.
  const uniform = bitsPerDimension([-12 * Math.log(256), -12 * Math.log(256)], plain);
  assert.ok(Math.abs(uniform.bits - 8) < 1e-12);
  assert.equal(formatBits(uniform), "8.000");
  const lossy = { ...uniform, space: { ...plain, transform: "ycbcr-lossy" as const } };
  assert.equal(formatBits(lossy), "8.000*");
  assert.match(bitsNote([uniform, lossy]), /\* lossy colours: not comparable/);
  assert.doesNotMatch(bitsNote([uniform]), /\*/);
  const reversible = { ...plain, transform: "ycocg-r-511" as const, levels: [256, 511, 511] };
  assert.ok(comparable(plain, reversible));
  assert.ok(!comparable(plain, lossy.space));
  assert.ok(comparable(lossy.space, lossy.space));
  const cropped = { ...plain, steps: [{ kind: "crop" as const, top: 0, left: 0, height: 2, width: 2 }] };
  assert.ok(!comparable(plain, cropped));
  assert.throws(() => bitsNote([uniform, { ...uniform, space: cropped }]), /cannot be compared in one table/);
  assert.equal(bitsPerDimension([-Infinity, 0], plain).bits, Infinity);
  assert.throws(() => bitsPerDimension([], plain));
});

Deno.test("sets are joined and sliced", () => {
  const [a, b] = [images(2, 2, 2, 1, 5), images(3, 2, 2, 1, 6)];
  const all = joinImages([a, b]);
  assert.equal(all.count, 5);
  assert.deepEqual(sliceImages(all, 2, 5).pixels, b.pixels);
  assert.equal(sliceImages(all, 4, 9).count, 1);
  assert.throws(() => joinImages([a, images(1, 2, 2, 3)]), /part 1/);
});
