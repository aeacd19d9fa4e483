/** Hidden pixels of an image: `[height, width]`, 1 where hidden. */
export type Mask = Uint8Array;

/** Image size in pixels. */
export interface PixelSize {
  readonly height: number;
  readonly width: number;
}

function maskWhere({ height, width }: PixelSize, hidden: (row: number, column: number) => boolean): Mask {
  return Uint8Array.from(
    { length: height * width },
    (_, i) => hidden(Math.floor(i / width), i % width) ? 1 : 0,
  );
}

/** A mask that hides nothing. */
export function noMask(shape: PixelSize): Mask {
  return maskWhere(shape, () => false);
}

/** Predefined masks by name. */
export const MASKS = {
  centre: (shape: PixelSize) => {
    const { height, width } = shape;
    const [h, w] = [Math.floor(height / 4), Math.floor(width / 4)];
    return maskWhere(
      shape,
      (row, column) => row >= h && row < height - h && column >= w && column < width - w,
    );
  },
  left: (shape: PixelSize) => maskWhere(shape, (_, column) => column < shape.width >> 1),
  bottom: (shape: PixelSize) => maskWhere(shape, (row) => row >= shape.height >> 1),
  half: (shape: PixelSize) => maskWhere(shape, () => Math.random() < 0.5),
  all: (shape: PixelSize) => maskWhere(shape, () => true),
} as const;

/** The mask with a square of `size` pixels around a pixel hidden or shown. */
export function painted(
  mask: Mask,
  shape: PixelSize,
  pixel: { row: number; column: number },
  size: number,
  hidden: boolean,
): Mask {
  const out = mask.slice();
  const top = pixel.row - (size >> 1), left = pixel.column - (size >> 1);
  for (let row = Math.max(0, top); row < Math.min(shape.height, top + size); row++) {
    for (let column = Math.max(0, left); column < Math.min(shape.width, left + size); column++) {
      out[row * shape.width + column] = hidden ? 1 : 0;
    }
  }
  return out;
}

/** Decodes a text from {@link encodeMask} to a mask of this shape; undefined for other texts. */
export function decodeMask(text: string, { height, width }: PixelSize): Mask | undefined {
  try {
    const bytes = atob(text.replaceAll("-", "+").replaceAll("_", "/"));
    if (bytes.length !== Math.ceil(height * width / 8)) return undefined;
    return Uint8Array.from({ length: height * width }, (_, i) => bytes.charCodeAt(i >> 3) >> (i & 7) & 1);
  } catch {
    return undefined;
  }
}

/** Encodes a mask as the server expects it: one bit per pixel, lowest bit of each byte first, in base64url. */
export function encodeMask(mask: Mask): string {
  const bytes = new Uint8Array(Math.ceil(mask.length / 8));
  mask.forEach((bit, i) => bytes[i >> 3]! |= bit << (i & 7));
  return btoa(String.fromCharCode(...bytes)).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}
