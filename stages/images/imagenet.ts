/** Downsampled ImageNet, for the pipelines of its sizes. */
import type { ColourTransform } from "../../datasets/images/colour_transform.ts";
import { dataSet } from "../data_set.ts";
import type { ImageSplits } from "./experiment.ts";
import { loadImages } from "./load_images.ts";

/**
 * Images of downsampled ImageNet, official `.npz` files: those to learn from and, after them, those that choose, out of the ten
 * batches, which are shuffled; those that are scored out of the validation images of ImageNet, whose test images have no public files.
 *
 * @param side of an image, in pixels.
 * @param wanted numbers of images, and the transform of colours. All images of a split are in memory at once.
 */
export function downsampledImageNet(side: 32 | 64, wanted: {
  readonly train: number;
  readonly valid: number;
  readonly test: number;
  readonly transform: ColourTransform;
}): ImageSplits {
  const { files } = dataSet({}, { name: `imagenet${side}` });
  const part = (name: string, first: number, count: number) =>
    loadImages({ files }, {
      format: "npz",
      files: [name],
      shape: { height: side, width: side, channels: 3 },
      layout: "channels-first",
      first,
      count,
      transform: wanted.transform,
    }).images;
  return {
    train: part("train_data_batch_*.npz", 0, wanted.train),
    valid: part("train_data_batch_*.npz", wanted.train, wanted.valid),
    test: part("val_data.npz", 0, wanted.test),
    dimensions: 3 * side * side,
  };
}
