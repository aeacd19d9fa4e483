import { DataSetError } from "../errors.ts";
import { isLossless, sameColours } from "./colours.ts";
import { describeSpace, dimensionsOf, type PixelSpace } from "./image_set.ts";

/**
 * A figure in bits per dimension with what it was measured on. A lossy transform merges colours, so its
 * figures are lower than those of the colours by an amount that nobody knows: they stand in no ranking with
 * others.
 */
export interface BitsPerDimension {
  /** Negative log-likelihood of an image in bits, by its number of dimensions, averaged over images. */
  readonly bits: number;
  /** Images that it was averaged over. */
  readonly images: number;
  /** What the numbers of the images meant. */
  readonly space: PixelSpace;
}

/**
 * Bits per dimension of log-likelihoods in nats, one an image. Infinite when an image is impossible.
 * @throws DataSetError when there are no images
 */
export function bitsPerDimension(logLikelihoods: ArrayLike<number>, space: PixelSpace): BitsPerDimension {
  const images = logLikelihoods.length;
  if (images === 0) throw new DataSetError("images/empty", "there are no images to average over");
  let total = 0;
  for (let i = 0; i < images; i++) total += logLikelihoods[i]!;
  // `0 -` and not `-`: no image has minus zero bits.
  return { bits: 0 - total / images / Math.LN2 / dimensionsOf(space), images, space };
}

/**
 * Whether figures of two spaces measure the same thing: images of one size made by the same steps, in the
 * same colours or both in colours that were transformed without loss (a bijection changes no likelihood).
 */
export function comparable(a: PixelSpace, b: PixelSpace): boolean {
  return a.height === b.height && a.width === b.width && a.channels === b.channels &&
    JSON.stringify(a.steps) === JSON.stringify(b.steps) && sameColours(a, b);
}

/** A figure as tables write it: `3.412`, and `3.412*` when a lossy transform makes it incomparable. */
export function formatBits({ bits, space }: BitsPerDimension, digits = 3): string {
  return `${bits.toFixed(digits)}${isLossless(space.transform) ? "" : "*"}`;
}

/**
 * The note under a table of figures: what they were measured on, and what the star means when there is one.
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
