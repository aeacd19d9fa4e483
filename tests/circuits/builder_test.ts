import assert from "node:assert/strict";
import * as fc from "fast-check";
import {
  checkCircuit,
  type Circuit,
  CircuitBuilder,
  CircuitError,
  hideVariables,
  isDeterministic,
  nodeNamed,
  samplesFromRows,
  scopesOf,
  scopeVariables,
  sizeOf,
  sliceSamples,
  structureFaults,
  takeSamples,
  upward,
  withParameters,
} from "../../circuits/mod.ts";
import { holds } from "../property.ts";
import { allSamples, anyCircuit } from "./truth.ts";

function twoLeaves(): { b: CircuitBuilder; x: number; y: number } {
  const b = new CircuitBuilder();
  const [v, w] = [b.categorical("rain", 2), b.categorical("wet", 3)];
  return {
    b,
    x: b.input({ variable: v, family: "categorical", units: 2 }),
    y: b.input({ variable: w, family: "categorical", units: 2, name: "grass" }),
  };
}

Deno.test("faults of a structure name the node", () => {
  const refused: [() => unknown, RegExp][] = [
    [() => {
      const { b, x, y } = twoLeaves();
      return b.build(b.sum([x, y], { units: 1 }));
    }, /sum node 2: not smooth: its child 0 does not depend on variable 1 `wet`/],
    [() => {
      const { b, x, y } = twoLeaves();
      return b.build(b.product([b.product([x, y]), y]));
    }, /product node 3: not decomposable: its child 1 shares variable 1 `wet` with child 2/],
    [() => {
      const { b, x, y } = twoLeaves();
      return b.build(b.product([b.sum([x], { units: 3 }), y]));
    }, /product node 3: it has 3 units, but its child 1 has 2/],
    [() => {
      const { b, x } = twoLeaves();
      return b.build(x);
    }, /input node 0: the root does not depend on variable 1 `wet`/],
    [() => {
      const { b, x, y } = twoLeaves();
      b.sum([x], { units: 1, name: "lost" });
      return b.build(b.product([x, y]));
    }, /sum node 2 `lost`: the root does not depend on it/],
    [() => {
      const { b, x } = twoLeaves();
      b.sum([x], { units: 2, groups: 3 });
    }, /3 groups do not divide/],
    [() => {
      const { b, x, y } = twoLeaves();
      return b.build(b.sum([b.product([x, y])], { units: 1, weights: "leaf0" }));
    }, /sum node 3: parameter `leaf0` has the shape \[2, 2\], expected one of the shape \[1, 1, 2\]/],
    [() => {
      const { b, x, y } = twoLeaves();
      return b.build(b.sum([b.product([x, y])], { units: 1, weights: [0.5, 0.6] }));
    }, /parameter `sum3` of sum node 3: row 0 sums to 1.1/],
    [() => twoLeaves().b.sum([0], { units: 1, weights: [1] }), /needs 2 numbers; got 1/],
    [() => twoLeaves().b.sum([9], { units: 1 }), /no node 9 yet/],
    [() => twoLeaves().b.product([]), /at least one child/],
    [() => twoLeaves().b.input({ variable: 7, family: "categorical", units: 1 }), /no variable 7/],
    [() => twoLeaves().b.input({ variable: 0, family: "weibull", units: 1 }), /no leaf family `weibull`/],
    [() => {
      const { b, x, y } = twoLeaves();
      b.parameter("p", [1], [1]);
      return b.build(b.product([x, y]));
    }, /parameter `p`: no node uses it/],
    [() => {
      const b = new CircuitBuilder();
      const [v, w] = [b.external("p"), b.external("q")];
      const leaf = (variable: number, units: number) => b.input({ variable, family: "external", units });
      return b.build(b.product([b.sum([leaf(v, 2), leaf(v, 3)], { units: 2 }), leaf(w, 2)]));
    }, /it reads 3 log-likelihoods of variable 0 `p`, but input node 0 reads 2/],
    [() => {
      const b = new CircuitBuilder();
      const [v, w] = [b.categorical("p", 2), b.categorical("q", 2)];
      const first = b.input({ variable: v, family: "categorical", units: 1, id: "t" });
      return b.build(
        b.product([first, b.input({ variable: w, family: "logistic", units: 1, parameter: "t" })]),
      );
    }, /shares parameter `t` with input node 0|has the shape/],
  ];
  for (const [make, message] of refused) {
    assert.throws(make, (error: unknown) => {
      assert.ok(error instanceof CircuitError);
      assert.match(error.message, message);
      return true;
    });
  }
});

Deno.test("an error lists every fault, and counts those it does not show", () => {
  const error = CircuitError.of(
    "circuit/invalid",
    "Bad",
    Array.from({ length: 10 }, (_, i) => ({ where: `node ${i}`, problem: "no" })),
  );
  assert.equal(error.message.split("\n").length, 10);
  assert.match(error.message, /and 2 more/);
  assert.equal(error.faults.length, 10);
});

Deno.test("random circuits pass their checks, and fail them once something is wrong", (test) => {
  holds(
    test,
    fc.property(anyCircuit(), (circuit) => {
      checkCircuit(circuit);
      const nodes = circuit.nodes.map((node) =>
        node.kind === "sum" ? { ...node, units: node.units + 1 } : node
      );
      assert.ok(structureFaults({ ...circuit, nodes }).length > 0);
      assert.ok(structureFaults({ ...circuit, parameters: new Map() }).length > 0);
      assert.deepEqual(structureFaults({ ...circuit, nodes: [] }).map((fault) => fault.where), ["circuit"]);
    }),
  );
});

Deno.test("a circuit that is called deterministic never has two possible inputs", (test) => {
  let deterministic = 0;
  holds(
    test,
    fc.property(anyCircuit(3), (circuit) => {
      if (!isDeterministic(circuit)) return;
      deterministic++;
      const samples = allSamples(circuit);
      for (let s = 0; s < samples.count; s++) {
        const logs = upward(circuit, samples, s);
        for (const node of circuit.nodes) {
          if (node.kind !== "sum") continue;
          const inputs = node.children.flatMap((child) => [...logs[child]!]);
          const width = inputs.length / node.groups, height = node.units / node.groups;
          const { values } = circuit.parameters.get(node.parameter)!;
          for (let u = 0; u < node.units; u++) {
            const from = Math.floor(u / height) * width;
            const possible = inputs.slice(from, from + width).filter((l, i) =>
              l > -Infinity && values[u * width + i]! > 0
            );
            assert.ok(possible.length <= 1);
          }
        }
      }
    }),
    { numRuns: 400 },
  );
  assert.ok(deterministic > 10, `${deterministic}`);
});

Deno.test("sizes, scopes, names and other parameters", () => {
  const { b, x, y } = twoLeaves();
  const circuit: Circuit = b.build(
    b.sum([b.product([x, y])], { units: 1, name: "top", weights: [0.5, 0.5] }),
  );
  assert.deepEqual(sizeOf(circuit), { nodes: 4, units: 7, edges: 2, parameters: 4 + 6 + 2 });
  assert.deepEqual(scopesOf(circuit).map(scopeVariables), [[0], [1], [0, 1], [0, 1]]);
  assert.equal(nodeNamed(circuit, "top"), 3);
  assert.throws(() => nodeNamed(circuit, "bottom"), /0 nodes named `bottom`/);
  const other = withParameters(circuit, new Map([["sum3", Float32Array.of(1, 0)]]));
  assert.equal(circuit.parameters.get("sum3")!.values[0], 0.5);
  assert.equal(other.parameters.get("sum3")!.values[0], 1);
  assert.throws(() => withParameters(circuit, new Map([["sum3", Float32Array.of(1)]])), /2 numbers; got 1/);
  assert.throws(
    () => withParameters(circuit, new Map([["nope", Float32Array.of(1)]])),
    /no parameter `nope`/,
  );
  assert.deepEqual(
    scopesOf({ ...circuit, variables: new Array(70).fill({ kind: "real", name: "" }) })[3]!.length,
    3,
  );
});

Deno.test("samples: rows, slices, choices, hiding", () => {
  const samples = samplesFromRows([[1, null], [0, 2], [1, 1]]);
  assert.deepEqual([...samples.observed!], [1, 0, 1, 1, 1, 1]);
  assert.ok(samples.values instanceof Int32Array);
  assert.deepEqual([...samplesFromRows([[16777217.5, 2 ** 53 - 1]]).values], [16777217.5, 2 ** 53 - 1]);
  assert.equal(samplesFromRows([[1]]).observed, undefined);
  const withLogs = { ...samples, externals: new Map([[0, Float32Array.of(1, 2, 3, 4, 5, 6)]]) };
  assert.deepEqual([...sliceSamples(withLogs, 1, 3).values], [0, 2, 1, 1]);
  assert.deepEqual([...sliceSamples(withLogs, 1, 2).externals!.get(0)!], [3, 4]);
  const taken = takeSamples(withLogs, [2, 0]);
  assert.deepEqual([[...taken.values], [...taken.observed!], [...taken.externals!.get(0)!]], [[1, 1, 1, 0], [
    1,
    1,
    1,
    0,
  ], [
    5,
    6,
    1,
    2,
  ]]);
  assert.deepEqual([...hideVariables(samples, [0]).observed!], [0, 0, 0, 1, 0, 1]);
  assert.deepEqual([...samples.observed!], [1, 0, 1, 1, 1, 1], "the original is untouched");
  assert.throws(() => samplesFromRows([[1], [1, 2]]), /row 1 has 2 values, but row 0 has 1/);
});
