import { DataSetError } from "../errors.ts";
import { type ColourTransform, isLossless, levelsOf } from "./colour_transform.ts";
import type { ImageSet, PixelSpace } from "./image_set.ts";

export { COLOUR_TRANSFORMS, type ColourTransform, isLossless, levelsOf } from "./colour_transform.ts";

/** The three values of a colour. */
export type Triple = [number, number, number];

/** Transforms one 8-bit colour to three numbers. */
export function encodeColour(transform: ColourTransform, r: number, g: number, b: number): Triple {
  switch (transform) {
    case "none":
      return [r, g, b];
    case "ycbcr-lossy":
      // Coefficients and order of additions as in the released code, so that ties round the same way.
      return [
        toByte(r * 0.2126 + g * 0.7152 + b * 0.0722),
        toByte(r * -0.1146 + g * -0.3854 + b * 0.5 + 128),
        toByte(r * 0.5 + g * -0.4542 + b * -0.0458 + 128),
      ];
    case "ycocg-lossy": {
      // All in units of 1/255: with R = r/255, Y = (R + 2G + B)/4 in 0..1, Co = R - B and Cg = G - (R + B)/2 in -1..1,
      // each divided into 256 intervals. Integer arithmetic, so nothing is rounded.
      const y = Math.floor((r + 2 * g + b) * 256 / 1020);
      const co = Math.floor((r - b + 255) * 256 / 510);
      const cg = Math.floor((2 * g - r - b + 510) * 256 / 1020);
      return [Math.min(255, y), Math.min(255, co), Math.min(255, cg)];
    }
    case "ycocg-r-511":
    case "ycocg-r-512": {
      const shift = transform === "ycocg-r-511" ? 255 : 256;
      const co = r - b;
      const t = b + (co >> 1);
      const cg = g - t;
      return [t + (cg >> 1), co + shift, cg + shift];
    }
  }
}

/**
 * The inverse of {@link encodeColour}: exact for lossless transforms, the nearest byte for lossy ones. Numbers that no
 * colour has (a model may generate them) give the nearest colour in range.
 */
export function decodeColour(transform: ColourTransform, a: number, b: number, c: number): Triple {
  switch (transform) {
    case "none":
      return [a, b, c];
    case "ycbcr-lossy": {
      const cb = b - 128, cr = c - 128;
      return [toByte(a + cr * 1.5748), toByte(a + cb * -0.1873 + cr * -0.4681), toByte(a + cb * 1.8556)];
    }
    case "ycocg-lossy": {
      // Midpoints of the intervals, in units of 1/255.
      const y = (a + 0.5) * 255 / 256, co = (b + 0.5) * 510 / 256 - 255, cg = (c + 0.5) * 510 / 256 - 255;
      const t = y - cg / 2;
      return [toByte(t + co / 2), toByte(t + cg), toByte(t - co / 2)];
    }
    case "ycocg-r-511":
    case "ycocg-r-512": {
      const shift = transform === "ycocg-r-511" ? 255 : 256;
      const co = b - shift, cg = c - shift;
      const t = a - (cg >> 1);
      const blue = t - (co >> 1);
      return [clamp(blue + co), clamp(cg + t), clamp(blue)];
    }
  }
}

function clamp(x: number): number {
  return x < 0 ? 0 : x > 255 ? 255 : x;
}

/** Clamps to 0..255 and rounds half to even. */
function toByte(x: number): number {
  const cut = clamp(x), floor = Math.floor(cut), rest = cut - floor;
  if (rest !== 0.5) return Math.round(cut);
  return floor % 2 === 0 ? floor : floor + 1;
}

/**
 * Applies a colour transform to images. Only images of three 8-bit colours have transforms other than `none`.
 * @throws DataSetError for grey images, or images that were transformed before
 */
export function transformColours(set: ImageSet, transform: ColourTransform): ImageSet {
  const { space } = set;
  if (space.transform === transform) return set;
  if (space.transform !== "none" || space.channels !== 3 || space.levels.some((n) => n !== 256)) {
    throw new DataSetError(
      "images/transform",
      `colours cannot become ${transform}: the images have ${space.channels} channels of [${
        space.levels.join(", ")
      }] levels, transform ${space.transform}; expected three 8-bit colours, transform none`,
    );
  }
  const levels = levelsOf(transform);
  const wide = levels.some((n) => n > 256);
  const pixels = mapColours(
    set.pixels,
    wide ? new Uint16Array(set.pixels.length) : new Uint8Array(set.pixels.length),
    (r, g, b) => encodeColour(transform, r, g, b),
  );
  return { ...set, space: { ...space, levels, transform }, pixels };
}

/** The images as 8-bit grey or RGB for display: exact unless the transform is lossy. */
export function plainColours(set: ImageSet): ImageSet {
  const { space } = set;
  if (space.transform === "none") return set;
  const pixels = mapColours(
    set.pixels,
    new Uint8Array(set.pixels.length),
    (a, b, c) => decodeColour(space.transform, a, b, c),
  );
  return { ...set, space: { ...space, levels: [256, 256, 256], transform: "none" }, pixels };
}

/** Writes `map` of each triple of `from` to `to`. Not cached, because images rarely repeat colours. */
function mapColours<T extends Uint8Array | Uint16Array>(
  from: Uint8Array | Uint16Array,
  to: T,
  map: (a: number, b: number, c: number) => Triple,
): T {
  for (let i = 0; i < from.length; i += 3) {
    const [a, b, c] = map(from[i]!, from[i + 1]!, from[i + 2]!);
    to[i] = a;
    to[i + 1] = b;
    to[i + 2] = c;
  }
  return to;
}

/** Whether bits per dimension of two spaces measure the same thing: see {@link comparable} in `bits.ts`. */
export function sameColours(a: PixelSpace, b: PixelSpace): boolean {
  return a.transform === b.transform || (isLossless(a.transform) && isLossless(b.transform));
}
