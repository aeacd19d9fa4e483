/** Plain data of a wrong kind, as text files and JSON bring them: refused in words for people, never read as a number. */
import assert from "node:assert/strict";
import {
  CircuitBuilder,
  CircuitError,
  EmTraining,
  expectedStatistics,
  hmm,
  logLikelihood,
  marginal,
  nodeOf,
  parseJpc,
  parsePsdd,
  parseUai,
  ReferenceEvaluator,
  ReferenceLearner,
  type Samples,
  samplesFromRows,
  sourceOf,
  type UpdateRule,
  withParameters,
} from "../../circuits/mod.ts";

const model = hmm({ length: 2, states: 2, symbols: 3, seed: 1 });
const rows = samplesFromRows([[0, 1]]), evaluator = new ReferenceEvaluator(model);

/** A value of any kind where the type says another. */
// deno-lint-ignore no-explicit-any
const odd = (x: unknown): any => x;

Deno.test("rows hold numbers and null: an empty field is not 0", () => {
  for (const x of ["", "3", "x", true, undefined, [], {}]) {
    assert.throws(
      () => samplesFromRows([[1, 2], [3, odd(x)]]),
      /row 1, column 1: expected a number or null, got/,
    );
  }
  // deno-lint-ignore no-sparse-arrays
  assert.throws(
    () => samplesFromRows([odd([1, , 2])]),
    /row 0, column 1: expected a number or null, got undefined/,
  );
  for (const x of [undefined, null, "1,2", 5]) {
    assert.throws(() => samplesFromRows(odd(x)), CircuitError);
    assert.throws(() => samplesFromRows([[1], odd(x)]), CircuitError);
  }
});

Deno.test("an update of a kind that does not exist is none", async () => {
  for (
    const step of [undefined, null, "em", {}, { kind: "EM" }, { kind: "inertia" }, {
      kind: "anemone",
      step: null,
    }]
  ) {
    const learner = new ReferenceLearner(model);
    await learner.accumulate(rows);
    await assert.rejects(learner.update({ step: odd(step) }), CircuitError, JSON.stringify(step));
    if (step === undefined) continue;
    assert.throws(
      () => new EmTraining(learner, { train: sourceOf(rows) }, { epochs: 1, batchSize: 1, step: odd(step) }),
      CircuitError,
      JSON.stringify(step),
    );
  }
  const rule: UpdateRule = { step: { kind: "em" }, sums: { pseudocount: odd("1") } };
  await assert.rejects(new ReferenceLearner(model).update(rule), /pseudocount of parameter .* is 1/);
});

Deno.test("lists, texts and samples are what they are called", async () => {
  for (const x of [undefined, null, 5, "0.5,0.5", {}]) {
    const b = new CircuitBuilder();
    assert.throws(() => b.parameter("p", [1, 2], odd(x)), CircuitError);
    assert.throws(() => b.parameter("p", odd(x), [1, 2]), CircuitError);
    assert.throws(() => b.sum(odd(x), { units: 1 }), CircuitError);
    assert.throws(() => b.product(odd(x)), CircuitError);
    assert.throws(() => withParameters(model, new Map([["initial", odd(x)]])), CircuitError);
    if (x !== undefined) await assert.rejects(expectedStatistics(evaluator, rows, odd(x)), CircuitError);
  }
  await assert.rejects(expectedStatistics(evaluator, rows, odd(["1"])), /weight of sample 0 is 1/);
  await assert.rejects(logLikelihood(evaluator, odd("samples") as Samples), CircuitError);
  assert.throws(() => marginal(evaluator, rows, odd(["1"])), /no variable the string "1"/);
  assert.throws(() => nodeOf(model, odd("1")), /no node the string "1"/);
  for (const values of [[0, 1], ["0", "1"]]) {
    await assert.rejects(
      logLikelihood(evaluator, { count: 1, variables: 2, values: odd(values) }),
      /typed array/,
    );
  }
  for (const options of [{ dropout: "0.1" }, { stateDropout: "0.1" }, { tolerance: null }]) {
    assert.throws(
      () =>
        new EmTraining(new ReferenceLearner(model), { train: sourceOf(rows) }, {
          epochs: 1,
          batchSize: 1,
          ...odd(options),
        }),
      CircuitError,
    );
  }
  for (const x of [undefined, null, 5, ["psdd 1"]]) {
    for (const parse of [parsePsdd, parseJpc, parseUai]) {
      assert.throws(() => parse(odd(x)), /a model file: expected a string, got/);
    }
  }
});
