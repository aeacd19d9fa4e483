/** Sums over very many pieces, and products of narrow blocks of wide rows: values, counts and how large their graphs are. */
import assert from "node:assert/strict";
import { InferenceSession, Tensor } from "onnxruntime-node";
import {
  categoricalVariables,
  type Circuit,
  CircuitBuilder,
  type Learner,
  mixture,
  mixtureOfUnits,
  naiveMixture,
  type NodeId,
  ReferenceLearner,
  samplesFromRows,
  stack,
} from "../../circuits/mod.ts";
import { CpuEngine } from "../../kernels/cpu/engine.ts";
import { segmentsOf } from "../../kernels/cpu/segments.ts";
import { exportOnnx, planOf } from "../../kernels/mod.ts";

/** A hidden Markov model whose emissions are mixtures of two units of a state's own: a block-diagonal sum in every step. */
function mixedEmissions(states: number, length: number, family: "categorical" | "gaussian"): Circuit {
  const b = new CircuitBuilder({ seed: 3 });
  let after: NodeId | undefined;
  for (let t = 0; t < length; t++) {
    const variable = family === "gaussian" ? b.real(`x${t}`) : b.categorical(`x${t}`, 5);
    const again = t > 0;
    const leaf = b.input({
      variable,
      family,
      units: 2 * states,
      ...(again ? { parameter: "leaf" } : { id: "leaf" }),
    });
    const mixed = b.sum([leaf], {
      units: states,
      groups: states,
      ...(again ? { weights: "mix" } : { id: "mix" }),
    });
    if (after === undefined) after = mixed;
    else {
      const next = b.sum([after], { units: states, ...(t > 1 ? { weights: "next" } : { id: "next" }) });
      after = b.product([mixed, next]);
    }
  }
  return b.build(b.sum([after as NodeId], { units: 1 }));
}

const variables = categoricalVariables(4, 5);
const parts = (count: number) =>
  Array.from({ length: count }, (_, seed) => naiveMixture(variables, { components: 3, seed }));
const rows = [[0, 1, 2, 3], [4, null, 0, 1], [null, null, null, null], [2, 2, null, 2], [null, 4, 4, null]];

const cases: Readonly<Record<string, Circuit>> = {
  "emissions of 24 mixtures": mixedEmissions(24, 4, "categorical"),
  "real emissions of 24 mixtures": mixedEmissions(24, 4, "gaussian"),
  "a mixture of 12 circuits": mixture(parts(12)),
  "a mixture of the units of 12 stacked circuits": mixtureOfUnits(stack(parts(12))),
};

async function learn(learner: Learner) {
  try {
    const { logLikelihoods } = await learner.accumulate(samplesFromRows(rows), [1, 2, 1, 0.5, 3]);
    await learner.update({ step: { kind: "em" } });
    return { logLikelihoods, parameters: await learner.parameters() };
  } finally {
    await learner.close();
  }
}

for (const [name, circuit] of Object.entries(cases)) {
  Deno.test(`${name}: the engine and exports agree with the reference`, async () => {
    const [wanted, found] = [
      await learn(new ReferenceLearner(circuit)),
      await learn(new CpuEngine(circuit, { threads: 1 })),
    ];
    const near = (a: number, b: number, what: string) =>
      assert.ok(Math.abs(a - b) < 1e-5, `${what}: ${a}, ${b}`);
    wanted.logLikelihoods.forEach((log, s) => near(found.logLikelihoods[s]!, log, `sample ${s}`));
    for (const [id, values] of wanted.parameters) {
      values.forEach((value, i) => near(found.parameters.get(id)![i]!, value, `${id} ${i}`));
    }
    const session = await InferenceSession.create(exportOnnx(circuit, { type: "float64" }));
    const given = Float64Array.from(rows.flat(), (x) => x ?? NaN);
    const { log_likelihoods: logs } = await session.run({
      values: new Tensor("float64", given, [rows.length, 4]),
    });
    wanted.logLikelihoods.forEach((log, s) => near(Number(logs!.data[s]), log, `exported sample ${s}`));
  });
}

Deno.test("operands grow in number with the steps of a chain, not with the groups of its sums", () => {
  const operands = (states: number) => {
    const { segments } = segmentsOf(planOf(mixedEmissions(states, 4, "categorical")));
    return segments.flatMap((segment) => segment.operands.flatMap((operand) => operand.parts)).length;
  };
  assert.equal(operands(256), operands(16));
});
