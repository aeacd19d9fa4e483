/**
 * How well distilled patch circuits code CIFAR-10 when nothing is spared: all 50,000 training images, whole, every arm until the 1,000
 * images that choose end its EM, and compared at an equal number of epochs as well; trees over all pixels, clusters of pixels and of random
 * features as controls; three seeds. Twice, in two tables that cannot be ranked with each other: in lossy YCbCr, as earlier work on distilled circuits
 * has it (the aim is 3.95 bits per dimension or less), and in lossless YCoCg-R, whose figures may stand beside those of models of RGB.
 *
 * The defaults are for a machine with a GPU or dozens of cores, and 64 GB of memory. They have not been run yet: what was run
 * is the size of its test, and the smaller `cifar10_lvd.ts`. The second command is a first look.
 *
 *     deno task run pipelines/cifar10_full.ts
 *     deno task run pipelines/cifar10_full.ts --set train=2000 --set test=500 --set clusters=[16] --set latents=4 \
 *       --set treeLatents=[4] --set repetitions=1 --set 'teachers=["pixels","random"]'
 *     deno task run pipelines/cifar10_full.ts --set 'colours=["ycocg-r-511"]'
 */
import { z } from "zod";
import { definePipeline } from "retort";
import { dataSet } from "retort/stages";
import { compareImageArms, imageHeadline, loadImages, recordParams } from "retort/stages/images";

/** What figures are in, by the transform of colours. */
const METRICS = {
  "ycbcr-lossy": "bits per dimension of test images in lossy YCbCr",
  "ycocg-r-511": "bits per dimension of test images",
} as const;

export default definePipeline({
  name: "cifar10-full",
  question:
    "How few bits per dimension of CIFAR-10 do distilled patch circuits need when every arm is converged?",
  headline: ({ params }) => imageHeadline(params, METRICS[params.colours[0]!]),
  params: z.object({
    ...recordParams,
    /** Transforms of colours, a comparison each; the first is what the headline is about. */
    colours: z.array(z.enum(["ycbcr-lossy", "ycocg-r-511"])).min(1).max(2).default([
      "ycbcr-lossy",
      "ycocg-r-511",
    ]),
    /** Number of training images, of 50,000. */
    train: z.int().min(1).max(49_000).default(49_000),
    /** Number of images that choose, taken after the training images. */
    valid: z.int().min(1).max(1_000).default(1_000),
    /** Number of test images, of 10,000. */
    test: z.int().min(1).max(10_000).default(10_000),
  }),
  build({ params }) {
    const { files } = dataSet({}, { name: "cifar-10" });
    const [first, second] = [...new Set(params.colours)].map((transform) => {
      const part = (name: string, first: number, count: number) =>
        loadImages({ files }, { format: "cifar", files: [name], first, count, transform }).images;
      return compareImageArms({
        train: part("data_batch_*.bin", 0, params.train),
        valid: part("data_batch_*.bin", params.train, params.valid),
        test: part("test_batch.bin", 0, params.test),
        dimensions: 3 * 32 * 32,
        label: transform,
      }, params);
    });
    return {
      ...first!,
      ...(second &&
        { secondTable: second.table, secondCharts: second.charts, secondSamples: second.samples }),
    };
  },
});
