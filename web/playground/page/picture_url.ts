/// <reference lib="dom" />
import type { Picture } from "../../../datasets/images/pictures.ts";

/** A picture as an address for an image. */
export function pictureUrl({ width, height, channels, pixels }: Picture): string {
  const canvas = document.createElement("canvas");
  Object.assign(canvas, { width, height });
  const data = new ImageData(width, height);
  for (let i = 0; i < width * height; i++) {
    for (let c = 0; c < 3; c++) data.data[4 * i + c] = pixels[channels * i + (channels === 3 ? c : 0)]!;
    data.data[4 * i + 3] = 255;
  }
  canvas.getContext("2d")!.putImageData(data, 0, 0);
  return canvas.toDataURL();
}
