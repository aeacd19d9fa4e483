/**
 * The smallest training on images, for bench/agreement.ts: a hidden Chow-Liu tree over the pixels of CIFAR-10 and a model distilled
 * into patch circuits, without pictures.
 *
 *     deno task bench:agreement bench/cifar10_agreement.ts --set train=100 --set test=40 --set clusters=[6] --set latents=4 \
 *       --set treeLatents=[8] --set 'epochs={"patches":1,"top":1,"together":1}'
 */
import { z } from "zod";
import { definePipeline } from "../mod.ts";
import { dataSet } from "../stages/data_set.ts";
import { loadImages } from "../stages/images/load_images.ts";
import { distillationParams, distilledImageArm, treeArm } from "../stages/images/mod.ts";

export default definePipeline({
  name: "cifar10-agreement",
  params: z.object({
    ...distillationParams,
    /** Images to learn from. */
    train: z.int().min(1).default(200),
    /** Images to choose the epoch by, and as many to score. */
    test: z.int().min(1).default(50),
  }),
  build({ params }) {
    const { files } = dataSet({}, { name: "cifar-10" });
    const part = (name: string, first: number, count: number) =>
      loadImages({ files }, { format: "cifar", files: [name], first, count, transform: "ycbcr-lossy" })
        .images;
    const splits = {
      train: part("data_batch_*.bin", 0, params.train),
      valid: part("data_batch_*.bin", params.train, params.test),
      test: part("test_batch.bin", 0, params.test),
    };
    return {
      tree: treeArm(splits, params, params.treeLatents[0]!).score,
      distilled: distilledImageArm(splits, params, "pixels", params.clusters[0]!).score,
    };
  },
});
