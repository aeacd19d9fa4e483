import assert from "node:assert/strict";
import {
  blockedHmm,
  type Circuit,
  countShard,
  type Evaluator,
  hmm,
  sample,
  sourceOf,
  stepPart,
  stepPartByLevels,
} from "../../circuits/mod.ts";
import { ReferenceEvaluator } from "../../circuits/reference.ts";
import { CpuEngine } from "../../kernels/cpu/engine.ts";
import { mixedCircuit } from "../circuits/learner_conformance.ts";

/** The same engine without counts by state. */
const plain = (engine: CpuEngine): Evaluator => ({
  circuit: engine.circuit,
  logLikelihoods: (...given) => engine.logLikelihoods(...given),
  activations: (...given) => engine.activations(...given),
  leafFlows: (...given) => engine.leafFlows(...given),
  flows: (...given) => engine.flows(...given),
});

async function counted(circuit: Circuit, of: (engine: CpuEngine) => Evaluator, parts: number) {
  await using engine = new CpuEngine(circuit, { threads: 1 });
  const source = sourceOf(await sample(new ReferenceEvaluator(circuit), 30, { seed: 4 }));
  const shards = [];
  for (const shard of [0, 1, 2]) {
    shards.push(await countShard(of(engine), source, { shard, shards: 3, parts, batchSize: 7 }));
  }
  return shards;
}

const BLOCKED = blockedHmm({
  length: 4,
  symbols: 8,
  blocks: [{ states: 2, symbols: [0, 3, 4] }, { states: 3, symbols: [1, 2, 5, 6, 7] }],
  backoff: 1,
  seed: 3,
});

Deno.test("a step has the same bits from counts by state, whatever the circuit and the number of parts", async () => {
  const circuits = {
    hmm: hmm({ states: 4, symbols: 40, length: 5, seed: 1 }),
    mixed: mixedCircuit(),
    BLOCKED,
  };
  for (const [name, circuit] of Object.entries(circuits)) {
    for (const parts of [1, 3]) {
      const stepped = async (of: (engine: CpuEngine) => Evaluator) => {
        const shards = await counted(circuit, of, parts), weights = shards.map(({ weight }) => weight);
        return Array.from({ length: parts }, (_, part) =>
          stepPart(
            circuit,
            shards.map((one) => one.parts[part]!),
            { step: { kind: "anemone", step: 0.5 }, sums: { pseudocount: 0.1 } },
            { part, parts, weights },
          ));
      };
      assert.deepEqual(await stepped((engine) => engine), await stepped(plain), `${name} in ${parts} parts`);
    }
  }
});

Deno.test("so has the step that smooths by levels; words that a shard lacks are not among its counts", async () => {
  const [byState, whole] = await Promise.all([
    counted(BLOCKED, (engine) => engine, 1),
    counted(BLOCKED, plain, 1),
  ]);
  const step = (shards: typeof whole) => stepPartByLevels(BLOCKED, shards.map(({ parts }) => parts[0]!), {});
  assert.deepEqual(step(byState), step(whole));
  const [shard] = await counted(hmm({ states: 2, symbols: 100, length: 4, seed: 1 }), (engine) => engine, 1);
  const { byState: turned, rows, counted: some } = shard!.parts[0]!.get("emission")!;
  assert.ok(turned && rows === 100 && some.size <= 40, `${some.size} words of 40 positions`);
});
