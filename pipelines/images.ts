/**
 * Distills models of your own pictures: a folder of PNG, JPEG, WebP, TIFF or GIF files of any sizes, brought to one size. A masked
 * autoencoder is trained on them, patches that it finds alike share a circuit, and the model of whole pictures is compared
 * with hidden Chow-Liu trees over all pixels, in bits per dimension. Shows reconstructions, clusters, samples, and test
 * pictures with parts hidden and filled in.
 *
 *     deno task run pipelines/images.ts --set images=FOLDER
 *     deno task run pipelines/images.ts --set images=FOLDER --set size=24 --set colours=grey --set fit=pad
 *     deno task run pipelines/images.ts --set images=FOLDER --set size=32 --set clusters=[64] --set latents=16
 */
import { z } from "zod";
import { definePipeline } from "retort";
import {
  compareImageArms,
  imageHeadline,
  pictureParams,
  picturesAt,
  smallDistillationParams,
} from "retort/stages/images";

export default definePipeline({
  name: "images",
  question:
    "Do patch circuits distilled from a teacher code these pictures better than a tree over all pixels?",
  headline: ({ params }) => imageHeadline(params),
  params: z.object({
    ...smallDistillationParams,
    ...pictureParams,
    /** Path of the folder of pictures. */
    images: z.string({ error: "expected a folder of pictures: --set images=FOLDER" }).min(1),
  }),
  build({ params }) {
    const { splits, pictures } = picturesAt(params.images, params);
    return { ...compareImageArms(splits, params), pictures };
  },
});
