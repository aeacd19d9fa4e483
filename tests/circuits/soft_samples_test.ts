import assert from "node:assert/strict";
import {
  CircuitBuilder,
  conditional,
  conditionalMean,
  countComplete,
  dropValues,
  Evidence,
  excludeState,
  hideVariables,
  hmm,
  leafMarginals,
  materialise,
  mutualInformation,
  naiveMixture,
  nodeNamed,
  RandomStream,
  ReferenceEvaluator,
  ReferenceLearner,
  type Samples,
  samplesFromRows,
  sliceSamples,
  type SoftEvidence,
  softOf,
  sourceOf,
  startFromData,
  takeSamples,
} from "../../circuits/mod.ts";
import { close, jointTable } from "./truth.ts";
import { mixedSamples } from "./soft_truth.ts";

Deno.test("soft evidence is evidence: what it is about is counted, and nothing that is missing", () => {
  const circuit = hmm({ length: 3, states: 2, symbols: 3 });
  const samples: Samples = {
    count: 1,
    variables: 3,
    values: Int32Array.of(0, 0, 0),
    observed: Uint8Array.of(1, 1, 0),
    soft: new Map([[1, { weights: Float32Array.of(1, 1, 0) }], [2, { weights: Float32Array.of(1, 1, 0) }]]),
  };
  const evidence = Evidence.of(circuit), seen = evidence.seen(samples)!;
  const of = (name: string) => seen[evidence.scopeOf[nodeNamed(circuit, name)]!];
  assert.deepEqual(["z0", "z1", "z2"].map(of), [1, 1, 0]);
});

Deno.test("every function that copies samples carries their soft evidence", async () => {
  const circuit = hmm({ length: 4, states: 2, symbols: 5, seed: 6 });
  const samples = mixedSamples(circuit, 9, 4);
  const same = (got: Samples, index: ArrayLike<number>, what: string) => {
    assert.equal(got.count, index.length, what);
    for (let i = 0; i < got.count; i++) {
      for (let v = 0; v < 4; v++) assert.deepEqual(softOf(got, i, v), softOf(samples, index[i]!, v), what);
    }
  };
  const order = [8, 0, 3, 3];
  same(sliceSamples(samples, 2, 7), [2, 3, 4, 5, 6], "slice");
  same(sliceSamples(samples, 9, 9), [], "empty slice");
  same(takeSamples(samples, order), order, "take");
  same(await sourceOf(samples).read(Uint32Array.from(order)), order, "source");
  const { condition } = excludeState(circuit, [1], 2);
  same(condition(samples), [0, 1, 2, 3, 4, 5, 6, 7, 8], "exclude");
  const batch = { samples, indices: Uint32Array.from({ length: 9 }, (_, s) => s) };
  const kept = dropValues(batch, 0.5, 1, 1).samples;
  let left = 0, before = 0;
  for (let s = 0; s < 9; s++) {
    for (let v = 0; v < 4; v++) {
      const soft = softOf(kept, s, v);
      if (softOf(samples, s, v) !== undefined) before++;
      if (soft === undefined) continue;
      left++;
      assert.deepEqual(soft, softOf(samples, s, v));
    }
  }
  assert.ok(left > 0 && left < before);
  const hidden = hideVariables(samples, [0, 2]);
  for (let s = 0; s < 9; s++) assert.equal(softOf(hidden, s, 0) ?? softOf(hidden, s, 2), undefined);
});

Deno.test("soft evidence that makes no sense is refused, naming sample and variable", async () => {
  const circuit = hmm({ length: 2, states: 2, symbols: 3 }), evaluator = new ReferenceEvaluator(circuit);
  const refuses = async (soft: Partial<SoftEvidence>, message: RegExp, v = 1, observed?: Uint8Array) => {
    await assert.rejects(
      evaluator.logLikelihoods({
        count: 2,
        variables: 2,
        values: new Int32Array(4),
        ...(observed && { observed }),
        soft: new Map([[v, soft as SoftEvidence]]),
      }),
      message,
    );
  };
  const ones = (n: number) => new Float32Array(n).fill(1);
  await refuses({ weights: ones(5) }, /variable 1 .*2 samples of 3 states need 6 weights; got 5/);
  await refuses({ weights: [1, 1, 1, 1, 1, 1] as unknown as Float32Array }, /are a Float32Array, got a list/);
  await refuses({ weights: Float32Array.of(1, 1, 1, 1, -1, 1) }, /sample 1, variable 1 .*is -1/);
  await refuses({ weights: Float32Array.of(NaN, 1, 1, 1, 1, 1) }, /sample 0, variable 1 .*is NaN/);
  await refuses({ weights: Float32Array.of(Infinity, 1, 1, 1, 1, 1) }, /sample 0, variable 1 .*is Infinity/);
  await refuses(
    { weights: ones(4), indices: Int32Array.of(0, 1, 2, 3) },
    /sample 1, .*is 3, expected .*0 to 2/,
  );
  await refuses({ weights: ones(4), indices: Int32Array.of(-1, 1, 2, 0) }, /sample 0, .*is -1, expected/);
  await refuses({ weights: ones(4), indices: Int32Array.of(0, 1, 2, 2) }, /sample 1, .*state 2 stands twice/);
  await refuses({ weights: ones(4), indices: Int32Array.of(0, 1) }, /4 weights and 2 indices/);
  await refuses({ weights: ones(3), indices: Int32Array.of(0, 1, 2) }, /3 weights are not as many for each/);
  await refuses(
    { weights: ones(4), indices: [0, 1, 2, 0] as unknown as Int32Array },
    /indices of soft .*got a list/,
  );
  await refuses({ weights: ones(6), rows: Uint8Array.of(1) }, /`rows` .*of 2 numbers, .*got 1/);
  await refuses({ weights: ones(6) }, /no variable 2/, 2);
  const b = new CircuitBuilder();
  const real = b.build(b.input({ variable: b.real("height"), family: "gaussian", units: 1 }));
  await assert.rejects(
    new ReferenceEvaluator(real).logLikelihoods({
      count: 1,
      variables: 1,
      values: Float64Array.of(0),
      soft: new Map([[0, { weights: Float32Array.of(1) }]]),
    }),
    /variable 0 `height` is real: soft evidence is about states/,
  );
  // What is not read may be anything.
  const unread = {
    count: 2,
    variables: 2,
    values: new Int32Array(4),
    observed: Uint8Array.of(1, 0, 1, 1),
    soft: new Map([[1, { weights: Float32Array.of(NaN, -1, 1, NaN, 1, 1), rows: Uint8Array.of(1, 0) }]]),
  };
  const [first, second] = await evaluator.logLikelihoods(unread);
  assert.deepEqual([first, second], [
    ...await evaluator.logLikelihoods(samplesFromRows([[0, null], [0, 0]])),
  ]);
  assert.throws(
    () => takeSamples({ ...unread, soft: new Map([[1, { weights: ones(5) }]]) }, [0]),
    /soft evidence of variable 1 has no row for each of 2 samples/,
  );
});

Deno.test("counting and mutual information need values; smoothing and starts take soft evidence", async () => {
  const circuit = hmm({ length: 2, states: 2, symbols: 3, seed: 2 });
  const { circuit: made } = materialise(circuit, [nodeNamed(circuit, "z0"), nodeNamed(circuit, "z1")]);
  const soft = new Map([[0, { weights: Float32Array.of(2, 1, 1, 0, 0, 4) }]]);
  const values = Int32Array.of(0, 1, 1, 1);
  await assert.rejects(
    countComplete(
      new ReferenceLearner(made),
      sourceOf({ count: 2, variables: 4, values: new Int32Array(8), soft }),
    ),
    /counting needs values, and sample 0 has soft evidence of variable 0/,
  );
  assert.throws(
    () => mutualInformation(circuit.variables, { count: 2, variables: 2, values, soft }),
    /mutual information needs values, and sample 0/,
  );
  const marginals = await leafMarginals(circuit, sourceOf({ count: 2, variables: 2, values, soft }));
  // One virtual sample a state; 0.5, 0.25, 0.25 and 0, 0, 1; twice state 1.
  assert.deepEqual([...marginals.get("emission")!].map((p) => p * 7), [1.5, 3.25, 2.25]);
  const flat = naiveMixture(circuit.variables, { components: 2, seed: 1 });
  const hardened = { count: 2, variables: 2, values: Int32Array.of(0, 1, 2, 1) };
  assert.deepEqual(
    startFromData(flat, { count: 2, variables: 2, values, soft }, { seed: 1 }).parameters,
    startFromData(flat, hardened, { seed: 1 }).parameters,
  );
});

Deno.test("log-likelihoods of external variables in conditionals: how likely each unit made the sample", async () => {
  const b = new CircuitBuilder({ seed: 5 });
  const patch = b.variable({ kind: "external", name: "patch" }), colour = b.categorical("colour", 3);
  const external = b.input({ variable: patch, family: "external", units: 3 });
  const colours = b.input({ variable: colour, family: "categorical", units: 2 });
  const circuit = b.build(
    b.sum([b.product([b.sum([external], { units: 2 }), colours])], { units: 1 }),
  );
  const random = new RandomStream(3);
  const logs = Float32Array.from({ length: 12 }, () => -3 * random.uniform());
  logs[4] = -Infinity;
  const samples: Samples = {
    count: 4,
    variables: 2,
    values: Float64Array.of(NaN, 2, NaN, 0, NaN, 1, NaN, 1),
    observed: Uint8Array.of(1, 1, 1, 1, 0, 1, 1, 0),
    externals: new Map([[patch, logs]]),
  };
  // The unit as a variable: the external leaf is an indicator of it, its likelihoods soft evidence.
  const c = new CircuitBuilder();
  const unit = c.categorical("unit", 3), other = c.categorical("colour", 3);
  const copy = (id: string) => [...circuit.parameters.get(id)!.values];
  const [inner, outer] = circuit.nodes.filter((node) => node.kind === "sum").map((node) =>
    copy(node.parameter)
  );
  const [leaf] = circuit.nodes.flatMap((node) => node.kind === "input" ? node.parameter ?? [] : []);
  const units = c.input({ variable: unit, family: "indicator", units: 3, settings: { values: [0, 1, 2] } });
  const truth = c.build(
    c.sum([
      c.product([
        c.sum([units], { units: 2, weights: inner! }),
        c.input({ variable: other, family: "categorical", units: 2, parameter: copy(leaf!) }),
      ]),
    ], { units: 1, weights: outer! }),
  );
  const joint = jointTable(truth);
  const evaluator = new ReferenceEvaluator(circuit);
  const rows = await conditional(evaluator, samples, [patch, colour]);
  const means = await conditionalMean(evaluator, samples, [patch, colour]);
  for (let s = 0; s < 4; s++) {
    const lambda = (x: number[]) => s === 2 ? 1 : Math.exp(logs[3 * s + x[0]!]!);
    const total = joint.reduce((sum, { x, p }) => sum + p * lambda(x), 0);
    let mean = 0;
    for (let k = 0; k < 3; k++) {
      const of = (v: number) =>
        joint.reduce((sum, { x, p }) => x[v] === k ? sum + p * lambda(x) : sum, 0) / total;
      assert.ok(close(rows.get(patch)![3 * s + k]!, of(0), 1e-6));
      assert.ok(close(rows.get(colour)![3 * s + k]!, of(1), 1e-6));
      mean += k * of(0);
    }
    assert.ok(close(means.get(patch)![s]!, mean, 1e-6));
  }
});
