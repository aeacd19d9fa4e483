import {
  categoricalVariables,
  type Circuit,
  hclt,
  maximumSpanningTree,
  RandomStream,
  type Samples,
  type UpdateRule,
  type VariableTree,
} from "../../circuits/mod.ts";

/** The M-step of mini-batch EM. */
export const RULE: UpdateRule = {
  step: { kind: "inertia", inertia: 0.9 },
  sums: { pseudocount: 0.1 },
  leaves: { pseudocount: 0.1 },
};

/** Median seconds of a step of EM. */
export interface StepSeconds {
  readonly wall: number;
  /** Of processor time, of all threads: less in doubt when other programs keep the cores busy. */
  readonly core: number;
}

/** Samples of equally likely values. */
export function uniformSamples(count: number, variables: number, states: number): Samples {
  const random = new RandomStream(1);
  return {
    count,
    variables,
    values: Int32Array.from({ length: count * variables }, () => random.integer(states)),
  };
}

/** Sizes of a hidden Chow-Liu tree. */
export interface TreeSize {
  /** Pixels of a side of the image: a variable each. */
  readonly side: number;
  /** States of a variable. */
  readonly states: number;
  /** States of a hidden variable. */
  readonly latents: number;
  /** Samples a step. */
  readonly batch: number;
}

/** A tree over the pixels of an image that joins neighbours by chance, as those of real images mostly do; from its centre. */
export function imageTree({ side }: TreeSize): VariableTree {
  const random = new RandomStream(1), variables = side ** 2;
  const weights = new Float64Array(variables ** 2);
  const join = (a: number, b: number) => {
    weights[a * variables + b] = weights[b * variables + a] = 1 + random.uniform();
  };
  for (let v = 0; v < variables; v++) {
    if (v % side + 1 < side) join(v, v + 1);
    if (v + side < variables) join(v, v + side);
  }
  return maximumSpanningTree(weights, variables);
}

/** The hidden Chow-Liu tree of an {@link imageTree}. */
export function treeCircuit(size: TreeSize): Circuit {
  return hclt(categoricalVariables(size.side ** 2, size.states), imageTree(size), {
    latents: size.latents,
    seed: 1,
  });
}
