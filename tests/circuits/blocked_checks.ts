import * as circuits from "../../circuits/mod.ts";
import type { Check } from "./wrong_numbers.ts";

const counted = { length: 1, symbols: 2, blocks: [{ states: 1, symbols: [0, 1] }], backoff: 1 };
const blocked = (options: Partial<circuits.BlockedHmmOptions>) =>
  circuits.blockedHmm({ length: 2, symbols: 2, blocks: [{ states: 2, symbols: [0, 1] }], ...options });
const learner = () => new circuits.ReferenceLearner(blocked({ backoff: 1 }));
const rows = circuits.samplesFromRows([[0, 1], [1, null]]);
const counts = async () => (await learner().flows(rows));

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
      const { weights, statistics } = await counts();
      circuits.stepPartByLevels(blocked({ backoff: 1 }), [new Map([...weights, ...statistics])], { within });
    }],
  ],
};
