/**
 * How well distilled patch circuits code Fashion-MNIST when nothing is spared: all 60,000 images, lossless grey, every arm until the
 * 1,000 images that choose end its EM, and compared at an equal number of epochs as well; trees over all pixels, clusters of pixels and of
 * random features as controls; three seeds. The aim is 3.34 bits per dimension or less, what large probabilistic circuits are
 * published to reach.
 *
 * The defaults are for a machine with a GPU or dozens of cores, and 64 GB of memory. They have not been run yet: what was run
 * is the size of its test, and the smaller `fashion_mnist_lvd.ts`. The second command is a first look.
 *
 *     deno task run pipelines/fashion_mnist_record.ts
 *     deno task run pipelines/fashion_mnist_record.ts --set train=2000 --set test=500 --set clusters=[16] --set latents=4 \
 *       --set treeLatents=[4] --set repetitions=1 --set 'teachers=["pixels","random"]'
 */
import { z } from "zod";
import { definePipeline } from "retort";
import { dataSet } from "retort/stages";
import { compareImageArms, imageHeadline, loadImages, recordParams } from "retort/stages/images";

export default definePipeline({
  name: "fashion-mnist-record",
  question:
    "How few bits per dimension of Fashion-MNIST do distilled patch circuits need when every arm is converged?",
  headline: ({ params }) => imageHeadline(params),
  params: z.object({
    ...recordParams,
    /** Number of training images, of 60,000. */
    train: z.int().min(1).max(59_000).default(59_000),
    /** Number of images that choose, taken after the training images. */
    valid: z.int().min(1).max(1_000).default(1_000),
    /** Number of test images, of 10,000. */
    test: z.int().min(1).max(10_000).default(10_000),
  }),
  build({ params }) {
    const { files } = dataSet({}, { name: "fashion-mnist" });
    const part = (name: "train" | "t10k", first: number, count: number) =>
      loadImages({ files }, { format: "idx", files: [`${name}-images-idx3-ubyte`], first, count }).images;
    return compareImageArms({
      train: part("train", 0, params.train),
      valid: part("train", params.train, params.valid),
      test: part("t10k", 0, params.test),
      dimensions: 28 * 28,
    }, params);
  },
});
