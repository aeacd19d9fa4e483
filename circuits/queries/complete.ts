import type { Learner } from "../learner.ts";
import { conditionalMean } from "./conditional.ts";
import { sampleMissing } from "./sampling.ts";
import { isObserved, type Samples, takeSamples } from "../samples.ts";

/** A distribution that fills in what is missing: what those who score and show images need of a model. */
export interface CompletionModel {
  /** Log-likelihoods of the observed values in nats, `[samples]`. */
  logLikelihoods(samples: Samples): Promise<Float64Array>;
  /** Samples the missing values given the observed ones; independent draws of one sample are consecutive. */
  complete(samples: Samples, options: { seed: number; draws?: number }): Promise<Samples>;
  /** Expected values of the missing values given the observed ones, `[samples, variables]`. */
  means(samples: Samples): Promise<Float64Array>;
  /** Frees its resources. */
  close(): Promise<void>;
}

/** Queries on a learner. */
export function completionModel(learner: Learner): CompletionModel {
  return {
    logLikelihoods: (samples) => learner.logLikelihoods(samples),
    complete: (samples, options) => sampleMissing(learner, samples, options),
    means: (samples) => meansOfMissing(learner, samples),
    close: () => learner.close(),
  };
}

/** Samples with the same missing values are queried together. */
async function meansOfMissing(learner: Learner, samples: Samples): Promise<Float64Array> {
  const { count, variables, values, observed } = samples;
  const out = Float64Array.from(values);
  const groups = new Map<string, number[]>();
  for (let s = 0; s < count; s++) {
    const mask = observed?.subarray(s * variables, (s + 1) * variables).join("") ?? "";
    groups.set(mask, [...groups.get(mask) ?? [], s]);
  }
  for (const rows of groups.values()) {
    const some = takeSamples(samples, rows);
    const missing = Array.from({ length: variables }, (_, v) => v).filter((v) => !isObserved(some, 0, v));
    if (missing.length === 0) continue;
    for (const [v, means] of await conditionalMean(learner, some, missing)) {
      means.forEach((mean, i) => out[rows[i]! * variables + v] = mean);
    }
  }
  return out;
}
