import { DataSetError } from "../errors.ts";
import { type ImageSet, plainSpace } from "./image_set.ts";

/** Height and width of CIFAR images. */
const SIDE = 32;
/** Number of values per image. */
const SIZE = 3 * SIDE * SIDE;

/**
 * Images of CIFAR-10 in its binary version: records of a label byte and the red, green and blue planes.
 * `labelBytes` is 2 for CIFAR-100 (the fine label is kept).
 * @throws DataSetError when the file does not consist of whole records
 */
export function readCifar(bytes: Uint8Array, labelBytes: 1 | 2 = 1): ImageSet {
  const record = labelBytes + SIZE;
  if (bytes.length === 0 || bytes.length % record !== 0) {
    throw new DataSetError(
      "images/format",
      `a CIFAR file of ${bytes.length} bytes does not consist of records of ${record} bytes`,
      { hint: "Is it the binary version, and unpacked?" },
    );
  }
  const count = bytes.length / record;
  const pixels = new Uint8Array(count * SIZE), labels = new Uint8Array(count);
  const plane = SIDE * SIDE;
  for (let i = 0; i < count; i++) {
    labels[i] = bytes[i * record + labelBytes - 1]!;
    const from = i * record + labelBytes, to = i * SIZE;
    for (let p = 0; p < plane; p++) {
      for (let c = 0; c < 3; c++) pixels[to + p * 3 + c] = bytes[from + c * plane + p]!;
    }
  }
  return { space: plainSpace(SIDE, SIDE, 3), count, pixels, labels };
}
