/**
 * Models of your own pictures: patch circuits distilled from a masked autoencoder and from bare pixels, beside a tree over all pixels. Ends
 * with their bits per dimension, with reconstructions, samples, and pictures with parts hidden and filled in, and with the model itself.
 */
import { definePipeline } from "retort";
import {
  compareImageArms,
  imageHeadline,
  pictureParams,
  picturesAt,
  smallDistillationParams,
  wholeCircuit,
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
    /** On a few dozen pictures so many epochs go to the end. */
    epochs: smallDistillationParams.epochs.unwrap().prefault({ patches: 20, top: 20, together: 120 }),
    /** Small batches: the tree learns from every picture more often. */
    treeBatch: smallDistillationParams.treeBatch.unwrap().default(16),
  }),
  build({ params }) {
    const { splits, pictures } = picturesAt(params.images, params);
    const { model, ...compared } = compareImageArms(splits, params);
    return {
      ...compared,
      // One circuit over all pixels, to be asked by programs and exported.
      ...(model && { model: wholeCircuit({ model }).circuit }),
      light: measure({ images: splits.train }).light,
      pictures,
    };
  },
});
