import { DataSetError } from "../errors.ts";
import { isLossless, sameColours } from "./colours.ts";
import { describeSpace, dimensionsOf, type PixelSpace } from "./image_set.ts";

/**
 * A figure in bits per dimension with what it was measured on. A lossy transform merges colours, so its figures are
 * lower than those of the original colours by an unknown amount, and must not be ranked with others.
 */
export interface BitsPerDimension {
  /** Negative log-likelihood of an image in bits, divided by its number of dimensions, averaged over images. */
  readonly bits: number;
  /** Number of images averaged over. */
  readonly images: number;
  /** What the numbers of the images mean. */
  readonly space: PixelSpace;
}

/**
 * Converts log-likelihoods in nats, one per image, to bits per dimension. Infinite if an image is impossible.
 * @throws DataSetError when there are no images
 */
export function bitsPerDimension(logLikelihoods: ArrayLike<number>, space: PixelSpace): BitsPerDimension {
  const images = logLikelihoods.length;
  if (images === 0) throw new DataSetError("images/empty", "there are no images to average over");
  let total = 0;
  for (let i = 0; i < images; i++) total += logLikelihoods[i]!;
  // `0 -` instead of a unary minus avoids negative zero.
  return { bits: 0 - total / images / Math.LN2 / dimensionsOf(space), images, space };
}

/**
 * Whether figures of two spaces measure the same thing: images of the same size made by the same steps, with either the
 * same colour transform or two lossless ones (a bijection does not change likelihoods).
 */
export function comparable(a: PixelSpace, b: PixelSpace): boolean {
  return a.height === b.height && a.width === b.width && a.channels === b.channels &&
    JSON.stringify(a.steps) === JSON.stringify(b.steps) && sameColours(a, b);
}

/** Formats a figure for tables: `3.412`, or `3.412*` if a lossy transform makes it incomparable. */
export function formatBits({ bits, space }: BitsPerDimension, digits = 3): string {
  return `${bits.toFixed(digits)}${isLossless(space.transform) ? "" : "*"}`;
}

/**
 * The note under a table of figures: what they were measured on, and what the star means if there is one.
 * @throws DataSetError when figures of spaces that cannot be compared stand together unmarked: lossless ones
 *   of different crops or sizes
 */
export function bitsNote(figures: readonly BitsPerDimension[]): string {
  const spaces = new Map(figures.map(({ space }) => [describeSpace(space), space]));
  const lossless = [...spaces.values()].filter((space) => isLossless(space.transform));
  for (const space of lossless) {
    if (!comparable(space, lossless[0]!)) {
      throw new DataSetError(
        "evaluation/incomparable",
        `bits per dimension of ${describeSpace(space)} and of ${
          describeSpace(lossless[0]!)
        } cannot be compared in one table`,
        { hint: "Make a table for each crop and size." },
      );
    }
  }
  const lines = [`bits per dimension of ${[...spaces.keys()].join("; ")}`];
  if (lossless.length < spaces.size) {
    lines.push("* lossy colours: not comparable with figures of other colours or of published RGB models");
  }
  return lines.join("\n");
}
