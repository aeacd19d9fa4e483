import type { Sharp } from "sharp";
import { messageOf } from "../../foundation/errors.ts";
import { DataSetError } from "../errors.ts";
import { type ImageSet, joinImages, plainSpace } from "./image_set.ts";

/** A picture: 8-bit grey (1 channel) or red, green, blue (3 channels), row-major. */
export interface Picture {
  /** Rows of pixels. */
  readonly height: number;
  /** Columns of pixels. */
  readonly width: number;
  /** 1 for grey, 3 for colours. */
  readonly channels: 1 | 3;
  /** `[height, width, channels]`. */
  readonly pixels: Uint8Array;
}

/** Loaded on first use: it is native code, which processes without `--allow-ffi` cannot load. */
async function library() {
  return (await import("sharp")).default;
}

/**
 * Decodes a PNG, JPEG, WebP, TIFF or GIF file to 8-bit pixels: rotated as its EXIF data says, deeper channels reduced to
 * 8 bits, alpha channel dropped, other colour spaces converted to sRGB.
 * @throws DataSetError when it cannot be decoded
 */
export async function decodePicture(bytes: Uint8Array, name = "the picture"): Promise<Picture> {
  const sharp = await library();
  return await decoded(name, bytes, (file) => sharp(file, { failOn: "error" }).autoOrient().removeAlpha());
}

async function decoded(
  name: string,
  bytes: Uint8Array,
  read: (bytes: Uint8Array) => Sharp,
): Promise<Picture> {
  const sharp = await library();
  try {
    const grey = (await sharp(bytes).metadata()).space === "b-w";
    const { data, info } = await read(bytes).toColourspace(grey ? "b-w" : "srgb").raw({ depth: "uchar" })
      .toBuffer({ resolveWithObject: true });
    return {
      height: info.height,
      width: info.width,
      channels: info.channels as 1 | 3,
      pixels: new Uint8Array(data.buffer, data.byteOffset, data.byteLength),
    };
  } catch (error) {
    throw new DataSetError("images/format", `${name} cannot be decoded: ${messageOf(error)}`, {
      cause: error,
    });
  }
}

/** How a picture is brought to a size. */
export interface PictureFit {
  /** Rows of pixels. */
  readonly height: number;
  /** Columns of pixels. */
  readonly width: number;
  /** `crop`: the middle is kept; `squash`: both sides are changed on their own; `pad`: all of it on white. */
  readonly fit: "crop" | "squash" | "pad";
}

/** sharp's words for {@link PictureFit}. */
const FITS = { crop: "cover", squash: "fill", pad: "contain" } as const;

/**
 * Decodes an image file as {@link decodePicture} does and brings it to a size; what is transparent becomes white. Of files
 * with several frames the first counts.
 * @throws DataSetError when it cannot be decoded
 */
export async function fittedPicture(
  bytes: Uint8Array,
  name: string,
  { height, width, fit }: PictureFit,
): Promise<Picture> {
  const sharp = await library();
  return await decoded(
    name,
    bytes,
    (file) =>
      sharp(file, { failOn: "error" }).autoOrient().flatten({ background: "#ffffff" })
        .resize({ height, width, fit: FITS[fit], background: "#ffffff" }),
  );
}

/** Encodes a picture as PNG; equal pixels give equal bytes. */
export async function encodePng(picture: Picture): Promise<Uint8Array> {
  const sharp = await library();
  const { height, width, channels, pixels } = picture;
  if (pixels.length !== height * width * channels) {
    throw new DataSetError(
      "images/sizes",
      `a picture of ${height}x${width}x${channels} needs ${
        height * width * channels
      } bytes; got ${pixels.length}`,
    );
  }
  const png = await sharp(pixels, { raw: { height, width, channels } }).toColourspace(
    channels === 1 ? "b-w" : "srgb",
  ).png({ compressionLevel: 9 }).toBuffer();
  return new Uint8Array(png.buffer, png.byteOffset, png.byteLength);
}

/**
 * Images of one size from image files, in order, as colours; grey if all of them are.
 * @throws DataSetError when sizes differ, naming the first file that does
 */
export async function pictureImages(
  files: readonly { readonly name: string; bytes(): Promise<Uint8Array> }[],
): Promise<ImageSet> {
  const pictures: Picture[] = [];
  for (const file of files) {
    const picture = await decodePicture(await file.bytes(), file.name);
    const first = pictures[0] ?? picture;
    if (picture.height !== first.height || picture.width !== first.width) {
      throw new DataSetError(
        "images/sizes",
        `${file.name} has ${picture.height}x${picture.width} pixels, but ${
          files[0]!.name
        } has ${first.height}x${first.width}`,
        { hint: "All images of a set need one size: crop or resize the files before." },
      );
    }
    pictures.push(picture);
  }
  const grey = pictures.every((picture) => picture.channels === 1);
  return joinImages(pictures.map(({ height, width, channels, pixels }) => ({
    space: plainSpace(height, width, grey ? 1 : 3),
    count: 1,
    pixels: grey || channels === 3 ? pixels : greyAsColours(pixels),
  })));
}

/** Grey pixels as red, green and blue of the same level. */
export function greyAsColours(pixels: Uint8Array): Uint8Array {
  return Uint8Array.from({ length: pixels.length * 3 }, (_, i) => pixels[Math.floor(i / 3)]!);
}
