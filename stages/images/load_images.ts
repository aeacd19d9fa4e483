import { z } from "zod";
import { RandomStream } from "../../circuits/random.ts";
import { DataSetError } from "../../datasets/errors.ts";
import { readCifar } from "../../datasets/images/cifar.ts";
import { COLOUR_TRANSFORMS, transformColours } from "../../datasets/images/colours.ts";
import { crop, randomCrop, resizeByArea, toGrey } from "../../datasets/images/geometry.ts";
import { idxImages } from "../../datasets/images/idx.ts";
import {
  describeSpace,
  type ImageSet,
  type ImageStep,
  joinImages,
  sliceImages,
} from "../../datasets/images/image_set.ts";
import { npyImages, npzImages } from "../../datasets/images/numpy.ts";
import { pictureImages } from "../../datasets/images/pictures.ts";
import { unpackGzip } from "../../foundation/file_system.ts";
import { type Files, files } from "../../runner/codecs/files.ts";
import { defineStage, type Stage } from "../../runner/stage.ts";
import { images, imageSteps } from "./codecs.ts";

const parameters = z.object({
  /** Format of the files. */
  format: z.enum(["cifar", "idx", "npy", "npz", "pictures"]),
  /**
   * Names of the files, in order; `*` matches any text, and matches are sorted by code units. Compressed files (`.gz`)
   * may be named without the extension.
   */
  files: z.array(z.string().min(1)).min(1),
  /** For `idx`: the file with the classes. */
  labels: z.string().optional(),
  /** For `npy` and `npz` of shape [images, numbers]: the shape of an image. */
  shape: z.strictObject({
    height: z.int().min(1),
    width: z.int().min(1),
    channels: z.int().min(1),
  }).optional(),
  /** For `npy` and `npz`: where the channel axis is. */
  layout: z.enum(["channels-first", "channels-last"]).optional(),
  /** Index of the first image to take. */
  first: z.int().min(0).default(0),
  /** Number of images to take; all remaining ones if omitted. */
  count: z.int().min(1).optional(),
  /** Preprocessing steps (crops, resizing, grey), in order. */
  steps: imageSteps.default([]),
  /** Colour transform, applied last. */
  transform: z.enum(COLOUR_TRANSFORMS).default("none"),
});

/** Loads images from files, preprocesses them, and transforms their colours to the space that models are defined over. */
export const loadImages: Stage<
  z.ZodObject<{
    format: z.ZodEnum<{
      pictures: "pictures";
      cifar: "cifar";
      idx: "idx";
      npy: "npy";
      npz: "npz";
    }>;
    files: z.ZodArray<z.ZodString>;
    labels: z.ZodOptional<z.ZodString>;
    shape: z.ZodOptional<
      z.ZodObject<{
        height: z.ZodInt;
        width: z.ZodInt;
        channels: z.ZodInt;
      }, z.core.$strict>
    >;
    layout: z.ZodOptional<
      z.ZodEnum<{
        "channels-first": "channels-first";
        "channels-last": "channels-last";
      }>
    >;
    first: z.ZodDefault<z.ZodInt>;
    count: z.ZodOptional<z.ZodInt>;
    steps: z.ZodDefault<typeof imageSteps>;
    transform: z.ZodDefault<
      z.ZodEnum<{
        none: "none";
        "ycbcr-lossy": "ycbcr-lossy";
        "ycocg-lossy": "ycocg-lossy";
        "ycocg-r-511": "ycocg-r-511";
        "ycocg-r-512": "ycocg-r-512";
      }>
    >;
  }, z.core.$strip>,
  { files: typeof files },
  { images: typeof images }
> = defineStage({
  name: "load.images",
  params: parameters,
  inputs: { files },
  outputs: { images },
  async run({ inputs, params, context }) {
    const names = params.files.flatMap((pattern) => matching(inputs.files, pattern));
    const all = await readAll(inputs.files, names, params);
    const { first, count = all.count } = params;
    let set = sliceImages(all, first, first + count);
    if (set.count === 0) {
      throw new DataSetError("images/selection", `there are ${all.count} images, none from ${first} on`);
    }
    if (params.count !== undefined && set.count < params.count) {
      throw new DataSetError(
        "images/selection",
        `${params.count} images from ${first} on were asked for, but there are ${all.count}`,
      );
    }
    for (const step of params.steps) set = apply(set, step);
    set = transformColours(set, params.transform);
    context.metric("images", set.count);
    context.log(`${set.count} images, ${describeSpace(set.space)}`);
    return { images: set };
  },
});

function matching(folder: Files, pattern: string): string[] {
  const parts = pattern.split("*").map((part) => part.replace(/[.+?^${}()|[\]\\]/g, "\\$&"));
  const wanted = new RegExp(`^${parts.join(".*")}(?:\\.gz)?$`);
  const names = folder.entries.map(({ name }) => name).filter((name) => wanted.test(name)).sort();
  if (names.length === 0) {
    throw new DataSetError(
      "images/selection",
      `no file is named ${pattern}; there are ${
        folder.entries.slice(0, 8).map(({ name }) => name).join(", ")
      }`,
    );
  }
  return names;
}

async function unpacked(folder: Files, name: string): Promise<Uint8Array> {
  const bytes = await folder.bytes(name);
  return name.endsWith(".gz") ? unpackGzip(bytes) : bytes;
}

async function readAll(
  folder: Files,
  names: readonly string[],
  params: z.output<typeof parameters>,
): Promise<ImageSet> {
  if (params.format === "pictures") {
    return await pictureImages(names.map((name) => ({ name, bytes: () => unpacked(folder, name) })));
  }
  const options = {
    ...(params.shape && { shape: params.shape }),
    ...(params.layout && { layout: params.layout }),
  };
  const sets: ImageSet[] = [];
  for (const name of names) {
    const bytes = await unpacked(folder, name);
    if (params.format === "cifar") sets.push(readCifar(bytes));
    else if (params.format === "npy") sets.push(await npyImages(bytes, options));
    else if (params.format === "npz") sets.push(await npzImages(bytes, options));
    else {
      const labels = params.labels === undefined ? undefined : matching(folder, params.labels)[0];
      sets.push(idxImages(bytes, labels === undefined ? undefined : await unpacked(folder, labels)));
    }
  }
  return joinImages(sets);
}

function apply(set: ImageSet, step: ImageStep): ImageSet {
  switch (step.kind) {
    case "crop":
      return crop(set, step);
    case "random-crop": {
      const random = new RandomStream(step.seed);
      return randomCrop(set, step, () => random.uniform());
    }
    case "resize":
      return resizeByArea(set, step);
    case "grey":
      return toGrey(set);
  }
}
