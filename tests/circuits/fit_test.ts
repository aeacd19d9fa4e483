import assert from "node:assert/strict";
import fc from "fast-check";
import {
  categoricalVariables,
  CircuitError,
  EmTraining,
  fit,
  type FitOptions,
  hcltFromSamples,
  hmm,
  ReferenceEvaluator,
  ReferenceLearner,
  sample,
  samplesFromRows,
  sourceOf,
  takeSource,
  type TrainingState,
  windowsOf,
} from "../../circuits/mod.ts";
import { holds } from "../property.ts";

const truth = hmm({
  length: 6,
  states: 2,
  symbols: 3,
  initial: [0.5, 0.5],
  transition: [[0.9, 0.1], [0.2, 0.8]],
  emission: [[0.8, 0.1, 0.1], [0.1, 0.1, 0.8]],
});
const rows = await sample(new ReferenceEvaluator(truth), 200, { seed: 1 });
const start = hmm({ length: 6, states: 2, symbols: 3, seed: 5 });
const learner = () => new ReferenceLearner(start);

Deno.test("fit is EmTraining with its own defaults: the same parameters and reports", async () => {
  const fitted = await fit(learner(), rows, { epochs: 4, seed: 3 });
  const training = new EmTraining(learner(), { train: sourceOf(rows) }, {
    epochs: 4,
    batchSize: 256,
    batchesPerUpdate: "auto",
    step: { kind: "anemone", step: { from: 0.5, to: 0.05 } },
    smoothing: { sums: { pseudocount: 0.1 }, leaves: { pseudocount: 0.1 } },
    patience: 2,
    tolerance: 0.001,
    seed: 3,
  });
  const reports = await Array.fromAsync(training);
  assert.deepEqual(fitted.log.epochs, reports);
  assert.equal(fitted.log.converged, null, "nothing was there to tell");
  assert.deepEqual(fitted.circuit.parameters, (await training.result()).parameters);
});

Deno.test("the share for validation is drawn by the seed, kept from learning, and chooses the epoch", async () => {
  const read: number[] = [], all = sourceOf(rows);
  const watched = { ...all, read: (indices: Uint32Array) => (read.push(...indices), all.read(indices)) };
  const engine = learner();
  const { circuit, log } = await fit(engine, watched, { epochs: 30, valid: 0.25, seed: 1 });
  assert.equal(log.epochs[0]!.valid!.samples, 50);
  assert.ok(log.converged, "the validation rows ended it");
  const best = Math.max(...log.epochs.map(({ valid }) => valid!.logLikelihood));
  const kept = log.epochs.find(({ epoch }) => epoch === log.bestEpoch)!.valid!.logLikelihood;
  assert.ok(kept > best - 0.001 && kept > log.epochs[0]!.valid!.logLikelihood + 0.1);
  assert.deepEqual(
    await engine.parameters(),
    new Map([...circuit.parameters].map(([id, p]) => [id, p.values])),
  );
  // Every epoch but the first, which scores only, reads all 200 once: 150 to learn from, 50 to validate on.
  assert.deepEqual(new Set(read).size, 200);
  const again = await fit(learner(), rows, { epochs: 30, valid: 0.25, seed: 1 });
  assert.deepEqual(again.circuit.parameters, circuit.parameters);
  const other = await fit(learner(), rows, { epochs: 1, valid: 0.25, seed: 2 });
  assert.notDeepEqual(other.log.epochs[0], log.epochs[0], "another seed holds others back");
});

Deno.test("a part of a source is its samples at those indices, with their weights", async (test) => {
  const weights = Array.from({ length: 200 }, (_, s) => s / 7);
  const source = { ...sourceOf(rows, weights), notes: { a: "b" } };
  await holds(
    test,
    fc.asyncProperty(fc.uniqueArray(fc.nat(199)), fc.infiniteStream(fc.nat()), async (indices, more) => {
      const part = takeSource(source, Uint32Array.from(indices));
      assert.equal(part.count, indices.length);
      assert.deepEqual(part.notes, source.notes);
      if (indices.length === 0) return;
      const chosen = [...more.take(5)].map((i) => i % indices.length);
      const got = await part.read(Uint32Array.from(chosen));
      const wanted = await source.read(Uint32Array.from(chosen, (i) => indices[i]!));
      assert.deepEqual(got, wanted);
      chosen.forEach((i) => assert.equal(part.weights![i], weights[indices[i]!]));
    }),
  );
});

Deno.test("it tells of epochs and batches, and ends by its signal", async () => {
  const epochs: number[] = [], seen: [number, number][] = [], stop = new AbortController();
  const engine = learner();
  const options: FitOptions = {
    epochs: 50,
    valid: 0.1,
    patience: 50,
    signal: stop.signal,
    onEpoch({ epoch }) {
      epochs.push(epoch);
      if (epoch === 3) stop.abort(new Error("enough"));
    },
    onProgress: ({ done, total }) => seen.push([done, total]),
  };
  await assert.rejects(fit(engine, rows, options), /^Error: enough$/);
  assert.deepEqual(epochs, [0, 1, 2, 3]);
  assert.ok(seen.every(([done, total], i) => total === seen[0]![1] && done >= (seen[i - 1]?.[0] ?? 0)));
  assert.equal(seen.at(-1)![0] * 50, seen.at(-1)![1] * 3);
  // The engine is as it was left, and can be used.
  assert.notDeepEqual((await engine.parameters()).get("emission"), start.parameters.get("emission")!.values);
  await fit(engine, rows, { epochs: 1 });
  await assert.rejects(fit(engine, rows, { signal: AbortSignal.abort() }), { name: "AbortError" });
});

Deno.test("gone on with from a kept state, it ends with the same bits and tells the whole curve", async () => {
  const options: FitOptions = { epochs: 6, valid: 0.2, seed: 4, dropout: 0.1 };
  const whole = await fit(learner(), rows, options);
  let state: TrainingState | undefined, calls = 0;
  await assert.rejects(
    fit(learner(), rows, {
      ...options,
      async onState(give) {
        if (++calls < 20) return;
        state = await give();
        throw new Error("the power fails");
      },
    }),
    /the power fails/,
  );
  const epochs: number[] = [];
  const rest = await fit(learner(), rows, {
    ...options,
    resume: state!,
    onEpoch: ({ epoch }) => void epochs.push(epoch),
  });
  assert.deepEqual(rest, whole);
  assert.deepEqual(epochs, whole.log.epochs.map(({ epoch }) => epoch));
});

Deno.test("tables bring their columns' words along; windows of a sequence are learned from too", async () => {
  const table = {
    variables: [{ kind: "categorical", name: "colour", states: 2 }, { kind: "real", name: "size" }] as const,
    samples: samplesFromRows([[0, 1.5], [1, 20.5], [0, 1.25], [1, 22], [0, null]]),
    notes: { states: '{"colour":["blue","red"]}' },
  };
  const circuit = hcltFromSamples(table, { latents: 2 });
  assert.deepEqual(circuit.notes, table.notes);
  const { notes, ...bare } = circuit;
  const fitted = await fit(new ReferenceLearner(bare), table, { epochs: 3 });
  assert.deepEqual(fitted.circuit.notes, notes);

  const sequence = Uint8Array.from({ length: 300 }, (_, t) => t % 3);
  const { log } = await fit(learner(), windowsOf(sequence, 6), { epochs: 20, valid: 0.1 });
  assert.ok(log.epochs.at(-1)!.train!.logLikelihood > log.epochs[1]!.train!.logLikelihood);
});

Deno.test("what makes no sense is refused in words, before anything is learned", async () => {
  const two = { variables: categoricalVariables(2, 3), samples: samplesFromRows([[0, 1], [2, 0]]) };
  const pair = () => new ReferenceLearner(hmm({ length: 2, states: 2, symbols: 3 }));
  // deno-lint-ignore no-explicit-any -- what its types forbid
  const odd = (x: unknown): any => x;
  const wrong: [() => Promise<unknown>, RegExp, string][] = [
    [
      () => fit(learner(), rows, odd({ epoch: 3 })),
      /no option `epoch`; did you mean `epochs`\?/,
      "circuit/argument",
    ],
    [() => fit(learner(), rows, { epochs: -1 }), /epochs is -1/, "circuit/argument"],
    [() => fit(learner(), rows, { seed: -1 }), /seed is -1/, "circuit/argument"],
    [() => fit(learner(), rows, { batchSize: 0 }), /batchSize is 0/, "circuit/argument"],
    ...[0, 1, 1.5, -0.1, NaN].map((valid): [() => Promise<unknown>, RegExp, string] => [
      () => fit(learner(), rows, { valid }),
      /valid is .*, expected a share of the rows, above 0 and below 1/,
      "circuit/argument",
    ]),
    [
      () => fit(pair(), two, { valid: 0.1 }),
      /of 2 samples that leaves none to validate on/,
      "learning/no-samples",
    ],
    [
      () => fit(pair(), two, { valid: 0.9 }),
      /of 2 samples that leaves none to learn from/,
      "learning/no-samples",
    ],
    [() => fit(learner(), two), /the table has 2 columns, but the circuit has 6 variables/, "samples/shape"],
    [
      () => fit(pair(), { ...two, variables: categoricalVariables(2, 4) }),
      /the data: column 0 is `x0`, categorical of 4 states, but the circuit's variable is `x0`, categorical of 3/,
      "samples/shape",
    ],
    [
      () => fit(learner(), odd("rows.csv")),
      /the data: expected an object, got the string/,
      "circuit/argument",
    ],
    [() => fit(odd(start), rows), /the evaluator: expected an object with/, "circuit/argument"],
    [
      () => fit(odd(new ReferenceEvaluator(start)), rows),
      /the engine: expected an object with/,
      "circuit/argument",
    ],
    [() => fit(learner(), samplesFromRows([])), /there are no training samples/, "learning/no-samples"],
  ];
  for (const [call, message, code] of wrong) {
    await assert.rejects(call(), (error: CircuitError) => {
      assert.ok(error instanceof CircuitError, `${error}`);
      assert.match(error.message, message);
      assert.equal(error.code, code);
      return true;
    });
  }
});
