import { messageOf } from "../../foundation/errors.ts";
import { type NpyContent, readNpy } from "../../foundation/npy.ts";
import { DataSetError } from "../errors.ts";
import { type ImageSet, plainSpace } from "./image_set.ts";

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
// deno-lint-ignore require-await -- what cannot be read rejects, as with other kinds of images
export async function npyImages(bytes: Uint8Array, options: NumpyOptions = {}): Promise<ImageSet> {
  return arranged(byteArray(bytes, "the array"), options);
}

/**
 * Images from a `.npz` file: the first array present among `data`, `images`, `x` and `arr_0`, with classes from `labels`
 * (or `y`) if present and of bytes. Classes are not renumbered if they start at 1.
 * @throws DataSetError when it holds none of these, or as {@link npyImages}
 */
export async function npzImages(
  bytes: Uint8Array,
  options: NumpyOptions & { readonly name?: string } = {},
): Promise<ImageSet> {
  const { unzipSync } = await import("fflate");
  let members: Record<string, Uint8Array>;
  try {
    members = unzipSync(bytes);
  } catch (error) {
    throw new DataSetError("images/format", `this is not an npz file: ${messageOf(error)}`, { cause: error });
  }
  const find = (names: readonly string[]) => names.find((name) => members[`${name}.npy`] !== undefined);
  const name = find(options.name === undefined ? ["data", "images", "x", "arr_0"] : [options.name]);
  if (name === undefined) {
    throw new DataSetError(
      "images/format",
      `the npz file has no array ${options.name ?? "data, images, x or arr_0"}; it has ${
        Object.keys(members).join(", ")
      }`,
    );
  }
  const set = arranged(byteArray(members[`${name}.npy`]!, name), options);
  const labelled = find(["labels", "y"]);
  if (labelled === undefined) return set;
  const labels = numbers(members[`${labelled}.npy`]!);
  const fits = labels.data.length === set.count &&
    Array.from(labels.data, Number).every((n) => n >= 0 && n < 256);
  return fits ? { ...set, labels: Uint8Array.from(labels.data, Number) } : set;
}

function numbers(bytes: Uint8Array): NpyContent {
  try {
    return readNpy(bytes);
  } catch (error) {
    throw new DataSetError("images/format", `the npy data cannot be read: ${messageOf(error)}`, {
      cause: error,
    });
  }
}

function byteArray(bytes: Uint8Array, name: string): { data: Uint8Array; shape: readonly number[] } {
  const { data, shape, type } = numbers(bytes);
  if (type !== "u1" || !(data instanceof Uint8Array)) {
    throw new DataSetError("images/format", `${name} does not consist of bytes (uint8)`);
  }
  const size = shape.reduce((a, b) => a * b, 1);
  if (data.length !== size) {
    throw new DataSetError(
      "images/format",
      `${name} of shape [${shape.join(", ")}] needs ${size} bytes; got ${data.length}`,
    );
  }
  return { data, shape };
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
