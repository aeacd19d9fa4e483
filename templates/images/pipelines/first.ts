/**
 * Models of your own pictures: patch circuits distilled from a masked autoencoder, beside a tree over all pixels. Ends with their bits per
 * dimension, and with reconstructions, samples, and pictures with parts hidden and filled in.
 */
import { definePipeline } from "retort";
import {
  compareImageArms,
  imageHeadline,
  pictureParams,
  picturesAt,
  smallDistillationParams,
} from "retort/stages/images";
import { z } from "zod";
import { measure } from "../stages/mine.ts";

export default definePipeline({
  name: "first",
  question:
    "Do patch circuits distilled from a teacher code these pictures better than a tree over all pixels?",
  headline: ({ params }) => imageHeadline(params),
  params: z.object({
    /** A folder of pictures. */
    images: z.string().min(1).default("pictures"),
    // Size, colours, shares of the splits.
    ...pictureParams,
    // Patches, clusters, teachers, epochs.
    ...smallDistillationParams,
  }),
  build({ params }) {
    const { splits, pictures } = picturesAt(params.images, params);
    return {
      ...compareImageArms(splits, params),
      light: measure({ images: splits.train }).light,
      pictures,
    };
  },
});
