import { RandomStream } from "../../../circuits/mod.ts";
import { type ImageSet, plainSpace } from "../../../datasets/images/mod.ts";

/**
 * Grey images of 4x4 pixels and 4 levels that have something to be learned: four patches of 2x2, each of one of
 * three looks, neighbours mostly alike, with noise.
 */
export function toyImages(count: number, seed: number): ImageSet {
  const looks = [[0, 0, 3, 3], [3, 0, 0, 3], [1, 2, 1, 2]];
  const pixels = new Uint8Array(count * 16);
  for (let i = 0; i < count; i++) {
    const random = new RandomStream(seed, i);
    let look = random.integer(3);
    for (let p = 0; p < 4; p++) {
      if (random.uniform() < 0.3) look = random.integer(3);
      for (let v = 0; v < 4; v++) {
        const row = (p >> 1) * 2 + (v >> 1), column = (p & 1) * 2 + (v & 1);
        pixels[i * 16 + row * 4 + column] = random.uniform() < 0.15 ? random.integer(4) : looks[look]![v]!;
      }
    }
  }
  return { space: { ...plainSpace(4, 4, 1), levels: [4] }, count, pixels };
}
