import { philox } from "../random.ts";
import { requireNumber, requireSeed, requireWhole } from "../guards.ts";
import { isObserved } from "../samples.ts";
import type { Batch } from "./source.ts";
import { DROPOUT } from "./purposes.ts";

/**
 * Hides every observed value with probability `rate`, independently: training with missing values, also called token
 * dropout. What is hidden in a sample is a function of the seed, the epoch and the sample's index in the source,
 * independent of its batch.
 */
export function dropValues(batch: Batch, rate: number, seed: number, epoch: number): Batch {
  requireNumber("the rate of dropout", rate, 0, 1);
  requireSeed(seed);
  requireWhole("epoch", epoch, 0);
  if (rate === 0) return batch;
  const { samples, indices } = batch;
  const { count, variables } = samples;
  const observed = new Uint8Array(count * variables);
  const key = [seed >>> 0, Math.floor(seed / 0x100000000)] as const;
  const limit = rate * 0x100000000;
  for (let s = 0; s < count; s++) {
    for (let v = 0; v < variables; v += 4) {
      const words = philox([v >>> 2, indices[s] as number, epoch, DROPOUT], key);
      for (let i = v; i < Math.min(v + 4, variables); i++) {
        if ((words[i - v] as number) >= limit && isObserved(samples, s, i)) observed[s * variables + i] = 1;
      }
    }
  }
  return { ...batch, samples: { ...samples, observed } };
}
