/**
 * Latent variable distillation for images on CIFAR-10: compares hidden Chow-Liu trees over all pixels with models
 * distilled into patch circuits, at the same number of epochs of EM.
 *
 * With the defaults, all arms take many hours on two cores. The second command takes an hour and a half; the third is a
 * quick first look.
 *
 *     deno task run pipelines/cifar10_lvd.ts
 *     deno task run pipelines/cifar10_lvd.ts --set 'teachers=["autoencoder"]' --set epochs.together=3 --set treeLatents=[17]
 *     deno task run pipelines/cifar10_lvd.ts --set train=1000 --set test=500 --set clusters=[16] --set epochs.together=2
 *     deno task run pipelines/cifar10_lvd.ts --set transform=ycocg-r-511
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
  name: "cifar10-lvd",
  question:
    "Do patch circuits distilled from a teacher code images of CIFAR-10 better than a tree over all pixels?",
  headline: ({ params }) => imageHeadline(params),
  params: z.object({
    ...distillationParams,
    /** Lets the validation images end EM: `--set converge={}`. */
    converge: convergenceParams.optional(),
    /** Colour transform. With a lossy one, figures are not comparable with those of models of RGB. */
    transform: z.enum(["none", "ycbcr-lossy", "ycocg-lossy", "ycocg-r-511", "ycocg-r-512"]).default(
      "ycbcr-lossy",
    ),
    /** Number of training images. */
    train: z.int().min(1).default(19_000),
    /** Number of validation images, taken after the training images; they choose the best epoch. */
    valid: z.int().min(1).default(1_000),
    /** Number of test images, of 10,000. */
    test: z.int().min(1).max(10_000).default(10_000),
  }),
  build({ params }) {
    const { files } = dataSet({}, { name: "cifar-10" });
    const part = (name: string, first: number, count: number) =>
      loadImages({ files }, {
        format: "cifar",
        files: [name],
        first,
        count,
        transform: params.transform,
      }).images;
    return compareImageArms({
      train: part("data_batch_*.bin", 0, params.train),
      valid: part("data_batch_*.bin", params.train, params.valid),
      test: part("test_batch.bin", 0, params.test),
      dimensions: 3 * 32 * 32,
    }, params);
  },
});
