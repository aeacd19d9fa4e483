/**
 * The masked autoencoder of He, Chen, Xie, Li, Dollar and Girshick, "Masked Autoencoders Are Scalable Vision Learners"
 * (CVPR 2022): a transformer encoder sees some patches of an image, and a transformer decoder predicts the others.
 * Latent variable distillation for images uses the encoder's vector of a patch when only its surroundings are visible.
 */
import { RetortError } from "../foundation/errors.ts";
import {
  add,
  broadcast,
  concat,
  constant,
  gatherRows,
  input,
  mean,
  multiply,
  Program,
  reshape,
  slice,
  subtract,
  type SymbolicTensor,
  TrainingStep,
} from "../kernels/autodiff/mod.ts";
import type { EngineSessionOptions } from "../kernels/onnx/engine_session.ts";
import {
  checkSizes,
  encode,
  encoderPlans,
  linear,
  NORMAL,
  type ParameterPlans,
  type Parameters,
  parameterTensors,
  type TransformerSizes,
} from "./transformer.ts";

/** Sizes of a masked autoencoder. */
export interface AutoencoderSizes {
  /** Number of rows of patches per image. */
  readonly rows: number;
  /** Number of columns of patches per image. */
  readonly columns: number;
  /** Number of values per patch. */
  readonly patch: number;
  /** Sizes of the encoder, which sees the visible patches. */
  readonly encoder: TransformerSizes;
  /** Sizes of the decoder, which predicts the hidden patches. */
  readonly decoder: TransformerSizes;
}

/** Parameters of a masked autoencoder. @throws {RetortError} naming a size that makes no sense */
export function autoencoderPlans(sizes: AutoencoderSizes): ParameterPlans {
  const { encoder, decoder, patch } = sizes;
  checkSizes(encoder);
  checkSizes(decoder);
  for (const { width } of [encoder, decoder]) {
    if (width % 4 !== 0) {
      throw new RetortError(
        "teacher/options",
        `the width ${width} of a masked autoencoder is not a multiple of 4`,
      );
    }
  }
  return {
    // The same magnitude as the position vectors that are added to it.
    "patch/weight": { shape: [patch, encoder.width], start: { normal: 1 / Math.sqrt(patch) } },
    "patch/bias": { shape: [encoder.width], start: 0 },
    ...encoderPlans(encoder, "encoder/"),
    "bridge/weight": { shape: [encoder.width, decoder.width], start: NORMAL },
    "bridge/bias": { shape: [decoder.width], start: 0 },
    "hidden": { shape: [1, 1, decoder.width], start: NORMAL },
    ...encoderPlans(decoder, "decoder/"),
    "head/weight": { shape: [decoder.width, patch], start: NORMAL },
    "head/bias": { shape: [patch], start: 0 },
  };
}

/**
 * Position vectors of patches, `[rows * columns, width]`: sines and cosines of the row in the first half, of the column
 * in the second.
 */
export function positionVectors(rows: number, columns: number, width: number): Float32Array {
  const out = new Float32Array(rows * columns * width), quarter = width / 4;
  for (let p = 0; p < rows * columns; p++) {
    [Math.floor(p / columns), p % columns].forEach((place, half) => {
      for (let i = 0; i < quarter; i++) {
        const angle = place / 10_000 ** (i / quarter);
        out[p * width + half * 2 * quarter + i] = Math.sin(angle);
        out[p * width + (half * 2 + 1) * quarter + i] = Math.cos(angle);
      }
    });
  }
  return out;
}

/** The encoder's vectors of visible patches, `[batch, visible, width]`. */
function encoded(
  sizes: AutoencoderSizes,
  parameters: Parameters,
  batch: number,
  visible: number,
): SymbolicTensor {
  const { rows, columns, encoder, patch } = sizes;
  const patches = input("visible", [batch * visible, patch]);
  const places = input("visibleAt", [batch * visible], "int64");
  const positions = constant(positionVectors(rows, columns, encoder.width), [rows * columns, encoder.width]);
  const tokens = add(linear(patches, parameters, "patch"), gatherRows(positions, places));
  return encode(reshape(tokens, [batch, visible, encoder.width]), encoder, parameters, "encoder/").out;
}

/** Predictions of the hidden patches, `[batch * hidden, patch]`, and their loss. */
function guessed(
  sizes: AutoencoderSizes,
  parameters: Parameters,
  batch: number,
  visible: number,
): { guesses: SymbolicTensor; loss: SymbolicTensor } {
  const { rows, columns, decoder, patch } = sizes;
  const count = rows * columns, hidden = count - visible;
  const positions = constant(positionVectors(rows, columns, decoder.width), [count, decoder.width]);
  const at = (name: string, n: number) =>
    reshape(gatherRows(positions, input(name, [batch * n], "int64")), [batch, n, decoder.width]);
  const seen = linear(encoded(sizes, parameters, batch, visible), parameters, "bridge");
  // The decoder's position table has another width than the encoder's, so positions are added again.
  const known = add(seen, at("knownAt", visible));
  const unknown = add(
    broadcast(parameters["hidden"]!, [batch, hidden, decoder.width]),
    at("hiddenAt", hidden),
  );
  const { out } = encode(concat([known, unknown], 1), decoder, parameters, "decoder/");
  const guesses = linear(
    reshape(slice(out, 1, visible, count), [batch * hidden, decoder.width]),
    parameters,
    "head",
  );
  const difference = subtract(guesses, input("hidden patches", [batch * hidden, patch]));
  return { guesses, loss: mean(multiply(difference, difference)) };
}

/** Input tensors of a graph. */
type Feed = Record<string, Float32Array | BigInt64Array>;

/**
 * Patches of images, some of them visible, as inputs of the graphs.
 * @param patches `[images, patches, patch size]`
 * @param visible for each image, the visible patches
 */
export function maskedFeed(
  sizes: AutoencoderSizes,
  patches: Float32Array,
  visible: readonly Uint32Array[],
): Feed {
  const count = sizes.rows * sizes.columns, size = sizes.patch;
  const seen = visible[0]!.length, unseen = count - seen;
  const feed = {
    "visible": new Float32Array(visible.length * seen * size),
    "visibleAt": new BigInt64Array(visible.length * seen),
    "hidden patches": new Float32Array(visible.length * unseen * size),
    "hiddenAt": new BigInt64Array(visible.length * unseen),
  };
  visible.forEach((places, image) => {
    const put = (list: Iterable<number>, width: number, values: Float32Array, at: BigInt64Array) => {
      let i = image * width;
      for (const p of list) {
        const from = (image * count + p) * size;
        values.set(patches.subarray(from, from + size), i * size);
        at[i++] = BigInt(p);
      }
    };
    put(places, seen, feed["visible"], feed["visibleAt"]);
    put(hiddenOf(places, count), unseen, feed["hidden patches"], feed["hiddenAt"]);
  });
  return { ...feed, knownAt: feed["visibleAt"] };
}

/** The hidden patches (those not visible), in ascending order. */
export function hiddenOf(visible: Uint32Array, count: number): number[] {
  const seen = new Set(visible);
  return Array.from({ length: count }, (_, p) => p).filter((p) => !seen.has(p));
}

/** A training step on a batch of `batch` images with `visible` visible patches each. */
export function autoencoderStep(
  sizes: AutoencoderSizes,
  batch: number,
  visible: number,
): Promise<TrainingStep> {
  const parameters = parameterTensors(autoencoderPlans(sizes));
  return TrainingStep.compile(guessed(sizes, parameters, batch, visible).loss);
}

/** Predictions and loss without training: outputs `guesses` `[batch * hidden, patch]` and `loss`. */
export function autoencoderGuesses(
  sizes: AutoencoderSizes,
  batch: number,
  visible: number,
): Promise<Program> {
  const { guesses, loss } = guessed(sizes, parameterTensors(autoencoderPlans(sizes)), batch, visible);
  return Program.compile({ guesses, loss });
}

/**
 * The encoder's output at the first visible patch of each image: `features` `[batch, width]`.
 *
 * @param options where it is computed; by the CPU if omitted.
 */
export function autoencoderFeatures(
  sizes: AutoencoderSizes,
  batch: number,
  visible: number,
  options: EngineSessionOptions = {},
): Promise<Program> {
  const out = encoded(sizes, parameterTensors(autoencoderPlans(sizes)), batch, visible);
  return Program.compile({ features: reshape(slice(out, 1, 0, 1), [batch, sizes.encoder.width]) }, options);
}

/** A patch followed by its neighbours: the visible patches when its feature is computed. */
export function neighbourhood({ rows, columns }: AutoencoderSizes, patch: number): Uint32Array {
  const row = Math.floor(patch / columns), column = patch % columns;
  const found = [patch];
  for (let y = Math.max(0, row - 1); y <= Math.min(rows - 1, row + 1); y++) {
    for (let x = Math.max(0, column - 1); x <= Math.min(columns - 1, column + 1); x++) {
      if (y !== row || x !== column) found.push(y * columns + x);
    }
  }
  return Uint32Array.from(found);
}

/**
 * A neighbourhood shifted so that its patch is in the middle of the image. Given these positions, the encoder's feature
 * describes what is in a patch rather than where it is. With fewer than three rows or columns there is no room to shift,
 * and positions are unchanged.
 */
export function centred({ rows, columns }: AutoencoderSizes, neighbours: Uint32Array): Uint32Array {
  if (rows < 3 || columns < 3) return neighbours;
  const [patch = 0] = neighbours;
  const middle = Math.floor(rows / 2) * columns + Math.floor(columns / 2);
  return neighbours.map((p) => p + middle - patch);
}
