import { requireWhole } from "../guards.ts";
import { RandomStream } from "../random.ts";
import { SHUFFLE } from "./purposes.ts";

/**
 * The order of the samples in an epoch, a function of seed and epoch alone. With a `block`, runs of that many neighbours
 * stay together (in random order within a run), which suits reading from disk.
 */
export function shuffled(count: number, seed: number, epoch: number, block = 1): Uint32Array {
  requireWhole("the number of samples", count, 0);
  requireWhole("epoch", epoch, 0);
  requireWhole("block", block, 1);
  const random = new RandomStream(seed, epoch, 0, SHUFFLE);
  const order = new Uint32Array(count);
  let filled = 0;
  for (const b of random.permutation(Math.ceil(count / block))) {
    const from = b * block;
    for (const i of random.permutation(Math.min(block, count - from))) order[filled++] = from + i;
  }
  return order;
}
