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
import { type ImagePart, npyImages, npzPart } from "../../datasets/images/numpy.ts";
import { pictureImages } from "../../datasets/images/pictures.ts";
import { unpacked } from "../../datasets/text/file_text.ts";
import { inNumberOrder } from "../../foundation/file_names.ts";
import { unpackGzip } from "../../foundation/file_system.ts";
import { type Files, files } from "../../runner/codecs/files.ts";
import { defineStage, type Stage } from "../../runner/stage.ts";
import { images, imageSteps } from "./codecs.ts";

const parameters = z.object({
  /** Format of the files. */
  format: z.enum(["cifar", "idx", "npy", "npz", "pictures"]),
  /**
   * Names of the files, in order; `*` matches any text, and matches are sorted by the numbers in their names:
   * `batch_2` comes before `batch_10`. Compressed files (`.gz`) may be named without the extension.
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
    const set = await selected(inputs.files, names, params);
    context.metric("images", set.count);
    context.log(`${set.count} images, ${describeSpace(set.space)}`);
    return { images: set };
  },
});

function matching(folder: Files, pattern: string): string[] {
  const parts = pattern.split("*").map((part) => part.replace(/[.+?^${}()|[\]\\]/g, "\\$&"));
  const wanted = new RegExp(`^${parts.join(".*")}(?:\\.gz)?$`);
  const names = folder.entries.map(({ name }) => name).filter((name) => wanted.test(name)).sort(
    inNumberOrder,
  );
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

async function unpackedBytes(folder: Files, name: string): Promise<Uint8Array> {
  const bytes = await folder.bytes(name);
  return name.endsWith(".gz") ? unpackGzip(bytes) : bytes;
}

type Params = z.output<typeof parameters>;

/** The images that are asked for, preprocessed; of the others no more is kept than a file's at a time. */
async function selected(folder: Files, names: readonly string[], params: Params): Promise<ImageSet> {
  const { first, count = Infinity } = params;
  const steps = params.steps.map(stepOf);
  const parts: ImageSet[] = [];
  let total = 0, taken = 0;
  const take = ({ images, total: of }: ImagePart) => {
    total += of;
    taken += images.count;
    if (images.count === 0) return;
    const stepped = steps.reduce((set, step) => step(set), images);
    parts.push(transformColours(stepped, params.transform));
  };
  const wanted = () => ({ first: Math.max(0, first - total), count: count - taken });
  if (params.format === "pictures") {
    const all = await pictureImages(
      names.map((name) => ({ name, bytes: () => unpackedBytes(folder, name) })),
    );
    take(partOf(all, wanted()));
  } else {
    for (const name of names) {
      if (taken === count) break;
      take(await ofFile(name, () => readPart(folder, name, params, wanted())));
    }
  }
  if (taken === 0) {
    throw new DataSetError("images/selection", `there are ${total} images, none from ${first} on`);
  }
  if (params.count !== undefined && taken < params.count) {
    throw new DataSetError(
      "images/selection",
      `${params.count} images from ${first} on were asked for, but there are ${total}`,
    );
  }
  return parts.length === 1 ? parts[0]! : joinImages(parts);
}

/** Which images of a file are wanted. */
interface Wanted {
  readonly first: number;
  readonly count: number;
}

function partOf(all: ImageSet, { first, count }: Wanted): ImagePart {
  return { images: sliceImages(all, first, first + count), total: all.count };
}

/** Says of which file an error is. */
async function ofFile<T>(name: string, read: () => Promise<T>): Promise<T> {
  try {
    return await read();
  } catch (error) {
    if (!(error instanceof DataSetError)) throw error;
    throw new DataSetError(error.code, `${name}: ${error.message}`, { hint: error.hint, cause: error });
  }
}

async function readPart(folder: Files, name: string, params: Params, wanted: Wanted): Promise<ImagePart> {
  const options = {
    ...(params.shape && { shape: params.shape }),
    ...(params.layout && { layout: params.layout }),
  };
  // These files may be larger than memory.
  if (params.format === "npz") {
    return await npzPart(unpacked(await folder.path(name)), { ...options, ...wanted });
  }
  const bytes = await unpackedBytes(folder, name);
  if (params.format === "cifar") return partOf(readCifar(bytes), wanted);
  if (params.format === "npy") return partOf(await npyImages(bytes, options), wanted);
  const labels = params.labels === undefined ? undefined : matching(folder, params.labels)[0];
  return partOf(
    idxImages(bytes, labels === undefined ? undefined : await unpackedBytes(folder, labels)),
    wanted,
  );
}

/** What a step does to sets of images, one after the other. */
function stepOf(step: ImageStep): (set: ImageSet) => ImageSet {
  switch (step.kind) {
    case "crop":
      return (set) => crop(set, step);
    case "random-crop": {
      const random = new RandomStream(step.seed);
      return (set) => randomCrop(set, step, () => random.uniform());
    }
    case "resize":
      return (set) => resizeByArea(set, step);
    case "grey":
      return toGrey;
  }
}
