import { categoricalVariables, type Circuit, hmm, mutualInformation } from "../../circuits/mod.ts";
import { openEngine } from "../../kernels/open.ts";
import { RULE, treeCircuit, uniformSamples } from "../circuits/model.ts";
import { workOf } from "../measure.ts";
import type { Growing } from "./growing.ts";

/** Processor milliseconds of an engine: to open it, and to learn from a batch once it is warm. */
async function learning(circuit: Circuit, count: number, symbols: number) {
  const samples = uniformSamples(count, circuit.variables.length, symbols);
  const opening = await workOf(async () => (await openEngine(circuit, { engine: "cpu" })).close());
  await using engine = await openEngine(circuit, { engine: "cpu" });
  const step = async () => {
    await engine.accumulate(samples);
    await engine.update(RULE);
  };
  await step(); // Loads graphs and touches memory for the first time.
  return { opened: opening.core, step: (await workOf(step)).core };
}

/** The products of an HMM's step are of matrices of states x states. */
export const STATES: Growing<"a step of EM of an HMM"> = {
  unit: "states",
  sizes: [128, 256, 512, 1024, 2048],
  bounds: { "a step of EM of an HMM": 2 },
  async costs(states) {
    const { step } = await learning(hmm({ length: 8, states, symbols: 256, seed: 1 }), 128, 256);
    return { "a step of EM of an HMM": step };
  },
};

/** More samples are more of the same work. */
export const SEQUENCES: Growing<"a step of EM of an HMM"> = {
  unit: "sequences",
  sizes: [256, 512, 1024, 2048, 4096],
  bounds: { "a step of EM of an HMM": 1 },
  async costs(count) {
    const { step } = await learning(hmm({ length: 16, states: 64, symbols: 256, seed: 1 }), count, 256);
    return { "a step of EM of an HMM": step };
  },
};

/** A longer chain has more of the same layers. */
export const LENGTHS: Growing<"an HMM's engine opened" | "a step of EM of an HMM"> = {
  unit: "variables of a chain",
  sizes: [16, 32, 64, 128, 256],
  bounds: { "an HMM's engine opened": 1, "a step of EM of an HMM": 1 },
  async costs(length) {
    const { opened, step } = await learning(hmm({ length, states: 64, symbols: 256, seed: 1 }), 128, 256);
    return { "an HMM's engine opened": opened, "a step of EM of an HMM": step };
  },
};

/** A tree over more variables has more of the same nodes. */
export const VARIABLES: Growing<"a tree's engine opened" | "a step of EM of a tree"> = {
  unit: "variables of a tree",
  sizes: [49, 100, 196, 400, 784],
  bounds: { "a tree's engine opened": 1, "a step of EM of a tree": 1 },
  async costs(variables) {
    const size = { side: Math.round(Math.sqrt(variables)), states: 16, latents: 16, batch: 256 };
    const { opened, step } = await learning(treeCircuit(size), size.batch, size.states);
    return { "a tree's engine opened": opened, "a step of EM of a tree": step };
  },
};

/** Chow and Liu's tree asks every pair of variables. */
export const PAIRS: Growing<"mutual information"> = {
  unit: "variables",
  sizes: [32, 64, 128, 256, 512],
  bounds: { "mutual information": 2 },
  async costs(variables) {
    const samples = uniformSamples(256, variables, 8);
    const { core } = await workOf(() => mutualInformation(categoricalVariables(variables, 8), samples));
    return { "mutual information": core };
  },
};
