import assert from "node:assert/strict";
import * as fc from "fast-check";
import {
  COLOUR_TRANSFORMS,
  decodeColour,
  encodeColour,
  type ImageSet,
  isLossless,
  levelsOf,
  plainColours,
  plainSpace,
  transformColours,
} from "../../../datasets/images/mod.ts";
import { holds } from "../../property.ts";

const byte = fc.integer({ min: 0, max: 255 });
const colour = fc.tuple(byte, byte, byte);

/** Red and blue take all values, green these: every carry of every shift is met. */
const GREENS = [0, 1, 2, 3, 126, 127, 128, 129, 253, 254, 255];

for (const transform of ["ycocg-r-511", "ycocg-r-512"] as const) {
  Deno.test(`${transform} has an exact inverse and numbers within its levels`, () => {
    const levels = levelsOf(transform), lowest = [999, 999, 999], highest = [0, 0, 0];
    for (const g of GREENS) {
      for (let r = 0; r < 256; r++) {
        for (let b = 0; b < 256; b++) {
          const code = encodeColour(transform, r, g, b);
          const [r2, g2, b2] = decodeColour(transform, ...code);
          if (r2 !== r || g2 !== g || b2 !== b) assert.fail(`${[r, g, b]} -> ${code} -> ${[r2, g2, b2]}`);
          for (let c = 0; c < 3; c++) {
            lowest[c] = Math.min(lowest[c]!, code[c]!);
            highest[c] = Math.max(highest[c]!, code[c]!);
          }
        }
      }
    }
    const shift = transform === "ycocg-r-511" ? 0 : 1;
    assert.deepEqual(lowest, [0, shift, shift]);
    assert.deepEqual(highest, [255, 510 + shift, 510 + shift]);
    assert.ok(highest.every((x, c) => x < levels[c]!));
  });
}

Deno.test("YCoCg-R gives all 2^24 colours codes of their own", (test) => {
  const seen = new Uint8Array(2 ** 26 / 8);
  // Given Y and Co, Cg is one of 511: a bit for each code of 256 * 512 * 512 values.
  let codes = 0;
  for (let r = 0; r < 256; r++) {
    for (let g = 0; g < 256; g++) {
      for (let b = 0; b < 256; b++) {
        const co = r - b, t = b + (co >> 1), cg = g - t, y = t + (cg >> 1);
        const code = (y * 512 + co + 255) * 512 + cg + 255;
        const at = code >> 3, bit = 1 << (code & 7);
        if ((seen[at]! & bit) === 0) codes++;
        seen[at]! |= bit;
      }
    }
  }
  assert.equal(codes, 2 ** 24);
  holds(
    test,
    fc.property(colour, ([r, g, b]) => {
      const co = r - b, t = b + (co >> 1), cg = g - t;
      assert.deepEqual(encodeColour("ycocg-r-511", r, g, b), [t + (cg >> 1), co + 255, cg + 255]);
    }),
  );
});

Deno.test("lossy YCbCr is BT.709 rounded, halves to even", () => {
  // By hand from the coefficients of the released code.
  assert.deepEqual(encodeColour("ycbcr-lossy", 0, 0, 0), [0, 128, 128]);
  assert.deepEqual(encodeColour("ycbcr-lossy", 255, 255, 255), [255, 128, 128]);
  assert.deepEqual(encodeColour("ycbcr-lossy", 255, 0, 0), [54, 99, 255]);
  assert.deepEqual(encodeColour("ycbcr-lossy", 0, 255, 0), [182, 30, 12]);
  assert.deepEqual(encodeColour("ycbcr-lossy", 0, 0, 255), [18, 255, 116]);
  // 0.5 * 1 + 128 and 0.5 * 3 + 128: halves, to even.
  assert.equal(encodeColour("ycbcr-lossy", 0, 0, 1)[1], 128);
  assert.equal(encodeColour("ycbcr-lossy", 0, 0, 3)[1], 130);
  assert.equal(encodeColour("ycbcr-lossy", 0, 0, 5)[1], 130);
});

Deno.test("lossy YCoCg cuts Y, Co and Cg of colours in 0..1 into 256 intervals", (test) => {
  holds(
    test,
    fc.property(colour, ([r, g, b]) => {
      const [R, G, B] = [r / 255, g / 255, b / 255];
      const exact = [(R + 2 * G + B) / 4, (R - B + 1) / 2, (G - (R + B) / 2 + 1) / 2];
      encodeColour("ycocg-lossy", r, g, b).forEach((code, c) => {
        const interval = exact[c]! * 256;
        assert.ok(code >= 0 && code <= 255);
        assert.ok(code - 1e-9 <= interval && (interval < code + 1 + 1e-9 || code === 255), `${c}: ${code}`);
      });
    }),
  );
  assert.deepEqual(encodeColour("ycocg-lossy", 128, 128, 128), [128, 128, 128]);
  assert.deepEqual(encodeColour("ycocg-lossy", 255, 255, 255), [255, 128, 128]);
});

Deno.test("lossy transforms merge colours and come back near", () => {
  for (const transform of ["ycbcr-lossy", "ycocg-lossy"] as const) {
    const codes = new Set<number>();
    let most = 0, colours = 0;
    for (let r = 0; r < 256; r += 3) {
      for (let g = 0; g < 256; g += 3) {
        for (let b = 0; b < 256; b += 3) {
          const code = encodeColour(transform, r, g, b);
          codes.add(code[0] * 65536 + code[1] * 256 + code[2]);
          colours++;
          const back = decodeColour(transform, ...code);
          most = Math.max(most, ...back.map((x, c) => Math.abs(x - [r, g, b][c]!)));
        }
      }
    }
    assert.ok(most <= 2, `${transform}: ${most}`);
    assert.ok(codes.size <= colours);
  }
  assert.deepEqual(encodeColour("ycbcr-lossy", 10, 10, 10), encodeColour("ycbcr-lossy", 10, 10, 11));
});

Deno.test("image sets carry their transform; lossless ones come back", () => {
  const pixels = Uint8Array.from({ length: 4 * 4 * 3 * 2 }, (_, i) => (i * 37) % 256);
  const set: ImageSet = { space: plainSpace(4, 4, 3), count: 2, pixels, labels: Uint8Array.of(1, 2) };
  for (const transform of COLOUR_TRANSFORMS) {
    const coded = transformColours(set, transform);
    assert.equal(coded.space.transform, transform);
    assert.deepEqual(coded.space.levels, levelsOf(transform));
    assert.deepEqual(coded.labels, set.labels);
    const back = plainColours(coded);
    assert.deepEqual(back.space, set.space);
    if (isLossless(transform)) assert.deepEqual(back.pixels, pixels);
    else assert.ok(back.pixels.every((x, i) => Math.abs(x - pixels[i]!) <= 2));
  }
  const coded = transformColours(set, "ycocg-lossy");
  assert.throws(() => transformColours(coded, "ycocg-r-511"), /transform none/);
  assert.throws(
    () => transformColours({ space: plainSpace(4, 4, 1), count: 6, pixels }, "ycbcr-lossy"),
    /1 channels/,
  );
});
