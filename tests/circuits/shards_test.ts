import assert from "node:assert/strict";
import * as fc from "fast-check";
import type { Circuit } from "../../circuits/circuit.ts";
import type { StateCounts, StateFlows } from "../../circuits/evaluator.ts";
import { parameterOwners, type UpdateRule } from "../../circuits/learner.ts";
import { leafFamily } from "../../circuits/leaves/mod.ts";
import type { CountPart } from "../../circuits/learning/shard_counts.ts";
import { countShard, joinParts, stepPart } from "../../circuits/learning/shards.ts";
import { sourceOf } from "../../circuits/learning/source.ts";
import { EmTraining } from "../../circuits/learning/training.ts";
import { ReferenceEvaluator } from "../../circuits/reference.ts";
import { ReferenceLearner } from "../../circuits/reference_learner.ts";
import { samplesFromRows } from "../../circuits/samples.ts";
import { codeOf } from "../../foundation/errors.ts";
import { holds } from "../property.ts";
import { mixedCircuit, randomBatch } from "./learner_conformance.ts";
import { randomCircuit } from "./truth.ts";

/** One update in shards, each part of the counts read from what the shards gave. */
async function inShards(
  circuit: Circuit,
  rows: readonly (readonly (number | null)[])[],
  weights: Float64Array,
  rule: UpdateRule,
  { shards, parts, batchSize }: { shards: number; parts: number; batchSize: number },
): Promise<Circuit> {
  const source = sourceOf(samplesFromRows(rows), weights);
  const counts: (readonly CountPart[])[] = [], counted: Float64Array[] = [];
  for (let shard = 0; shard < shards; shard++) {
    const one = await countShard(new ReferenceEvaluator(circuit), source, {
      shard,
      shards,
      parts,
      batchSize,
    });
    counts.push(one.parts);
    counted.push(one.weight);
  }
  const stepped = Array.from(
    { length: parts },
    (_, part) => stepPart(circuit, counts.map((all) => all[part]!), rule, { part, parts, weights: counted }),
  );
  return joinParts(circuit, stepped);
}

async function inOne(
  circuit: Circuit,
  rows: readonly (readonly (number | null)[])[],
  weights: Float64Array,
  rule: UpdateRule,
): Promise<Circuit> {
  await using learner = new ReferenceLearner(circuit);
  await learner.accumulate(samplesFromRows(rows), weights);
  await learner.update(rule);
  await learner.parameters();
  return learner.circuit;
}

function assertClose(actual: Circuit, expected: Circuit): void {
  for (const [id, { values }] of expected.parameters) {
    const own = actual.parameters.get(id)!.values;
    for (let i = 0; i < values.length; i++) {
      const scale = Math.max(1e-3, Math.abs(values[i]!));
      assert.ok(Math.abs(own[i]! - values[i]!) <= 1e-6 * scale, `${id}[${i}]: ${own[i]} and ${values[i]}`);
    }
  }
}

Deno.test("a step in shards and parts is the step in one place, for any circuit", async (test) => {
  const numbers = { shards: fc.integer({ min: 1, max: 5 }), parts: fc.integer({ min: 1, max: 4 }) };
  await holds(
    test,
    fc.asyncProperty(
      fc.record({
        ...numbers,
        seed: fc.integer({ min: 0, max: 10_000 }),
        batchSize: fc.integer({ min: 1, max: 7 }),
        pseudocount: fc.constantFrom(0, 0.5),
        step: fc.constantFrom<UpdateRule["step"]>(
          { kind: "em" },
          { kind: "inertia", inertia: 0.3 },
          { kind: "anemone", step: 0.4 },
        ),
        mixed: fc.boolean(),
      }),
      async ({ seed, pseudocount, step, mixed, ...how }) => {
        const circuit = mixed ? mixedCircuit() : randomCircuit(seed);
        const rows = randomBatch(circuit, 12, seed);
        const weights = Float64Array.from(rows, (_, i) => (i * 7 + seed) % 3);
        const first = [...circuit.parameters.keys()][seed % circuit.parameters.size]!;
        const rule: UpdateRule = {
          step,
          sums: { pseudocount },
          leaves: { pseudocount },
          ...(seed % 4 === 0 && { parameters: { [first]: { frozen: true } } }),
        };
        assertClose(
          await inShards(circuit, rows, weights, rule, how),
          await inOne(circuit, rows, weights, rule),
        );
      },
    ),
    { numRuns: 60 },
  );
});

Deno.test("epochs in shards that are shuffled are mini-batches of that order", async () => {
  const start = mixedCircuit(), rows = randomBatch(start, 20, 6), source = sourceOf(samplesFromRows(rows));
  const options = {
    step: { kind: "anemone", step: 0.5 },
    smoothing: { sums: { pseudocount: 0.5 } },
  } as const;
  const training = new EmTraining(new ReferenceLearner(start), { train: source }, {
    ...{ ...options, epochs: 2, batchSize: 5, batchesPerUpdate: 2, seed: 9, shuffleBlock: 2 },
  });
  for await (const _ of training);
  const rule: UpdateRule = { step: options.step, sums: { pseudocount: 0.25 } };
  let circuit = start;
  for (const epoch of [1, 2]) {
    for (const update of [[0, 1], [2, 3]]) {
      const counted = await Promise.all(
        update.map((shard) =>
          countShard(new ReferenceEvaluator(circuit), source, {
            ...{ shard, shards: 4, parts: 1, batchSize: 3, order: { seed: 9, epoch, block: 2 } },
          })
        ),
      );
      const weights = counted.map(({ weight }) => weight), counts = counted.map(({ parts }) => parts[0]!);
      circuit = joinParts(circuit, [stepPart(circuit, counts, rule, { part: 0, parts: 1, weights })]);
    }
  }
  assertClose(circuit, await training.result());
});

Deno.test("the number of parts changes no bit", async () => {
  const circuit = mixedCircuit();
  const rows = randomBatch(circuit, 20, 5), weights = new Float64Array(20).fill(1);
  const rule: UpdateRule = { step: { kind: "em" }, sums: { pseudocount: 0.1 } };
  const all = [];
  for (const parts of [1, 2, 3, 7]) {
    const { parameters } = await inShards(circuit, rows, weights, rule, { shards: 4, parts, batchSize: 3 });
    all.push([...parameters].map(([id, { values }]) => [id, [...values]]));
  }
  for (const one of all) assert.deepEqual(one, all[0]);
});

/** An evaluator that gives counts of leaves by state, as engines do that count them so. */
class ByState extends ReferenceEvaluator {
  async stateFlows(...batch: Parameters<ReferenceEvaluator["flows"]>): Promise<StateFlows> {
    const flows = await this.flows(...batch);
    const statistics = new Map<string, StateCounts | Float64Array>(flows.statistics);
    for (const [id, node] of parameterOwners(this.circuit)) {
      if (node.kind !== "input" || !leafFamily(node.family).rows) continue;
      const all = flows.statistics.get(id)!, states = all.length / node.units;
      const rows = new Map<number, Float64Array>();
      for (let k = 0; k < states; k++) {
        const row = Float64Array.from({ length: node.units }, (_, u) => all[u * states + k]!);
        if (row.some((count) => count > 0)) rows.set(k, row);
      }
      statistics.set(id, rows);
    }
    return { ...flows, statistics };
  }
}

Deno.test("counts by state make the same bits, and fit to others", async () => {
  const circuit = mixedCircuit(), source = sourceOf(samplesFromRows(randomBatch(circuit, 12, 3)));
  const rule: UpdateRule = { step: { kind: "em" }, sums: { pseudocount: 0.1 } };
  const kinds = { plain: new ReferenceEvaluator(circuit), byState: new ByState(circuit) };
  const stepped = async (evaluators: readonly (keyof typeof kinds)[], parts: number) => {
    const counts = await Promise.all(
      evaluators.map((kind, shard) =>
        countShard(kinds[kind], source, { shard, shards: evaluators.length, parts, batchSize: 2 })
      ),
    );
    return joinParts(
      circuit,
      Array.from(
        { length: parts },
        (_, part) => stepPart(circuit, counts.map((one) => one.parts[part]!), rule, { part, parts }),
      ),
    );
  };
  const plain = await stepped(["plain", "plain", "plain"], 1);
  for (const parts of [1, 2]) {
    const { parameters } = await stepped(["byState", "byState", "byState"], parts);
    for (const [id, { values }] of plain.parameters) assert.deepEqual(parameters.get(id)!.values, values, id);
    assertClose(await stepped(["plain", "byState", "plain"], parts), plain);
  }
});

Deno.test("a distribution that smooths each row goes to its rows", async () => {
  const circuit = mixedCircuit();
  const rows = randomBatch(circuit, 9, 2), weights = new Float64Array(9).fill(1);
  const { values, shape } = circuit.parameters.get("colours")!;
  const base = Float64Array.from(values, (_, i) => (1 + i % 5) / 100);
  for (let at = 0; at < base.length; at += shape[1]!) {
    const total = base.subarray(at, at + shape[1]!).reduce((a, b) => a + b);
    for (let i = at; i < at + shape[1]!; i++) base[i]! /= total;
  }
  const rule: UpdateRule = {
    step: { kind: "em" },
    parameters: { colours: { pseudocount: 3, mix: 0.2, base } },
  };
  assertClose(
    await inShards(circuit, rows, weights, rule, { shards: 2, parts: 3, batchSize: 4 }),
    await inOne(circuit, rows, weights, rule),
  );
});

Deno.test("what makes no step in shards is refused", async () => {
  const circuit = mixedCircuit(), evaluator = new ReferenceEvaluator(circuit);
  const source = sourceOf(samplesFromRows(randomBatch(circuit, 3, 1)));
  const how = { shard: 0, shards: 2, parts: 2, batchSize: 2 };
  const refused = async (action: () => unknown) => {
    try {
      await action();
    } catch (error) {
      return codeOf(error);
    }
    return undefined;
  };
  assert.equal(
    await refused(() => countShard(evaluator, source, { ...how, shards: 4 })),
    "learning/no-samples",
  );
  assert.equal(await refused(() => countShard(evaluator, source, { ...how, shard: 2 })), "circuit/argument");
  const { parts } = await countShard(evaluator, source, how);
  const em: UpdateRule = { step: { kind: "em" } };
  const anemone: UpdateRule = { step: { kind: "anemone", step: 0.5 } };
  assert.equal(
    await refused(() => stepPart(circuit, [parts[0]!], anemone, { part: 0, parts: 2 })),
    "circuit/argument",
  );
  assert.equal(
    await refused(() =>
      stepPart(circuit, [parts[0]!], anemone, { part: 0, parts: 2, weights: [new Float64Array(1)] })
    ),
    "learning/state",
  );
  assert.equal(
    await refused(() => stepPart(circuit, [parts[1]!], em, { part: 0, parts: 2 })),
    "learning/state",
  );
  assert.equal(await refused(() => joinParts(circuit, [new Map(), new Map()])), "learning/state");
});
