import { DataSetError } from "../errors.ts";
import { dimensionsOf, type ImageSet, type ImageStep, type PixelSpace } from "./image_set.ts";

/** The images with one more step recorded. */
function stepped(
  set: ImageSet,
  space: Partial<PixelSpace>,
  step: ImageStep,
  pixels: ImageSet["pixels"],
): ImageSet {
  return { ...set, space: { ...set.space, ...space, steps: [...set.space.steps, step] }, pixels };
}

function sameKind(pixels: ImageSet["pixels"], length: number): ImageSet["pixels"] {
  return pixels instanceof Uint8Array ? new Uint8Array(length) : new Uint16Array(length);
}

/**
 * Crops every image to the rectangle at (`top`, `left`).
 * @throws DataSetError when it does not lie inside the images
 */
export function crop(
  set: ImageSet,
  box: { readonly top: number; readonly left: number; readonly height: number; readonly width: number },
): ImageSet {
  const { top, left, height, width } = box;
  checkBox(set.space, top, left, height, width);
  const pixels = cutOut(set, height, width, () => [top, left]);
  return stepped(set, { height, width }, { kind: "crop", top, left, height, width }, pixels);
}

/**
 * Crops every image to a rectangle at a random position, uniform over all positions. `uniform` returns numbers in [0,
 * 1); `seed` is its seed, for the record.
 */
export function randomCrop(
  set: ImageSet,
  box: { readonly height: number; readonly width: number; readonly seed: number },
  uniform: () => number,
): ImageSet {
  const { height, width, seed } = box;
  checkBox(set.space, 0, 0, height, width);
  const rows = set.space.height - height + 1, columns = set.space.width - width + 1;
  const pixels = cutOut(set, height, width, () => {
    const top = Math.floor(uniform() * rows);
    return [top, Math.floor(uniform() * columns)];
  });
  return stepped(set, { height, width }, { kind: "random-crop", height, width, seed }, pixels);
}

function checkBox(space: PixelSpace, top: number, left: number, height: number, width: number): void {
  const whole = [top, left, height, width].every(Number.isInteger);
  const inside = top >= 0 && left >= 0 && height >= 1 && width >= 1 && top + height <= space.height &&
    left + width <= space.width;
  if (!whole || !inside) {
    throw new DataSetError(
      "images/transform",
      `a crop of ${height}x${width} at ${top},${left} does not lie inside images of ${space.height}x${space.width}`,
    );
  }
}

function cutOut(
  set: ImageSet,
  height: number,
  width: number,
  place: () => [top: number, left: number],
): ImageSet["pixels"] {
  const { space, count } = set;
  const row = width * space.channels, size = dimensionsOf(space);
  const pixels = sameKind(set.pixels, count * height * row);
  let to = 0;
  for (let i = 0; i < count; i++) {
    const [top, left] = place();
    for (let y = 0; y < height; y++, to += row) {
      const from = i * size + ((top + y) * space.width + left) * space.channels;
      pixels.set(set.pixels.subarray(from, from + row), to);
    }
  }
  return pixels;
}

/**
 * Downscales images by area: every pixel becomes the mean of the area it covers, rounded to the nearest level (half up).
 * @throws DataSetError for larger sizes, or images with transformed colours (resize first)
 */
export function resizeByArea(
  set: ImageSet,
  size: { readonly height: number; readonly width: number },
): ImageSet {
  const { space, count } = set;
  const { height, width } = size;
  if (!(height >= 1 && height <= space.height && width >= 1 && width <= space.width)) {
    throw new DataSetError(
      "images/transform",
      `images of ${space.height}x${space.width} cannot be resized by area to ${height}x${width}`,
    );
  }
  refuseTransformed(space, "resized");
  const rows = overlaps(space.height, height), columns = overlaps(space.width, width);
  const pixels = sameKind(set.pixels, count * height * width * space.channels);
  const area = space.height * space.width;
  let to = 0;
  for (let i = 0; i < count; i++) {
    for (let y = 0; y < height; y++) {
      for (let x = 0; x < width; x++) {
        for (let c = 0; c < space.channels; c++) {
          let total = 0;
          for (const [row, h] of rows[y]!) {
            const line = ((i * space.height + row) * space.width) * space.channels + c;
            for (const [column, w] of columns[x]!) {
              total += h * w * set.pixels[line + column * space.channels]!;
            }
          }
          pixels[to++] = Math.floor((2 * total + area) / (2 * area));
        }
      }
    }
  }
  return stepped(set, { height, width }, { kind: "resize", height, width }, pixels);
}

/**
 * For each of `to` equal intervals of a line of `from` pixels: the pixels it overlaps and by how much, in units that
 * make all shares integers: a pixel is `to` units long, an interval `from`.
 */
function overlaps(from: number, to: number): [pixel: number, share: number][][] {
  return Array.from({ length: to }, (_, i) => {
    const start = i * from, end = start + from;
    const found: [number, number][] = [];
    for (let p = Math.floor(start / to); p * to < end; p++) {
      found.push([p, Math.min(end, (p + 1) * to) - Math.max(start, p * to)]);
    }
    return found;
  });
}

function refuseTransformed(space: PixelSpace, what: string): void {
  if (space.transform !== "none") {
    throw new DataSetError("images/transform", `images in ${space.transform} cannot be ${what}`, {
      hint: "Transform colours last.",
    });
  }
}

/**
 * Converts to one channel of luma: `(77 R + 150 G + 29 B + 128) >> 8`, BT.601 in integer arithmetic.
 * @throws DataSetError for images that are not in 8-bit colours
 */
export function toGrey(set: ImageSet): ImageSet {
  const { space } = set;
  if (space.channels === 1) return set;
  refuseTransformed(space, "made grey");
  if (space.channels !== 3 || space.levels.some((n) => n !== 256)) {
    throw new DataSetError("images/transform", `images of ${space.channels} channels cannot be made grey`);
  }
  const grey = new Uint8Array(set.pixels.length / 3);
  for (let i = 0; i < grey.length; i++) {
    const [r, g, b] = [set.pixels[3 * i]!, set.pixels[3 * i + 1]!, set.pixels[3 * i + 2]!];
    grey[i] = (77 * r + 150 * g + 29 * b + 128) >> 8;
  }
  return stepped(set, { channels: 1, levels: [256] }, { kind: "grey" }, grey);
}

/** A grid of equal patches that covers images of one size. */
export interface PatchGrid {
  /** Height of a patch in pixels. */
  readonly patchHeight: number;
  /** Width of a patch in pixels. */
  readonly patchWidth: number;
  /** Number of rows of patches. */
  readonly rows: number;
  /** Number of columns of patches. */
  readonly columns: number;
  /** Number of values per pixel. */
  readonly channels: number;
}

/**
 * The grid of patches with `patch x patch` pixels.
 * @throws DataSetError when they do not cover the images exactly
 */
export function patchGrid(
  space: Pick<PixelSpace, "height" | "width" | "channels">,
  patch: number,
): PatchGrid {
  const { height, width, channels } = space;
  if (!(Number.isInteger(patch) && patch >= 1) || height % patch !== 0 || width % patch !== 0) {
    throw new DataSetError(
      "images/transform",
      `patches of ${patch}x${patch} do not cover images of ${height}x${width}`,
    );
  }
  return { patchHeight: patch, patchWidth: patch, rows: height / patch, columns: width / patch, channels };
}

/** Number of patches per image. */
export function patchCount(grid: PatchGrid): number {
  return grid.rows * grid.columns;
}

/** Number of values per patch. */
export function patchSize(grid: PatchGrid): number {
  return grid.patchHeight * grid.patchWidth * grid.channels;
}

/**
 * For every patch, in row-major order of patches, the indices of its values in the image, in row-major order of the
 * patch's pixels and channels: `[patches, patch size]`. Every index occurs exactly once.
 */
export function patchIndices(grid: PatchGrid): Int32Array {
  const { patchHeight, patchWidth, rows, columns, channels } = grid;
  const places = new Int32Array(patchCount(grid) * patchSize(grid));
  const width = columns * patchWidth;
  let at = 0;
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      for (let y = 0; y < patchHeight; y++) {
        const from = ((row * patchHeight + y) * width + column * patchWidth) * channels;
        for (let i = 0; i < patchWidth * channels; i++) places[at++] = from + i;
      }
    }
  }
  return places;
}

/** All patches of all images: `[images, patches, patch size]`. */
export function patchesOf<T extends Uint8Array | Uint16Array | Float32Array>(
  pixels: T,
  grid: PatchGrid,
): T {
  return moved(pixels, grid, (from, to, place, i) => to[i] = from[place]!);
}

/** The inverse of {@link patchesOf}: images `[images, height, width, channels]` from their patches. */
export function imagesOf<T extends Uint8Array | Uint16Array | Float32Array>(patches: T, grid: PatchGrid): T {
  return moved(patches, grid, (from, to, place, i) => to[place] = from[i]!);
}

function moved<T extends Uint8Array | Uint16Array | Float32Array>(
  from: T,
  grid: PatchGrid,
  move: (from: T, to: T, place: number, i: number) => void,
): T {
  const places = patchIndices(grid), size = places.length;
  if (from.length % size !== 0) {
    throw new DataSetError("images/sizes", `images of ${size} numbers cannot be made of ${from.length}`);
  }
  const to = new (from.constructor as new (length: number) => T)(from.length);
  for (let start = 0; start < from.length; start += size) {
    const image = from.subarray(start, start + size) as T, out = to.subarray(start, start + size) as T;
    for (let i = 0; i < size; i++) move(image, out, places[i]!, i);
  }
  return to;
}
