import { RandomStream } from "../circuits/random.ts";

/** A random subset of at most `most` of the numbers below `count`, in ascending order. */
export function chooseSome(count: number, most: number, seed: number): Uint32Array {
  if (count <= most) return Uint32Array.from({ length: count }, (_, i) => i);
  return Uint32Array.from(new RandomStream(seed, 0, 0, 0x74726565).permutation(count).slice(0, most)).sort();
}
