import assert from "node:assert/strict";
import * as fc from "fast-check";
import {
  categoricalVariables,
  type Circuit,
  conditional,
  hclt,
  hmm,
  materialise,
  maximumSpanningTree,
  mixture,
  naiveMixture,
  nodeNamed,
  posterior,
  ReferenceEvaluator,
  samplesFromRows,
  viterbi,
} from "../../circuits/mod.ts";
import { CpuEngine } from "../../kernels/cpu/engine.ts";
import { holds } from "../property.ts";
import { circuitsWithRow, close, likelihood } from "./truth.ts";

const parameters = {
  initial: [0.6, 0.3, 0.1],
  transition: [[0.7, 0.2, 0.1], [0.1, 0.6, 0.3], [0.25, 0.25, 0.5]],
  emission: [[0.5, 0.5, 0, 0], [0.1, 0.2, 0.3, 0.4], [0, 0.1, 0.1, 0.8]],
};
const model = hmm({ length: 5, states: 3, symbols: 4, ...parameters });
const rows = [
  [0, 1, 2, 3, 3],
  [null, 1, null, null, 0],
  [3, null, null, null, null],
  [null, null, null, null, null],
];
const names = ["z0", "z1", "z2", "z3", "z4"];

/** All paths of hidden states with their joint probability with what is observed. */
function paths(row: readonly (number | null)[]): { z: number[]; p: number }[] {
  return Array.from({ length: 3 ** 5 }, (_, code) => {
    const z = Array.from({ length: 5 }, (_, t) => Math.floor(code / 3 ** t) % 3);
    let p = parameters.initial[z[0]!]!;
    for (let t = 0; t < 5; t++) {
      if (t > 0) p *= parameters.transition[z[t - 1]!]![z[t]!]!;
      if (row[t] !== null) p *= parameters.emission[z[t]!]![row[t]!]!;
    }
    return { z, p };
  });
}

Deno.test("the posterior of every hidden state of an HMM is that of all its paths", async () => {
  const engine = new CpuEngine(model, { threads: 1 });
  try {
    for (const evaluator of [new ReferenceEvaluator(model), engine]) {
      const found = await posterior(evaluator, samplesFromRows(rows), names);
      assert.deepEqual([...found.keys()], names);
      rows.forEach((row, s) => {
        const all = paths(row), total = all.reduce((sum, { p }) => sum + p, 0);
        names.forEach((name, t) => {
          for (let k = 0; k < 3; k++) {
            const wanted = all.reduce((sum, { z, p }) => z[t] === k ? sum + p : sum, 0) / total;
            assert.ok(close(found.get(name)![s * 3 + k]!, wanted, 1e-5), `${name} of row ${s}`);
          }
        });
      });
      const alone = await posterior(evaluator, samplesFromRows(rows), nodeNamed(model, "z2"));
      assert.deepEqual(alone, found.get("z2"));
    }
  } finally {
    await engine.close();
  }
});

Deno.test("Viterbi's path of an HMM is the best of all paths, whatever is missing", async () => {
  const engine = new CpuEngine(model, { threads: 1 });
  try {
    for (const evaluator of [new ReferenceEvaluator(model), engine]) {
      const { latents, states, logValues } = await viterbi(evaluator, samplesFromRows(rows));
      assert.deepEqual(latents, names.map((name) => nodeNamed(model, name)));
      rows.forEach((row, s) => {
        const best = paths(row).reduce((a, b) => b.p > a.p ? b : a);
        assert.ok(close(logValues[s]!, Math.log(best.p), 1e-5));
        const z = [...states.subarray(s * 5, s * 5 + 5)];
        const own = paths(row).find((path) => path.z.join() === z.join())!;
        assert.ok(close(own.p, best.p, 1e-6), `row ${s}: ${z}, not ${best.z}`);
      });
    }
  } finally {
    await engine.close();
  }
});

/** Of a circuit with one more state for a node that is not passed: the posterior by its explicit variable. */
async function byMaterialising(circuit: Circuit, node: number, row: readonly (number | null)[]) {
  const { circuit: explicit, latents } = materialise(circuit, [node], { unused: "state" });
  const samples = samplesFromRows([[...row, null]]);
  return (await conditional(new ReferenceEvaluator(explicit), samples, [...latents])).get(latents[0]!)!;
}

Deno.test("the posterior of any sum node is that of its latent variable made explicit", async (test) => {
  await holds(
    test,
    fc.asyncProperty(circuitsWithRow(3), async ({ circuit, row }) => {
      const sums = circuit.nodes.filter((node) => node.kind === "sum");
      const found = await posterior(
        new ReferenceEvaluator(circuit),
        samplesFromRows([row]),
        sums.map(({ id }) => id),
      );
      for (const { id } of sums) {
        const wanted = await byMaterialising(circuit, id, row);
        found.get(id)!.forEach((p, k) => assert.ok(close(p, wanted[k]!, 1e-6), `node ${id}, state ${k}`));
      }
    }),
    { numRuns: 60 },
  );
});

Deno.test("states that leaves tell apart: trees and mixtures, with one number from one pass", async () => {
  const variables = categoricalVariables(4, 3);
  const weights = Float64Array.from({ length: 16 }, (_, i) => i * 7 % 5);
  const tree = hclt(variables, maximumSpanningTree(weights, 4), { latents: 3, seed: 4 });
  const plain = naiveMixture(variables, { components: 4, seed: 2 });
  const both = mixture([plain, naiveMixture(variables, { components: 2, seed: 5 })]);
  const row = [0, null, 2, 1];
  for (const [circuit, name] of [[tree, "z0"], [tree, "z3"], [plain, "z"], [both, "mixture"]] as const) {
    const found = await posterior(new ReferenceEvaluator(circuit), samplesFromRows([row]), name);
    const wanted = await byMaterialising(circuit, nodeNamed(circuit, name), row);
    found.forEach((p, k) => assert.ok(close(p, wanted[k]!, 1e-6)));
    assert.ok(close(found.reduce((a, b) => a + b), 1, 1e-6));
  }
});

Deno.test("the best states of random circuits are as probable as the recursion's best, and are a path", async (test) => {
  await holds(
    test,
    fc.asyncProperty(circuitsWithRow(3), async ({ circuit, row }) => {
      const best = (id: number): number[] => {
        const node = circuit.nodes[id]!;
        if (node.kind === "input") return leafValues(circuit, id, row);
        const children = node.children.map(best);
        if (node.kind === "product") return children.reduce((a, b) => a.map((y, u) => y * b[u]!));
        const inputs = children.flat(), w = circuit.parameters.get(node.parameter)!.values;
        const width = inputs.length / node.groups, height = node.units / node.groups;
        return Array.from({ length: node.units }, (_, o) => {
          const from = Math.floor(o / height) * width;
          return Math.max(...inputs.slice(from, from + width).map((y, i) => y * w[o * width + i]!));
        });
      };
      const [wanted] = best(circuit.root);
      const evaluator = new ReferenceEvaluator(circuit), samples = samplesFromRows([row]);
      if (wanted === 0) return await assert.rejects(viterbi(evaluator, samples), /sample 0 is impossible/);
      const { latents, states, logValues } = await viterbi(evaluator, samples);
      assert.ok(close(Math.exp(logValues[0]!), wanted!, 1e-6));
      // Along the states alone, weights and leaves multiply to the same.
      const along = (id: number, unit: number): number => {
        const node = circuit.nodes[id]!;
        if (node.kind === "input") return leafValues(circuit, id, row)[unit]!;
        if (node.kind === "product") return node.children.reduce((p, child) => p * along(child, unit), 1);
        let state = states[latents.indexOf(id)]!;
        const width = node.children.reduce((n, child) => n + circuit.nodes[child]!.units, 0) / node.groups;
        const weight = circuit.parameters.get(node.parameter)!.values[unit * width + state % width]!;
        for (const child of node.children) {
          const { units } = circuit.nodes[child]!;
          if (state < units) return weight * along(child, state);
          state -= units;
        }
        return NaN;
      };
      assert.ok(close(along(circuit.root, 0), wanted!, 1e-6));
    }),
    { numRuns: 80 },
  );
});

/** Likelihoods of the units of a leaf: 1 where the value is missing. */
function leafValues(circuit: Circuit, id: number, row: readonly (number | null)[]): number[] {
  const node = circuit.nodes[id]!;
  assert.ok(node.kind === "input");
  const alone = { ...circuit, nodes: circuit.nodes.slice(0, id + 1), root: id };
  return Array.from({ length: node.units }, (_, u) => {
    if (row[node.variable] === null) return 1;
    // `likelihood` gives the first unit: the others stand in its place.
    const turned = { ...alone, nodes: [...alone.nodes], parameters: new Map(alone.parameters) };
    if (node.parameter !== undefined) {
      const { shape, values } = circuit.parameters.get(node.parameter)!, size = values.length / node.units;
      turned.parameters.set(node.parameter, {
        id: node.parameter,
        shape: [1, ...shape.slice(1)],
        values: values.slice(u * size, (u + 1) * size),
      });
    }
    const states = node.settings["values"] as number[] | undefined;
    turned.nodes[id] = {
      ...node,
      units: 1,
      settings: states === undefined ? node.settings : { values: [states[u]!] },
    };
    return likelihood(turned, row.map((x) => x ?? 0));
  });
}

Deno.test("what has no latent variable is refused; what is impossible has no posterior and no path", async () => {
  const evaluator = new ReferenceEvaluator(model);
  await assert.rejects(posterior(evaluator, samplesFromRows(rows), 0), /input node 0 is not a sum node/);
  await assert.rejects(posterior(evaluator, samplesFromRows(rows), "z9"), /0 nodes named `z9`/);
  const frozen = hmm({ length: 2, states: 1, symbols: 2, emission: [[1, 0]] });
  const never = samplesFromRows([[0, 1]]), stuck = new ReferenceEvaluator(frozen);
  assert.deepEqual([...await posterior(stuck, never, "z1")], [0]);
  await assert.rejects(viterbi(stuck, never), /sample 0 is impossible/);
});
