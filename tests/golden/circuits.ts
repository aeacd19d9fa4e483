/** Small circuits and samples that golden files are made of. */
import {
  categoricalVariables,
  type Circuit,
  CircuitBuilder,
  hclt,
  hmm,
  maximumSpanningTree,
  RandomStream,
  type Samples,
  samplesFromRows,
  type UpdateRule,
} from "../../circuits/mod.ts";
import { drawRows, everyFamily } from "../circuits/leaf_examples.ts";
import { mixedCircuit, randomBatch } from "../circuits/learner_conformance.ts";

/** A circuit with samples of which some values are missing. */
export interface GoldenCase {
  readonly name: string;
  readonly circuit: Circuit;
  readonly samples: Samples;
}

function chain(count: number) {
  const weights = new Float64Array(count * count);
  for (let i = 1; i < count; i++) weights[i * count + i - 1] = weights[(i - 1) * count + i] = i;
  return maximumSpanningTree(weights, count);
}

/** Indicators and an external variable beside leaves of real values, under a sum that cuts them in blocks. */
function assembled(): Circuit {
  const b = new CircuitBuilder({ seed: 8 });
  const [x, y, z] = [b.categorical("x", 3), b.external("y"), b.real("z")];
  const both = b.product([
    b.input({ variable: x, family: "indicator", units: 4, settings: { values: [0, 2, 1, 2] } }),
    b.input({ variable: y, family: "external", units: 4 }),
  ]);
  const mixed = b.sum([both], { units: 4, groups: 2 });
  return b.build(
    b.sum([b.product([mixed, b.input({ variable: z, family: "gaussian", units: 4 })])], { units: 1 }),
  );
}

/** Every leaf family and kernel. */
export function goldenCases(): GoldenCase[] {
  const plain = (name: string, circuit: Circuit, count = 12): GoldenCase => ({
    name,
    circuit,
    samples: samplesFromRows(randomBatch(circuit, count, 5)),
  });
  const circuit = assembled(), rows = randomBatch(circuit, 12, 5).map((row) => [row[0]!, 0, row[2]!]);
  const random = new RandomStream(4, 2);
  return [
    plain("mixed", mixedCircuit()),
    plain("hmm", hmm({ length: 6, states: 4, symbols: 5, seed: 1 })),
    plain("tree", hclt(categoricalVariables(6, 3), chain(6), { latents: 4, seed: 2 })),
    {
      name: "assembled",
      circuit,
      samples: {
        ...samplesFromRows(rows),
        externals: new Map([[1, Float32Array.from({ length: 48 }, () => -20 * random.uniform())]]),
      },
    },
    { name: "families", circuit: everyFamily(), samples: samplesFromRows(drawRows(new RandomStream(5), 12)) },
  ];
}

/** Every update rule. */
export const goldenRules: Readonly<Record<UpdateRule["step"]["kind"], UpdateRule>> = {
  em: { step: { kind: "em" }, sums: { pseudocount: 0.5, mix: 0.01 }, leaves: { pseudocount: 0.1 } },
  inertia: { step: { kind: "inertia", inertia: 0.75 }, sums: { pseudocount: 0.1 } },
  anemone: { step: { kind: "anemone", step: 0.3 }, leaves: { pseudocount: 0.1 } },
};
