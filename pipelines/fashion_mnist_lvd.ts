/**
 * Latent variable distillation for images on Fashion-MNIST (grey, 28x28): compares hidden Chow-Liu trees over all pixels
 * with models distilled into patch circuits, at the same number of epochs of EM. The data comes from Debian's package
 * `dataset-fashion-mnist`, or from `deno task data fetch fashion-mnist`.
 *
 *     deno task run pipelines/fashion_mnist_lvd.ts
 *     deno task run pipelines/fashion_mnist_lvd.ts --set train=2000 --set test=500 --set clusters=[16]
 */
import { z } from "zod";
import { definePipeline } from "retort";
import { dataSet } from "retort/stages";
import {
  compareImageArms,
  convergenceParams,
  distillationParams,
  imageHeadline,
  loadImages,
} from "retort/stages/images";

export default definePipeline({
  name: "fashion-mnist-lvd",
  question:
    "Do patch circuits distilled from a teacher code images of Fashion-MNIST better than a tree over all pixels?",
  headline: ({ params }) => imageHeadline(params),
  params: z.object({
    ...distillationParams,
    /** Lets the validation images end EM: `--set converge={}`. */
    converge: convergenceParams.optional(),
    /** Number of training images, of 60,000. */
    train: z.int().min(1).max(59_000).default(20_000),
    /** Number of validation images, taken after the training images; they choose the best epoch. */
    valid: z.int().min(1).max(1_000).default(1_000),
    /** Number of test images, of 10,000. */
    test: z.int().min(1).max(10_000).default(10_000),
  }),
  build({ params }) {
    const { files } = dataSet({}, { name: "fashion-mnist" });
    const part = (name: "train" | "t10k", first: number, count: number) =>
      loadImages({ files }, {
        format: "idx",
        files: [`${name}-images-idx3-ubyte`],
        labels: `${name}-labels-idx1-ubyte`,
        first,
        count,
      }).images;
    return compareImageArms({
      train: part("train", 0, params.train),
      valid: part("train", params.train, params.valid),
      test: part("t10k", 0, params.test),
      dimensions: 28 * 28,
    }, params);
  },
});
