/**
 * Latent variable distillation on ImageNet downsampled to 64x64: compares hidden Chow-Liu trees over all pixels with models distilled
 * into patch circuits, every arm until the images that choose end its EM, and at an equal number of epochs as well; clusters of pixels and of random
 * features as controls; three seeds.
 *
 * The data are the official `.npz` files (Chrabaszcz et al. 2017), which nobody may pass on: `deno task data list` tells whether
 * they are there, and a run without them where they are to be had. Most published figures of "ImageNet 64" are of other files (van den Oord et al.
 * 2016) and cannot be ranked with these.
 *
 * Images are in memory all at once, 25 kB each: `train` is bounded for that, at 50,000 of 1,281,167. The defaults are for a machine
 * with a GPU or dozens of cores, and 64 GB of memory. They have not been run yet: what was run is the size of its test, on files made up in the
 * official format.
 *
 *     deno task run pipelines/imagenet64_lvd.ts
 *     deno task run pipelines/imagenet64_lvd.ts --set train=2000 --set test=500 --set clusters=[16] --set latents=4 \
 *       --set treeLatents=[4] --set repetitions=1 --set 'teachers=["pixels","random"]'
 */
import { z } from "zod";
import { definePipeline } from "retort";
import { compareImageArms, downsampledImageNet, imageHeadline, recordParams } from "retort/stages/images";

export default definePipeline({
  name: "imagenet64-lvd",
  question:
    "Do patch circuits distilled from a teacher code images of ImageNet 64x64 better than a tree over all pixels?",
  headline: ({ params }) => imageHeadline(params),
  params: z.object({
    ...recordParams,
    /** Numbers of states of the hidden variables in the trees over all pixels: to find one among 12,288 takes a while. */
    treeLatents: recordParams.treeLatents.unwrap().default([16]),
    /** Side length of a patch in pixels. */
    patch: recordParams.patch.unwrap().default(8),
    /** Transform of colours. With a lossy one, figures are not comparable with those of models of RGB. */
    transform: z.enum(["none", "ycbcr-lossy", "ycocg-lossy", "ycocg-r-511", "ycocg-r-512"]).default(
      "ycocg-r-511",
    ),
    /** Number of training images, of 1,281,167. */
    train: z.int().min(1).max(1_271_167).default(50_000),
    /** Number of images that choose, taken after the training images. */
    valid: z.int().min(1).max(10_000).default(2_000),
    /** Number of test images, of the 50,000 that ImageNet has for validation. */
    test: z.int().min(1).max(50_000).default(10_000),
  }),
  build: ({ params }) => compareImageArms(downsampledImageNet(64, params), params),
});
