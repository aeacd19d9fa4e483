import assert from "node:assert/strict";
import * as fc from "fast-check";
import {
  categoricalVariables,
  type Circuit,
  CircuitBuilder,
  hclt,
  hmm,
  leafFamily,
  leafOf,
  maximumSpanningTree,
  mixture,
  naiveMixture,
  poonDomingos,
  ratSpn,
  ReferenceEvaluator,
  type Samples,
  samplesFromRows,
  stack,
} from "../../circuits/mod.ts";
import { bytesPerSample, largestBatch, parameterBytes } from "../../kernels/memory.ts";
import { foldOf, type Group, type Plan, planOf, type SumGroup } from "../../kernels/plan.ts";
import { anyCircuit, randomCircuit } from "../circuits/truth.ts";
import { holds } from "../property.ts";

/** Runs a plan on one complete sample, in the linear domain, from nothing but what the plan says. */
function interpret(plan: Plan, x: ArrayLike<number>): Float64Array {
  const values = new Float64Array(plan.units);
  const { circuit } = plan;
  const weights = plan.weightTables.map((table) => {
    const size = table.units * table.inputs, all = new Float64Array(table.slots * size);
    for (const { id, slot } of table.parameters) all.set(circuit.parameters.get(id)!.values, slot * size);
    return { size, all };
  });
  for (const group of plan.groups) {
    for (let fold = 0; fold < group.folds; fold++) {
      const out = values.subarray(group.offset + fold * group.units, group.offset + (fold + 1) * group.units);
      if (group.kind === "input") {
        const table = plan.leafTables[group.table];
        const id = table?.parameters.find(({ slot }) => slot === group.slots[fold])?.id;
        const node = circuit.nodes[group.nodes[Math.floor(fold / (group.folds / group.nodes.length))]!]!;
        assert.ok(node.kind === "input");
        assert.equal(node.parameter, id);
        assert.equal(node.variable, group.variables[fold]);
        for (let u = 0; u < group.units; u++) {
          const unit = group.firstUnits[fold]! + u;
          out[u] = Math.exp(
            leafFamily(group.family).logProbability(leafOf(circuit, node), unit, x[node.variable]!),
          );
        }
        continue;
      }
      const pieces = group.widths.map((width, j) => {
        const at = (fold * group.arity + j) * 3;
        const source = plan.groups[group.sources[at]!]!;
        assert.ok(source.index < group.index, "pieces come from groups before");
        assert.ok(group.sources[at + 2]! + width <= source.units, "a piece stays in its fold");
        const from = source.offset + group.sources[at + 1]! * source.units + group.sources[at + 2]!;
        return values.subarray(from, from + width);
      });
      if (group.kind === "product") {
        for (let u = 0; u < group.units; u++) out[u] = pieces.reduce((p, piece) => p * piece[u]!, 1);
      } else {
        const inputs = pieces.flatMap((piece) => [...piece]);
        assert.equal(inputs.length, group.inputs);
        const { size, all } = weights[group.table]!;
        const from = group.slots[Math.floor(fold / group.uses)]! * size;
        for (let u = 0; u < group.units; u++) {
          out[u] = inputs.reduce((total, y, i) => total + y * all[from + u * group.inputs + i]!, 0);
        }
      }
    }
  }
  return values;
}

/** The plan's values of all nodes against the reference. */
async function check(circuit: Circuit, samples: Samples): Promise<Plan> {
  const plan = planOf(circuit);
  const expected = await new ReferenceEvaluator(circuit).activations(samples);
  for (let s = 0; s < samples.count; s++) {
    const row = samples.values.subarray(s * samples.variables, (s + 1) * samples.variables);
    const values = interpret(plan, row);
    for (const node of circuit.nodes) {
      for (let unit = 0; unit < node.units; unit++) {
        const group = plan.groups[plan.places[node.id]!.group]!, place = foldOf(plan, node.id, unit);
        const got = values[group.offset + place.fold * group.units + place.unit]!;
        const wanted = Math.exp(expected.of(node.id)[s * node.units + unit]!);
        assert.ok(Math.abs(got - wanted) <= 1e-5 * wanted, `node ${node.id} unit ${unit}: ${got}, ${wanted}`);
      }
    }
  }
  checkCover(plan);
  return plan;
}

/** Every fold belongs to one block of one node, levels and offsets are as promised. */
function checkCover(plan: Plan): void {
  const seen = plan.groups.map((group) => new Uint8Array(group.folds));
  plan.circuit.nodes.forEach((node) => {
    const { group, fold, blocks, stride } = plan.places[node.id]!;
    assert.equal(plan.groups[group]!.units * blocks, node.units);
    for (let block = 0; block < blocks; block++) {
      const at = fold + block * stride;
      seen[group]![at] = seen[group]![at]! + 1;
    }
  });
  assert.ok(seen.every((folds) => folds.every((count) => count === 1)));
  assert.deepEqual(plan.levels.flat(), plan.groups.map((group) => group.index));
  plan.groups.forEach((group) => {
    if (group.kind === "input") return assert.equal(group.level, 0);
    for (let at = 0; at < group.sources.length; at += 3) {
      assert.ok(plan.groups[group.sources[at]!]!.level < group.level);
    }
    if (group.kind === "sum") assert.equal(new Set(group.slots).size, group.slots.length);
  });
  assert.equal(plan.places[plan.circuit.root]!.group, plan.groups.length - 1);
  assert.equal(plan.units, plan.circuit.nodes.reduce((total, node) => total + node.units, 0));
}

const rowOf = (circuit: Circuit, salt: number) =>
  circuit.variables.map((variable, v) =>
    variable.kind === "categorical" ? (v * 7 + salt) % variable.states : 0.5
  );
const some = (circuit: Circuit) => samplesFromRows([rowOf(circuit, 1), rowOf(circuit, 2)]);
const shapes = (groups: readonly Group[]) =>
  groups.map((group) => `${group.kind} ${group.folds}x${group.units}`);

Deno.test("a plan computes what the circuit means, on random circuits", async (test) => {
  await holds(
    test,
    fc.asyncProperty(anyCircuit(5), async (circuit) => void await check(circuit, some(circuit))),
    { numRuns: 150 },
  );
});

Deno.test("a homogeneous HMM keeps one slot for all steps", async () => {
  const circuit = hmm({ length: 5, states: 3, symbols: 4 });
  const plan = await check(circuit, some(circuit));
  assert.deepEqual(shapes(plan.groups).slice(0, 4), [
    "input 5x3",
    "sum 1x3",
    "product 1x3",
    "sum 1x3",
  ]);
  const tables = plan.weightTables.map(({ units, inputs, slots }) => [units, inputs, slots]);
  assert.deepEqual(tables, [[3, 3, 1], [1, 3, 1]]);
  assert.equal(plan.leafTables[0]!.slots, 1);
});

Deno.test("sums of a hidden Chow-Liu tree fold by depth, in the order of their readers", async () => {
  // A star of three arms of two: variables 1 to 3 hang at 0, 4 to 6 at those.
  const order = [0, 1, 2, 3, 4, 5, 6];
  const tree = { root: 0, parents: Int32Array.of(-1, 0, 0, 0, 1, 2, 3), order };
  const circuit = hclt(categoricalVariables(7, 3), tree, { latents: 4, seed: 1 });
  const plan = await check(circuit, some(circuit));
  assert.deepEqual(shapes(plan.groups), [
    "input 7x4",
    "sum 3x4",
    "product 3x4",
    "sum 3x4",
    "product 1x4",
    "sum 1x1",
  ]);
  const product = plan.groups[2]!;
  assert.ok(product.kind === "product");
  // The j-th pieces of all three folds are three folds in a row.
  const folds = (j: number) => [0, 1, 2].map((fold) => product.sources[(fold * 2 + j) * 3 + 1]!);
  for (const j of [0, 1]) {
    const [first] = folds(j);
    assert.deepEqual(folds(j), [first!, first! + 1, first! + 2]);
  }
});

Deno.test("tied sums of one level share a matrix", async () => {
  const b = new CircuitBuilder({ seed: 3 });
  const leaves = [0, 1, 2, 3].map((v) =>
    b.input({ variable: b.categorical(`x${v}`, 3), family: "categorical", units: 4 })
  );
  const sums = leaves.map((leaf, v) =>
    v % 2 === 0
      ? b.sum([leaf], { units: 4, groups: 2, ...(v === 0 ? { id: "w" } : { weights: "w" }) })
      : b.sum([leaf], { units: 4, groups: 2 })
  );
  const circuit = b.build(b.sum([b.product(sums)], { units: 1 }));
  const plan = await check(circuit, some(circuit));
  const tied = plan.groups.find((group): group is SumGroup => group.kind === "sum" && group.uses === 2)!;
  assert.deepEqual([tied.folds, tied.slots.length, tied.units, tied.inputs], [4, 2, 2, 2]);
  assert.deepEqual(plan.places[sums[0]!], { group: tied.index, fold: 0, blocks: 2, stride: 2 });
});

Deno.test("circuits that stand side by side in groups become folds", async () => {
  const circuit = stack([1, 2, 3].map((seed) => hmm({ length: 3, states: 2, symbols: 3, seed })));
  const plan = await check(circuit, some(circuit));
  for (const group of plan.groups) assert.equal(group.folds % 3, 0);
  assert.equal(plan.groups.at(-1)!.units, 1);
  assert.equal(plan.places[circuit.root]!.blocks, 3);
});

Deno.test("groups that cut across children", async () => {
  const b = new CircuitBuilder({ seed: 1 });
  const x = b.categorical("x", 3);
  const leaf = (units: number) => b.input({ variable: x, family: "categorical", units });
  const inner = b.sum([leaf(3)], { units: 2 });
  const sum = b.sum([leaf(2), inner, leaf(2)], { units: 4, groups: 2 });
  const circuit = b.build(b.sum([sum], { units: 1 }));
  await check(circuit, samplesFromRows([[0], [1], [2]]));
});

Deno.test("other structures, and shared nodes", async () => {
  const tree = maximumSpanningTree(new Float64Array(36).fill(1), 6);
  const all: Circuit[] = [
    ratSpn(categoricalVariables(6, 3), { depth: 2, replicas: 3, units: 4 }),
    poonDomingos(categoricalVariables(9, 2), { height: 3, width: 3, delta: 1, units: 2 }),
    naiveMixture(categoricalVariables(6, 2), { components: 3 }),
    mixture([1, 2].map((seed) => hclt(categoricalVariables(6, 2), tree, { latents: 2, seed }))),
    randomCircuit(9, 6),
  ];
  for (const circuit of all) await check(circuit, some(circuit));
});

Deno.test("large plans, and memory is counted", () => {
  const tree = maximumSpanningTree(Float64Array.from({ length: 784 ** 2 }, (_, i) => (i * 7919) % 101), 784);
  const one = hclt(categoricalVariables(784, 2), tree, { latents: 2 });
  const many = planOf(stack(Array.from({ length: 40 }, () => one)));
  assert.ok(many.rows > 784 * 2 * 40);
  const plan = planOf(hmm({ length: 4, states: 8, symbols: 10 }));
  const units = 4 * 8 + 3 * 8 + 3 * 8 + 1;
  assert.equal(plan.units, units);
  assert.equal(bytesPerSample(plan, "forward"), 4 * units + 16 * plan.rows);
  assert.equal(parameterBytes(plan), 4 * (8 * 8 + 8 + 8 * 10));
  assert.equal(largestBatch(plan, 1, "training"), 1);
  assert.equal(largestBatch(plan, 2 * 7 * bytesPerSample(plan, "forward"), "training"), 7);
});
