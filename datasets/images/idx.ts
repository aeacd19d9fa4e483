import { DataSetError } from "../errors.ts";
import { type ImageSet, plainSpace } from "./image_set.ts";

/** An array of unsigned bytes in IDX format. */
export interface IdxArray {
  /** Sizes of the dimensions. */
  readonly shape: readonly number[];
  /** Row-major. */
  readonly data: Uint8Array;
}

/**
 * Reads an IDX file of unsigned bytes, the format of MNIST and its family: two zero bytes, type 8, the number of
 * dimensions, their sizes as big-endian 32-bit integers, the values.
 * @throws DataSetError when it is something else or cut short
 */
export function readIdx(bytes: Uint8Array): IdxArray {
  const [zero, zero2, type, dimensions] = bytes;
  if (bytes.length < 4 || zero !== 0 || zero2 !== 0) {
    throw new DataSetError(
      "images/format",
      "this is not an IDX file: it does not begin with two zero bytes",
      { hint: "Is it unpacked?" },
    );
  }
  if (type !== 8) {
    throw new DataSetError(
      "images/format",
      `the IDX file has the type 0x${type!.toString(16)}, expected unsigned bytes (0x8)`,
    );
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const start = 4 + 4 * dimensions!;
  if (dimensions === 0 || bytes.length < start) {
    throw new DataSetError("images/format", "the header of the IDX file is cut short");
  }
  const shape = Array.from({ length: dimensions! }, (_, d) => view.getUint32(4 + 4 * d));
  const size = shape.reduce((a, b) => a * b, 1);
  if (bytes.length - start !== size) {
    throw new DataSetError(
      "images/format",
      `an IDX file of shape [${shape.join(", ")}] has ${size} numbers; got ${bytes.length - start}`,
    );
  }
  return { shape, data: bytes.subarray(start) };
}

/**
 * Grey images from an IDX file of shape `[images, rows, columns]`, with labels from another of shape
 * `[images]`.
 * @throws DataSetError when shapes do not fit
 */
export function idxImages(images: Uint8Array, labels?: Uint8Array): ImageSet {
  const { shape, data } = readIdx(images);
  const [count, height, width] = shape;
  if (shape.length !== 3) {
    throw new DataSetError(
      "images/format",
      `images need an IDX file of 3 dimensions; got shape [${shape.join(", ")}]`,
    );
  }
  const classes = labels === undefined ? undefined : readIdx(labels);
  if (classes !== undefined && (classes.shape.length !== 1 || classes.shape[0] !== count)) {
    throw new DataSetError(
      "images/sizes",
      `${count} images with labels of shape [${classes.shape.join(", ")}]`,
    );
  }
  return {
    space: plainSpace(height!, width!, 1),
    count: count!,
    pixels: data,
    ...(classes && { labels: classes.data }),
  };
}
