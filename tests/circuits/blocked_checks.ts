import * as circuits from "../../circuits/mod.ts";
import type { Check } from "./wrong_numbers.ts";

const counted = { length: 1, symbols: 2, blocks: [{ states: 1, symbols: [0, 1] }], backoff: 1 };
const blocked = (options: Partial<circuits.BlockedHmmOptions>) =>
  circuits.blockedHmm({ length: 2, symbols: 2, blocks: [{ states: 2, symbols: [0, 1] }], ...options });
const learner = () => new circuits.ReferenceLearner(blocked({ backoff: 1 }));
const rows = circuits.samplesFromRows([[0, 1], [1, null]]);
const counts = async () =>
  (await circuits.countShard(learner(), circuits.sourceOf(rows), {
    shard: 0,
    shards: 1,
    parts: 1,
    batchSize: 2,
  }))
    .parts;

/** Calls with wrong numbers of what makes, counts and learns blocked HMMs. */
export const BLOCKED_CHECKS: Readonly<Record<string, readonly Check[]>> = {
  BlockedHmmCounts: [["whole", (symbol) => new circuits.BlockedHmmCounts(counted).add([symbol], [0], 1)]],
  BlockedHmmLearner: [
    ["number", (within) => new circuits.BlockedHmmLearner(learner(), { within })],
    ["weight", (weight) => new circuits.BlockedHmmLearner(learner()).accumulate(rows, [1, weight])],
  ],
  blockedHmm: [
    ["positive", (length) => blocked({ length })],
    ["whole", (backoff) => blocked({ backoff })],
    ["seed", (seed) => blocked({ seed })],
  ],
  stepPartByLevels: [
    ["number", async (within) => {
      circuits.stepPartByLevels(blocked({ backoff: 1 }), await counts(), { within });
    }],
  ],
};
