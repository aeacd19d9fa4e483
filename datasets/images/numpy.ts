import { joinedBytes } from "../../foundation/joined_bytes.ts";
import { messageOf } from "../../foundation/errors.ts";
import { type NpyContent, npyHead, npyOffset, readNpy } from "../../foundation/npy.ts";
import { unzip, type ZipMember } from "../decompress.ts";
import { DataSetError } from "../errors.ts";
import { classLabels, type ImageSet, plainSpace } from "./image_set.ts";

/** How {@link npyImages} and {@link npzImages} interpret the array. */
export interface NumpyOptions {
  /**
   * `channels-last` for `[images, rows, columns, channels]`, `channels-first` for `[images, channels, rows, columns]`,
   * as in downsampled ImageNet. Default: last, unless only the second dimension is 1 or 3.
   */
  readonly layout?: "channels-first" | "channels-last";
  /** Height, width and channels for arrays `[images, numbers]`. */
  readonly shape?: { readonly height: number; readonly width: number; readonly channels: number };
}

/**
 * Images from a `.npy` file of bytes: `[images, rows, columns]`, `[images, rows, columns, channels]`,
 * `[images, channels, rows, columns]`, or `[images, numbers]` with a given shape.
 * @throws DataSetError for other types, shapes or Fortran order
 */
export async function npyImages(bytes: Uint8Array, options: NumpyOptions = {}): Promise<ImageSet> {
  return arranged(await rowsOf(piecesOf(bytes), "the array", {}, true), options);
}

/** Which images of a file are wanted, and by which name. */
export interface NpzOptions extends NumpyOptions {
  /** The array of the images; if omitted, the first there is of `data`, `images`, `x` and `arr_0`. */
  readonly name?: string;
  /** Index of the first image; 0 if omitted. */
  readonly first?: number;
  /** Number of images at most; all that follow if omitted. */
  readonly count?: number;
}

/** The wanted images of a file. */
export interface ImagePart {
  /** Those that the file holds; there may be none. */
  readonly images: ImageSet;
  /** Number of images in the whole file. */
  readonly total: number;
}

/**
 * Images from a `.npz` file, with classes from `labels` (or `y`) if these are one whole number from 0 to 65,535 for each.
 * Classes are not renumbered if they start at 1. Of the file, no more is in memory than the wanted images and the classes.
 *
 * @param source the bytes of the file in pieces, or as a whole
 * @throws DataSetError when it is no such file, is cut short, or holds no such array, or as {@link npyImages}
 */
export async function npzPart(
  source: Uint8Array | AsyncIterable<Uint8Array>,
  options: NpzOptions = {},
): Promise<ImagePart> {
  const wanted = options.name === undefined ? ["data", "images", "x", "arr_0"] : [options.name];
  const seen: string[] = [];
  let best: { rank: number; rows: Rows } | undefined, labels: NpyContent | undefined;
  const bytes = source instanceof Uint8Array ? piecesOf(source) : source;
  for await (const { name, body } of members(bytes)) {
    seen.push(name);
    const array = name.replace(/\.npy$/, ""), rank = wanted.indexOf(array);
    if (rank >= 0 && (best === undefined || rank < best.rank)) {
      best = { rank, rows: await rowsOf(body, array, options, rank === 0) };
    } else if (labels === undefined && LABELS.includes(array)) labels = npy(readNpy, await gathered(body));
    else for await (const _ of body); // The next member comes after it.
    if (best?.rank === 0 && (labels !== undefined || best.rows.shape[0] === 0)) break;
  }
  if (best === undefined) {
    throw new DataSetError(
      "images/format",
      `the npz file has no array ${options.name ?? "data, images, x or arr_0"}; it has ${seen.join(", ")}`,
    );
  }
  const { rows: { total, first, ...rows } } = best;
  const images = arranged(rows, options);
  const classes = labels === undefined ? undefined : classesOf(labels, total);
  return {
    images: {
      ...images,
      ...(classes && { labels: classLabels(classes.slice(first, first + images.count)) }),
    },
    total,
  };
}

/** The wanted images of a `.npz` file: see {@link npzPart}. */
export async function npzImages(bytes: Uint8Array, options: NpzOptions = {}): Promise<ImageSet> {
  return (await npzPart(bytes, options)).images;
}

/** Names of the array of classes. */
const LABELS = ["labels", "y"];

/** A stream that is one piece. */
async function* piecesOf(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}

/** The files of an archive. */
async function* members(source: AsyncIterable<Uint8Array>): AsyncGenerator<ZipMember> {
  for await (const { name, body } of told(unzip(source, () => true))) yield { name, body: told(body) };
}

/** What is wrong with an archive, told as of images. */
async function* told<T>(source: AsyncIterable<T>): AsyncGenerator<T> {
  try {
    yield* source;
  } catch (error) {
    throw new DataSetError("images/format", `this is not an npz file: ${messageOf(error)}`, {
      cause: error,
    });
  }
}

/** What a reader of `.npy` files makes of bytes; what it refuses is told as of images. */
function npy<T>(read: (bytes: Uint8Array) => T, bytes: Uint8Array): T {
  try {
    return read(bytes);
  } catch (error) {
    throw new DataSetError("images/format", `the npy data cannot be read: ${messageOf(error)}`, {
      cause: error,
    });
  }
}

async function gathered(body: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of body) chunks.push(chunk);
  return joinedBytes(chunks);
}

/** Rows of an array of bytes. */
interface Rows {
  /** The wanted rows. */
  readonly data: Uint8Array;
  /** Their shape. */
  readonly shape: readonly number[];
  /** Index of the first of them in the whole array, and the number of rows there. */
  readonly first: number;
  readonly total: number;
}

/**
 * The wanted rows of a `.npy` file of bytes that comes in pieces.
 * @param last whether nothing that follows in the stream is needed if none are wanted
 */
async function rowsOf(
  body: AsyncIterable<Uint8Array>,
  name: string,
  { first: from = 0, count = Infinity }: NpzOptions,
  last: boolean,
): Promise<Rows> {
  let rows: Rows | undefined;
  let begun: Uint8Array = new Uint8Array(0), at = 0, size = 0;
  for await (const chunk of body) {
    let piece = chunk;
    if (rows === undefined) {
      begun = joinedBytes([begun, chunk]);
      const offset = npy(npyOffset, begun);
      if (offset === undefined || begun.length < offset) continue;
      const { type, shape: [total = 0, ...rest] } = npy(npyHead, begun);
      if (type !== "u1") {
        throw new DataSetError("images/format", `${name} does not consist of bytes (uint8)`);
      }
      size = rest.reduce((a, b) => a * b, 1);
      const first = Math.min(from, total), taken = Math.min(count, total - first);
      rows = { data: new Uint8Array(taken * size), shape: [taken, ...rest], first, total };
      if (taken === 0 && last) return rows;
      piece = begun.subarray(offset);
    }
    const start = rows.first * size - at;
    const own = piece.subarray(Math.max(0, start), Math.max(0, start + rows.data.length));
    if (own.length > 0) rows.data.set(own, Math.max(0, -start));
    at += piece.length;
  }
  if (rows === undefined) throw new DataSetError("images/format", `the header of ${name} is cut short`);
  const whole = rows.total * size;
  if (at !== whole) {
    const shape = [rows.total, ...rows.shape.slice(1)];
    throw new DataSetError(
      "images/format",
      `${name} of shape [${shape.join(", ")}] needs ${whole} bytes; got ${at}`,
    );
  }
  return rows;
}

/**
 * Classes that are one whole number from 0 to 65,535 for each image; undefined for others, which no model needs.
 * @throws DataSetError when there are more or fewer than images
 */
function classesOf({ data, shape }: NpyContent, images: number): number[] | undefined {
  const classes = Array.from(data as ArrayLike<number | bigint>, Number);
  if (shape.length === 1 && classes.length !== images) {
    throw new DataSetError("images/sizes", `got ${classes.length} labels for ${images} images`);
  }
  const fit = classes.length === images &&
    classes.every((n) => Number.isInteger(n) && n >= 0 && n < 1 << 16);
  return fit ? classes : undefined;
}

function arranged(
  { data, shape }: { data: Uint8Array; shape: readonly number[] },
  options: NumpyOptions,
): ImageSet {
  const [count, a, b, c] = shape as [number, number, number, number];
  if (shape.length === 3) return { space: plainSpace(a, b, 1), count, pixels: data };
  if (shape.length === 2 && options.shape !== undefined) {
    const { height, width, channels } = options.shape;
    const first = options.layout === "channels-first";
    return arranged(
      { data, shape: first ? [count, channels, height, width] : [count, height, width, channels] },
      { layout: options.layout ?? "channels-last" },
    );
  }
  if (shape.length !== 4) {
    throw new DataSetError("images/sizes", `an array of shape [${shape.join(", ")}] is not one of images`, {
      hint: "For [images, numbers] say height, width and channels.",
    });
  }
  const channelsLike = (n: number) => n === 1 || n === 3;
  const first = options.layout === undefined
    ? channelsLike(a) && !channelsLike(c)
    : options.layout === "channels-first";
  const [height, width, channels] = first ? [b, c, a] : [a, b, c];
  if (data.length !== count * height * width * channels) {
    throw new DataSetError(
      "images/sizes",
      `${count} images of ${height}x${width}x${channels} need ${count * height * width * channels} bytes; ` +
        `got ${data.length}`,
    );
  }
  if (!first) return { space: plainSpace(height, width, channels), count, pixels: data };
  const pixels = new Uint8Array(data.length), plane = height * width, size = plane * channels;
  for (let i = 0; i < count; i++) {
    for (let ch = 0; ch < channels; ch++) {
      for (let p = 0; p < plane; p++) pixels[i * size + p * channels + ch] = data[i * size + ch * plane + p]!;
    }
  }
  return { space: plainSpace(height, width, channels), count, pixels };
}
