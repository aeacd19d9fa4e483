import { DataSetError } from "../errors.ts";
import { plainColours } from "./colours.ts";
import { dimensionsOf, type ImageSet } from "./image_set.ts";
import type { Picture } from "./pictures.ts";

/** Layout options of {@link sheet}. */
export interface SheetOptions {
  /** Number of images per row; by default the square root of their number, rounded up. */
  readonly columns?: number;
  /** Magnification: each pixel becomes a square with this side length; 1 by default. */
  readonly scale?: number;
  /** Pixels between images and around them; 1 by default. */
  readonly gap?: number;
  /** Level of the gaps, 0 (black) to 255 (white); white by default. */
  readonly background?: number;
}

/**
 * A contact sheet of all images of a set, row by row. Colour transforms are undone.
 * @throws DataSetError for channels other than 1 or 3
 */
export function sheet(set: ImageSet, options: SheetOptions = {}): Picture {
  const plain = plainColours(set);
  const { height, width, channels, levels } = plain.space;
  const { columns = Math.max(1, Math.ceil(Math.sqrt(set.count))), scale = 1, gap = 1, background = 255 } =
    options;
  if (channels !== 1 && channels !== 3) {
    throw new DataSetError("images/sizes", `images of ${channels} channels make no picture; expected 1 or 3`);
  }
  const rows = Math.max(1, Math.ceil(set.count / columns));
  const cell = { height: height * scale + gap, width: width * scale + gap };
  const out = { height: rows * cell.height + gap, width: columns * cell.width + gap };
  const pixels = new Uint8Array(out.height * out.width * channels).fill(background);
  for (let i = 0; i < set.count; i++) {
    const top = gap + Math.floor(i / columns) * cell.height, left = gap + (i % columns) * cell.width;
    for (let y = 0; y < height * scale; y++) {
      for (let x = 0; x < width * scale; x++) {
        const from = i * dimensionsOf(plain.space) +
          (Math.floor(y / scale) * width + Math.floor(x / scale)) * channels;
        const to = ((top + y) * out.width + left + x) * channels;
        for (let c = 0; c < channels; c++) {
          pixels[to + c] = Math.round(plain.pixels[from + c]! * 255 / (levels[c]! - 1));
        }
      }
    }
  }
  return { ...out, channels, pixels };
}

/**
 * Image sets of the same space side by side: one row per image, one column per set. An inpainting sheet is
 * `[original, masked, completed, ...]`.
 * @throws DataSetError when they differ in number or size
 */
export function sideBySide(sets: readonly ImageSet[], options: Omit<SheetOptions, "columns"> = {}): Picture {
  const [first] = sets;
  if (first === undefined) throw new DataSetError("images/empty", "there are no sets of images to show");
  const plain = sets.map(plainColours);
  const size = dimensionsOf(plain[0]!.space);
  for (const set of plain) {
    if (set.count !== first.count || dimensionsOf(set.space) !== size) {
      throw new DataSetError("images/sizes", "sets side by side need images of one number and size");
    }
  }
  const pixels = new Uint8Array(size * first.count * sets.length);
  for (let i = 0; i < first.count; i++) {
    plain.forEach((set, column) => {
      pixels.set(set.pixels.subarray(i * size, (i + 1) * size), (i * sets.length + column) * size);
    });
  }
  return sheet({ space: plain[0]!.space, count: first.count * sets.length, pixels }, {
    ...options,
    columns: sets.length,
  });
}
