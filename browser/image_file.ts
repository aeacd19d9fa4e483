import type { Circuit } from "../circuits/circuit.ts";
import { decodeCircuitFile, encodeCircuitFile, type EncodedFile } from "../circuits/one_file.ts";
import { COLOUR_TRANSFORMS } from "../datasets/images/colour_transform.ts";
import { dimensionsOf, type ImageSet, type PixelSpace } from "../datasets/images/image_set.ts";
import { RetortError } from "../foundation/errors.ts";
import { checkModelSize } from "./model_bytes.ts";
import { type ModelStory, parsedText, storyOf } from "./story.ts";

/** A model of images as pages have it: one file. */
export interface ImageModelFile {
  /** The circuit, over the values of an image: row by row, pixel by pixel, channel by channel. */
  readonly circuit: Circuit;
  /** Images to begin with, and what their numbers mean; no channel has more than 256 levels. */
  readonly images: ImageSet;
  /** What it is. */
  readonly story: ModelStory;
}

/** Names of the texts that go with the circuit. */
const IMAGES = "images", STORY = "story";

/** The longest side, and the most images, that a page takes. */
const MOST_PIXELS = 1024, MOST_IMAGES = 64;

/** Writes a model into one file, which `loadCircuit` reads too. `bits`: 8 for probabilities of values in a byte each. */
export function encodeImageModel({ circuit, images, story }: ImageModelFile, bits: 8 | 32 = 32): EncodedFile {
  const { height, width, channels, levels, transform } = images.space;
  const pixels = Uint8Array.from(images.pixels).toBase64();
  return encodeCircuitFile(circuit, {
    bits,
    metadata: {
      [IMAGES]: JSON.stringify({ height, width, channels, levels, transform, count: images.count, pixels }),
      [STORY]: JSON.stringify(story),
    },
  });
}

/** Whether a file of a circuit says that it is over images. */
export function holdsImages(metadata: Readonly<Record<string, string>>): boolean {
  return metadata[IMAGES] !== undefined;
}

/**
 * Reads a model and checks it completely: what comes in may be anything.
 *
 * @param where how messages name the file
 * @throws {RetortError} when it is no model of images, or too large for a tab
 */
export function decodeImageModel(bytes: Uint8Array, where: string): ImageModelFile {
  checkModelSize(bytes.length, where);
  const { circuit, metadata } = decodeCircuitFile(bytes, where);
  const images = imagesOf(parsedText(metadata[IMAGES], where));
  if (images === undefined) {
    throw new RetortError("circuit-file/invalid", `${where} holds a circuit without images`, {
      hint: "Models of images for pages are made by `encodeImageModel`.",
    });
  }
  const { levels, channels } = images.space, variables = dimensionsOf(images.space);
  const wrong = circuit.variables.findIndex((one, i) =>
    one.kind !== "categorical" || one.states !== levels[i % channels]
  );
  if (wrong >= 0 || circuit.variables.length !== variables) {
    throw new RetortError("inputs/mismatch", `the circuit is not a model of images of ${variables} values`, {
      hint: wrong < 0
        ? `It has ${circuit.variables.length} variables.`
        : `Its variable ${circuit.variables[wrong]!.name} is of another kind or size.`,
    });
  }
  return { circuit, images, story: storyOf(parsedText(metadata[STORY], where)) };
}

/** Images, if they are well formed. */
function imagesOf(value: unknown): ImageSet | undefined {
  const { height, width, channels, levels, transform, count, pixels } = (value ?? {}) as Record<
    keyof PixelSpace | keyof ImageSet,
    unknown
  >;
  const isWhole = (n: unknown, most: number): n is number =>
    Number.isInteger(n) && (n as number) >= 1 && (n as number) <= most;
  const known = COLOUR_TRANSFORMS.find((one) => one === transform);
  if (
    !isWhole(height, MOST_PIXELS) || !isWhole(width, MOST_PIXELS) || !isWhole(count, MOST_IMAGES) ||
    channels !== 1 && channels !== 3 || known === undefined || typeof pixels !== "string" ||
    !Array.isArray(levels) || levels.length !== channels ||
    !levels.every((n) => isWhole(n, 256) && n >= 2)
  ) return undefined;
  const space: PixelSpace = { height, width, channels, levels, transform: known, steps: [] };
  try {
    const values = Uint8Array.fromBase64(pixels);
    const fits = values.length === count * dimensionsOf(space) &&
      values.every((x, i) => x < levels[i % channels]);
    return fits ? { space, count, pixels: values } : undefined;
  } catch {
    return undefined;
  }
}
