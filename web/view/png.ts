import { Buffer } from "node:buffer";
import { crc32, deflateSync } from "node:zlib";
import type { Picture } from "../../datasets/images/pictures.ts";

/** Encodes a picture as a PNG file (https://www.w3.org/TR/png-3/): 8 bits, no filter, one block. */
export function encodePlainPng({ width, height, channels, pixels }: Picture): Uint8Array<ArrayBuffer> {
  const head = new Uint8Array(13);
  const view = new DataView(head.buffer);
  view.setUint32(0, width);
  view.setUint32(4, height);
  head.set([8, channels === 1 ? 0 : 2], 8);
  const stride = width * channels;
  const lines = new Uint8Array(height * (stride + 1)); // Each line begins with its filter: 0, none.
  for (let y = 0; y < height; y++) {
    lines.set(pixels.subarray(y * stride, (y + 1) * stride), y * (stride + 1) + 1);
  }
  const parts = [chunk("IHDR", head), chunk("IDAT", deflateSync(lines)), chunk("IEND", new Uint8Array())];
  const signature = Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a);
  return new Uint8Array(Buffer.concat([signature, ...parts]));
}

function chunk(type: string, data: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(12 + data.length);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, data.length);
  bytes.set(new TextEncoder().encode(type), 4);
  bytes.set(data, 8);
  view.setUint32(8 + data.length, crc32(bytes.subarray(4, 8 + data.length)));
  return bytes;
}

/** Layout of images in an array, and their number. */
export interface ImageLayout {
  readonly count: number;
  readonly height: number;
  readonly width: number;
  readonly channels: 1 | 3;
  /** Whether each image stores its channels one after the other (planar). */
  readonly planes: boolean;
}

/** How bytes of this shape can be displayed as images; undefined if they cannot. */
export function imageLayout(type: string, shape: readonly number[]): ImageLayout | undefined {
  if (type !== "u1") return undefined;
  const small = (n: number) => n >= 2 && n <= 512;
  const channels = (n: number | undefined): n is 1 | 3 => n === 1 || n === 3;
  const [a = 0, b = 0, c = 0, d = 0] = shape;
  if (shape.length === 4) {
    if (channels(d) && small(b) && small(c)) {
      return { count: a, height: b, width: c, channels: d, planes: false };
    }
    if (channels(b) && small(c) && small(d)) {
      return { count: a, height: c, width: d, channels: b, planes: true };
    }
  }
  if (shape.length === 3) {
    if (channels(c) && small(a) && small(b)) {
      return { count: 1, height: a, width: b, channels: c, planes: false };
    }
    if (small(b) && small(c)) return { count: a, height: b, width: c, channels: 1, planes: false };
  }
  return undefined;
}

/** The first images side by side, separated by lines; at most `limit`. */
export function contactSheet(numbers: ArrayLike<number>, layout: ImageLayout, limit = 48): Picture {
  const { height, width, channels, planes } = layout;
  const size = height * width * channels;
  const shown = Math.max(1, Math.min(layout.count, limit, Math.floor(numbers.length / size)));
  const columns = Math.min(shown, Math.max(1, Math.floor(640 / (width + 1)), Math.ceil(Math.sqrt(shown))));
  const rows = Math.ceil(shown / columns);
  const sheet = { width: columns * (width + 1) - 1, height: rows * (height + 1) - 1, channels };
  const pixels = new Uint8Array(sheet.width * sheet.height * channels).fill(128);
  for (let i = 0; i < shown; i++) {
    const top = Math.floor(i / columns) * (height + 1), left = (i % columns) * (width + 1);
    for (let y = 0; y < height; y++) {
      for (let x = 0; x < width; x++) {
        for (let c = 0; c < channels; c++) {
          const from = planes ? (c * height + y) * width + x : (y * width + x) * channels + c;
          pixels[((top + y) * sheet.width + left + x) * channels + c] = numbers[i * size + from] ?? 0;
        }
      }
    }
  }
  return { ...sheet, pixels };
}
