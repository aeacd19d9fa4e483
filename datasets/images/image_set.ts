import { DataSetError } from "../errors.ts";
import type { ColourTransform } from "./colour_transform.ts";

/** The steps applied to the original images before the colour transform, in order. */
export type ImageStep =
  | {
    readonly kind: "crop";
    readonly top: number;
    readonly left: number;
    readonly height: number;
    readonly width: number;
  }
  | { readonly kind: "random-crop"; readonly height: number; readonly width: number; readonly seed: number }
  | { readonly kind: "resize"; readonly height: number; readonly width: number }
  | { readonly kind: "grey" };

/**
 * What the numbers of an image set mean. Bits per dimension are meaningful only together with it: {@link comparable}
 * tells whether figures of two spaces can be compared.
 */
export interface PixelSpace {
  /** Height in pixels. */
  readonly height: number;
  /** Width in pixels. */
  readonly width: number;
  /** Number of values per pixel: 3 for colour, 1 for grey. */
  readonly channels: number;
  /** Number of levels of each channel: its values are `0 .. levels - 1`. */
  readonly levels: readonly number[];
  /** The colour transform that was applied. */
  readonly transform: ColourTransform;
  /** The steps that made these images from the original ones. */
  readonly steps: readonly ImageStep[];
}

/** Images of one size. Row-major: image, row, column, channel. */
export interface ImageSet {
  /** What the numbers mean. */
  readonly space: PixelSpace;
  /** Number of images. */
  readonly count: number;
  /** `[count, height, width, channels]`; 16 bits if a channel has more than 256 levels. */
  readonly pixels: Uint8Array | Uint16Array;
  /** `[count]`: the class of each image, if the data set has classes. */
  readonly labels?: ClassLabels;
}

/** Classes of images, as the data set numbers them: 8 bits, or 16 where a class is above 255. */
export type ClassLabels = Uint8Array | Uint16Array;

/** Classes from 0 to 65,535 in as few bits as they need. */
export function classLabels(classes: readonly number[]): ClassLabels {
  return classes.some((n) => n > 255) ? Uint16Array.from(classes) : Uint8Array.from(classes);
}

/** Number of values per image: the dimensions of the distribution. */
export function dimensionsOf(space: PixelSpace): number {
  return space.height * space.width * space.channels;
}

/** The space of images as stored in a file: every channel has 256 levels. */
export function plainSpace(height: number, width: number, channels: number): PixelSpace {
  return { height, width, channels, levels: Array(channels).fill(256), transform: "none", steps: [] };
}

/**
 * Checks that an image set is consistent: sizes, number of pixels, values below the levels.
 * @returns the set itself
 * @throws DataSetError naming the first fault
 */
export function checkImageSet(set: ImageSet): ImageSet {
  const { space, count, pixels, labels } = set;
  const { height, width, channels, levels } = space;
  for (const [name, n] of Object.entries({ height, width, channels })) {
    if (!(Number.isInteger(n) && n >= 1)) {
      throw new DataSetError("images/sizes", `${name} of the images is ${n}`);
    }
  }
  if (levels.length !== channels || levels.some((n) => !(Number.isInteger(n) && n >= 2 && n <= 65536))) {
    throw new DataSetError(
      "images/levels",
      `the levels [${levels.join(", ")}] do not fit ${channels} channels`,
      {
        hint: "Each channel needs a number of levels from 2 to 65536.",
      },
    );
  }
  const expected = count * dimensionsOf(space);
  if (pixels.length !== expected) {
    throw new DataSetError(
      "images/sizes",
      `${count} images of ${height} x ${width} x ${channels} have ${expected} numbers; got ${pixels.length}`,
    );
  }
  if (labels !== undefined && labels.length !== count) {
    throw new DataSetError("images/sizes", `got ${labels.length} labels for ${count} images`);
  }
  const most = pixels instanceof Uint8Array ? 255 : 65535;
  if (levels.some((n) => n <= most)) {
    for (let i = 0; i < pixels.length; i++) {
      if (pixels[i]! >= levels[i % channels]!) {
        throw new DataSetError(
          "images/levels",
          `image ${Math.floor(i / dimensionsOf(space))}: a number of channel ${i % channels} is ${
            pixels[i]
          }, ` +
            `but the channel has ${levels[i % channels]} levels`,
        );
      }
    }
  }
  return set;
}

/** The images `from .. to - 1`, as views of the same memory. */
export function sliceImages(set: ImageSet, from: number, to: number): ImageSet {
  const size = dimensionsOf(set.space);
  const end = Math.min(to, set.count), start = Math.min(from, end);
  return {
    space: set.space,
    count: end - start,
    pixels: set.pixels.subarray(start * size, end * size),
    ...(set.labels && { labels: set.labels.subarray(start, end) }),
  };
}

/**
 * Concatenates several image sets of the same space.
 * @throws DataSetError when there is none or the spaces differ
 */
export function joinImages(sets: readonly ImageSet[]): ImageSet {
  const [first] = sets;
  if (first === undefined) throw new DataSetError("images/empty", "there are no images to join");
  sets.forEach((set, i) => {
    if (JSON.stringify(set.space) !== JSON.stringify(first.space)) {
      throw new DataSetError(
        "images/sizes",
        `images of part ${i} are ${describeSpace(set.space)}, but those of part 0 are ${
          describeSpace(first.space)
        }`,
      );
    }
  });
  const count = sets.reduce((total, set) => total + set.count, 0);
  const pixels = new (first.pixels.constructor as Uint8ArrayConstructor)(count * dimensionsOf(first.space));
  const labelled = sets.every((set) => set.labels !== undefined);
  let at = 0;
  for (const set of sets) {
    pixels.set(set.pixels, at * dimensionsOf(first.space));
    at += set.count;
  }
  return {
    space: first.space,
    count,
    pixels,
    ...(labelled && { labels: classLabels(sets.flatMap((set) => [...set.labels!])) }),
  };
}

/** Describes one step: `crop 16x16 at 8,8`. */
function describeStep(step: ImageStep): string {
  switch (step.kind) {
    case "grey":
      return "grey";
    case "crop":
      return `crop ${step.height}x${step.width} at ${step.top},${step.left}`;
    case "random-crop":
      return `random crops ${step.height}x${step.width}`;
    case "resize":
      return `resized to ${step.height}x${step.width}`;
  }
}

/** Describes a space, for tables and plots: `32x32x3, YCbCr rounded (lossy)`. */
export function describeSpace(space: PixelSpace): string {
  const { height, width, channels, transform, steps } = space;
  return [`${height}x${width}x${channels}`, ...steps.map(describeStep), TRANSFORM_NAMES[transform]].join(
    ", ",
  );
}

/** Names of colour transforms for tables. */
export const TRANSFORM_NAMES: Readonly<Record<ColourTransform, string>> = {
  "none": "colours as they are",
  "ycbcr-lossy": "YCbCr rounded to 8 bits (lossy)",
  "ycocg-lossy": "YCoCg rounded to 8 bits (lossy)",
  "ycocg-r-511": "YCoCg-R (lossless)",
  "ycocg-r-512": "YCoCg-R, 512 levels (lossless)",
};

/** Images of complete values, `[count, height, width, channels]`, in a pixel space. */
export function imagesOfSamples(
  { count, values }: { readonly count: number; readonly values: ArrayLike<number> },
  space: PixelSpace,
): ImageSet {
  const wide = space.levels.some((n) => n > 256);
  return { space, count, pixels: wide ? Uint16Array.from(values) : Uint8Array.from(values) };
}
