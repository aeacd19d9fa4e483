import { CircuitError } from "../errors.ts";
import { requireObject, requireWhole } from "../guards.ts";

/** Size of an image. Variable `(row * width + column) * channels + channel` holds one channel of one pixel. */
export interface ImageShape {
  /** Rows of pixels. */
  readonly height: number;
  /** Pixels per row. */
  readonly width: number;
  /** Variables per pixel; 1 if omitted. */
  readonly channels?: number;
}

/**
 * A mask `[height, width]` of 0 and 1 that selects the pixels of rows `top .. bottom - 1` and columns `left .. right -
 * 1`.
 * @throws {CircuitError} when the rectangle is not inside the image
 */
export function rectangleMask(
  shape: ImageShape,
  rectangle: {
    readonly top: number;
    readonly left: number;
    readonly bottom: number;
    readonly right: number;
  },
): Uint8Array {
  requireObject("the shape of the image", shape);
  const { height, width } = shape, { top, left, bottom, right } = rectangle;
  requireWhole("height", height, 0);
  requireWhole("width", width, 0);
  requireWhole("top", top, 0, height);
  requireWhole("bottom", bottom, top, height);
  requireWhole("left", left, 0, width);
  requireWhole("right", right, left, width);
  const mask = new Uint8Array(height * width);
  for (let row = top; row < bottom; row++) {
    mask.fill(1, row * width + left, row * width + right);
  }
  return mask;
}

/**
 * The variables of the pixels where `mask`, `[height, width]`, is not 0: the argument of `conditional`, `hideVariables`
 * and other queries about a part of an image (inpainting).
 * @throws {CircuitError} when the mask is not of the shape
 */
export function pixelVariables(shape: ImageShape, mask: ArrayLike<number>): number[] {
  requireObject("the shape of the image", shape);
  const { height, width, channels = 1 } = shape;
  for (const [what, size] of Object.entries({ height, width, channels })) requireWhole(what, size, 0);
  if (mask.length !== height * width) {
    throw new CircuitError(
      "circuit/shape",
      `a mask of ${height} x ${width} pixels has ${height * width} entries; got ${mask.length}`,
    );
  }
  const variables: number[] = [];
  for (let pixel = 0; pixel < mask.length; pixel++) {
    if (mask[pixel] === 0) continue;
    for (let channel = 0; channel < channels; channel++) variables.push(pixel * channels + channel);
  }
  return variables;
}

/**
 * The variables at positions of a text, where variable `t` is position `t`; negative positions count from the end.
 * @throws {CircuitError} for a position outside the text
 */
export function textPositions(length: number, positions: Iterable<number>): number[] {
  requireObject("the positions", positions);
  return [...positions].map((t) => {
    const v = t < 0 ? length + t : t;
    if (Number.isInteger(v) && v >= 0 && v < length) return v;
    throw new CircuitError("circuit/argument", `position ${t} is outside a text of ${length} tokens`);
  });
}
