/**
 * The image model of the playground: a hidden Chow-Liu tree over all pixels of Fashion-MNIST, small enough for a page. The data
 * comes from Debian's package `dataset-fashion-mnist`, or from `deno task data fetch fashion-mnist`. `deno task playground` runs
 * it where the data is.
 *
 *     deno task run pipelines/playground_images.ts
 */
import { z } from "zod";
import { definePipeline } from "retort";
import { anemone, dataSet, trainEm } from "retort/stages";
import { evaluatePixelCircuit, imageSamples, loadImages, pixelTree } from "retort/stages/images";

export default definePipeline({
  name: "playground-images",
  question: "How well does a tree over all pixels that fits into a page code images of Fashion-MNIST?",
  params: z.object({
    /** Number of training images, of 60,000. */
    train: z.int().min(1).max(59_000).default(10_000),
    /** Number of validation images, taken after the training images; they choose the best epoch. */
    valid: z.int().min(1).max(1_000).default(500),
    /** Number of test images, of 10,000; the page shows the first of them. */
    test: z.int().min(1).max(10_000).default(1_000),
    /** Number of states of every hidden variable. */
    latents: z.int().min(1).default(12),
    /** Epochs of EM. */
    epochs: z.int().min(1).default(12),
  }),
  build({ params }) {
    const { files } = dataSet({}, { name: "fashion-mnist" });
    const part = (name: "train" | "t10k", first: number, count: number) =>
      loadImages({ files }, { format: "idx", files: [`${name}-images-idx3-ubyte`], first, count }).images;
    const train = part("train", 0, params.train), valid = part("train", params.train, params.valid);
    const test = part("t10k", 0, params.test);
    const start = pixelTree({ images: train }, { latents: params.latents, treeSamples: 4_000 }).circuit;
    const { circuit } = trainEm(
      {
        circuit: start,
        train: imageSamples({ images: train }).samples,
        valid: imageSamples({ images: valid }).samples,
      },
      {
        pseudocount: { sums: 0.1, leaves: 2 },
        leafBase: "marginal",
        epochs: params.epochs,
        batchSize: 256,
        batchesPerUpdate: 1,
        step: anemone(0.4, 0.02),
      },
    );
    return { model: circuit, test, score: evaluatePixelCircuit({ circuit, images: test }).score };
  },
});
