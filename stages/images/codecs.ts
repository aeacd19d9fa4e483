/** Codecs of image sets, pictures, and bits-per-dimension figures. */
import { z } from "zod";
import { COLOUR_TRANSFORMS } from "../../datasets/images/colours.ts";
import type { BitsPerDimension } from "../../datasets/images/bits.ts";
import {
  checkImageSet,
  classLabels,
  describeSpace,
  type ImageSet,
  type PixelSpace,
} from "../../datasets/images/image_set.ts";
import { encodePng, type Picture } from "../../datasets/images/pictures.ts";
import { shownFiles } from "../../foundation/file_names.ts";
import { array } from "../../runner/codecs/array.ts";
import { type Codec, defineCodec } from "../../runner/codec.ts";

const side = z.int().min(1);

/** Schema of the preprocessing steps of images, for parameters and files. */
export const imageSteps: z.ZodArray<
  z.ZodDiscriminatedUnion<[
    z.ZodObject<{
      kind: z.ZodLiteral<"crop">;
      top: z.ZodInt;
      left: z.ZodInt;
      height: z.ZodInt;
      width: z.ZodInt;
    }, z.core.$strict>,
    z.ZodObject<{
      kind: z.ZodLiteral<"random-crop">;
      height: z.ZodInt;
      width: z.ZodInt;
      seed: z.ZodInt;
    }, z.core.$strict>,
    z.ZodObject<{
      kind: z.ZodLiteral<"resize">;
      height: z.ZodInt;
      width: z.ZodInt;
    }, z.core.$strict>,
    z.ZodObject<{
      kind: z.ZodLiteral<"grey">;
    }, z.core.$strict>,
  ], "kind">
> = z.array(z.discriminatedUnion("kind", [
  z.strictObject({
    kind: z.literal("crop"),
    top: z.int().min(0),
    left: z.int().min(0),
    height: side,
    width: side,
  }),
  z.strictObject({ kind: z.literal("random-crop"), height: side, width: side, seed: z.int().min(0) }),
  z.strictObject({ kind: z.literal("resize"), height: side, width: side }),
  z.strictObject({ kind: z.literal("grey") }),
]));

/** Schema of {@link PixelSpace}. */
export const pixelSpace: z.ZodType<PixelSpace> = z.strictObject({
  height: side,
  width: side,
  channels: side,
  levels: z.array(z.int().min(2)),
  transform: z.enum(COLOUR_TRANSFORMS),
  steps: imageSteps,
});

/** Schema of a figure in bits per dimension. The pixel space is required. */
export const bitsFigure: z.ZodType<BitsPerDimension> = z.strictObject({
  bits: z.number(),
  images: z.int().min(1),
  space: pixelSpace,
});

const bytes = array("pixels", "u1", 4), words = array("pixels", "u2", 4);

/**
 * Images of one size with the meaning of their numbers: `space.json`, `array.npy` `[images, rows, columns, channels]` of
 * bytes (16 bits if a channel has more than 256 levels) and, if there are classes, `labels.json`. Facts: number of
 * images and the space.
 */
export const images: Codec<ImageSet, ImageSet, "images"> = defineCodec<ImageSet, ImageSet, "images">({
  name: "images",
  version: 1,
  async write(value, out) {
    const { space, count, pixels, labels } = checkImageSet(value);
    const shape = [count, space.height, space.width, space.channels];
    await out.json("space.json", space as never);
    if (pixels instanceof Uint8Array) await bytes.write({ data: pixels, shape }, out);
    else await words.write({ data: pixels, shape }, out);
    if (labels !== undefined) await out.json("labels.json", [...labels]);
    return { images: count, space: describeSpace(space), shape };
  },
  async read(artifact) {
    const space = pixelSpace.parse(await artifact.json("space.json"));
    const wide = space.levels.some((n) => n > 256);
    const { data, shape } = wide ? await words.read(artifact) : await bytes.read(artifact);
    const labelled = artifact.artifact.files.some((file) => file.name === "labels.json");
    const labels = labelled ? classLabels(await artifact.json("labels.json") as number[]) : undefined;
    return checkImageSet({ space, count: shape[0]!, pixels: data, ...(labels && { labels }) });
  },
});

/** A picture with a name and a caption. */
export interface CaptionedPicture {
  /** Name of the file without extension: letters, digits, `-`, `_`. */
  readonly name: string;
  /** What it shows. */
  readonly caption: string;
  /** The picture. */
  readonly picture: Picture;
}

/** A picture stored in an artifact. */
export interface PictureFile {
  /** Name of the PNG file. */
  readonly file: string;
  /** What it shows. */
  readonly caption: string;
  /** In pixels. */
  readonly height: number;
  /** In pixels. */
  readonly width: number;
  /** The PNG file. */
  bytes(): Promise<Uint8Array<ArrayBuffer>>;
}

/**
 * Pictures as PNG files. Facts: `pictures`, a list of `file`, `caption`, `height` and `width`, which is all a page needs
 * to show them.
 */
export const pictures: Codec<readonly PictureFile[], readonly CaptionedPicture[], "pictures"> = defineCodec<
  readonly PictureFile[],
  readonly CaptionedPicture[],
  "pictures"
>({
  name: "pictures",
  version: 1,
  summary: (value) =>
    value.map(({ file, caption, height, width }) => `${file}: ${caption} (${width} x ${height} pixels)`).join(
      "\n",
    ),
  async write(value, out) {
    const files = shownFiles(value.map(({ name }) => name), "png", "picture");
    const listed = value.map(({ caption, picture }, i) => ({
      file: files[i]!,
      caption,
      height: picture.height,
      width: picture.width,
    }));
    for (const [i, { file }] of listed.entries()) await out.bytes(file, await encodePng(value[i]!.picture));
    await out.json("pictures.json", listed);
    return { pictures: listed };
  },
  async read(artifact) {
    const listed = z.array(
      z.strictObject({ file: z.string(), caption: z.string(), height: side, width: side }),
    ).parse(await artifact.json("pictures.json"));
    return listed.map((entry) => ({ ...entry, bytes: () => artifact.bytes(entry.file) }));
  },
});
