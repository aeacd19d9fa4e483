import type { Circuit } from "../circuit.ts";
import { requireCircuit, requireSamples, requireWhole } from "../guards.ts";
import { type Samples, sliceSamples } from "../samples.ts";

/** Budget for the activations of one batch, in numbers: 128 MiB of float64. */
const BUDGET = 1 << 24;

/** Samples per evaluator call, chosen so that the values of all nodes fit in memory. */
export function batchSize(circuit: Circuit): number {
  requireCircuit(circuit);
  const units = circuit.nodes.reduce((total, node) => total + node.units, 0);
  return Math.max(1, Math.floor(BUDGET / units));
}

/** Calls `run(batch, first)` for consecutive batches; `first` is the index of the batch's first sample. */
export async function inBatches(
  circuit: Circuit,
  samples: Samples,
  run: (batch: Samples, first: number) => Promise<void>,
): Promise<void> {
  requireCircuit(circuit);
  requireSamples(samples);
  requireWhole("the number of samples", samples.count, 0);
  const size = batchSize(circuit);
  for (let first = 0; first < samples.count; first += size) {
    await run(sliceSamples(samples, first, Math.min(samples.count, first + size)), first);
  }
}
