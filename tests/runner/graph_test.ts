import assert from "node:assert/strict";
import fc from "fast-check";
import { z } from "zod";
import { defineStage, json, many, type Ref } from "../../mod.ts";
import { ancestors, buildGraph, type Graph, parentsOf } from "../../runner/graph.ts";
import type { PipelineOutputs } from "../../runner/graph.ts";
import { seedOf } from "../../runner/seed.ts";
import { collectNodes } from "../../runner/stage.ts";
import { holds } from "../property.ts";

const number = json("graph-number", z.number());
const other = json("graph-other", z.number());
const zero = { number: 0 };

const make = defineStage({
  name: "make",
  params: z.object({ value: z.number().default(0), shape: z.object({ units: z.int() }).optional() }),
  outputs: { number },
  run: () => zero,
});
const free = defineStage({
  name: "free",
  params: z.object({ weights: z.record(z.string(), z.number()) }),
  outputs: { number },
  run: () => zero,
});
const add = defineStage({
  name: "add",
  inputs: { a: number, b: number },
  outputs: { number },
  run: () => zero,
});
const sum = defineStage({ name: "sum", inputs: { all: many(number) }, outputs: { number }, run: () => zero });

async function graphOf(build: () => PipelineOutputs): Promise<Graph> {
  const { value, drafts } = await collectNodes(build);
  return buildGraph(value, drafts);
}

function names(graph: Graph): string[] {
  return graph.nodes.map((node) => node.name);
}

Deno.test("only nodes that a returned output needs are kept, parents first", async () => {
  const graph = await graphOf(() => {
    const [a, b] = [make({}, { value: 1 }), make({}, { value: 2 })];
    make({}, { value: 3 });
    return { total: add({ a: b.number, b: a.number }).number };
  });
  assert.deepEqual(names(graph), ["make@value=2", "make@value=1", "add"]);
  assert.deepEqual(parentsOf(graph.nodes[2]!).map((node) => node.name), ["make@value=2", "make@value=1"]);
});

Deno.test("equal unnamed nodes are one; named ones are not", async () => {
  const graph = await graphOf(() => {
    const twice = [make({}, { value: 1 }), make({}, { value: 1 })];
    const named = make({}, { value: 1 }, { name: "mine" });
    return { total: sum({ all: [...twice, named].map((one) => one.number) }).number };
  });
  assert.deepEqual(names(graph), ["make", "mine", "sum"]);
});

Deno.test("names tell the nodes of a sweep apart by what differs, also further down", async () => {
  const graph = await graphOf(() => {
    const ends: Ref<typeof number>[] = [];
    for (const value of [1, 2]) {
      for (const units of [8, 16]) {
        const made = make({}, { value, shape: { units } });
        ends.push(add({ a: made.number, b: made.number }).number);
      }
    }
    return { total: sum({ all: ends }).number };
  });
  assert.deepEqual(names(graph).filter((name) => name.startsWith("add")), [
    "add@value=1,shape.units=8",
    "add@value=1,shape.units=16",
    "add@value=2,shape.units=8",
    "add@value=2,shape.units=16",
  ]);
  assert.equal(names(graph).at(-1), "sum");
});

Deno.test("nodes that nothing tells apart are numbered; parameters that only some nodes have tell them apart", async () => {
  const numbered = await graphOf(() => {
    const all = Array.from({ length: 50 }, (_, i) => {
      const { number } = make({}, { value: i }, { name: `named ${i}` });
      return add({ a: number, b: number }).number;
    });
    return { total: sum({ all }).number };
  });
  assert.deepEqual(
    names(numbered).filter((name) => name.startsWith("add")),
    Array.from({ length: 50 }, (_, i) => i === 0 ? "add" : `add#${i + 1}`),
  );
  const own = await graphOf(() => {
    const all = ["a", "b", "c"].map((key, i) => free({}, { weights: { [key]: i, all: 7 } }).number);
    return { total: sum({ all }).number };
  });
  assert.deepEqual(names(own), ["free@weights.a=0", "free@weights.b=1", "free@weights.c=2", "sum"]);
});

Deno.test("names do not depend on the order in which nodes were made", async (test) => {
  await holds(
    test,
    fc.asyncProperty(
      fc.uniqueArray(fc.integer({ min: -50, max: 50 }), { minLength: 1, maxLength: 6 }),
      fc.infiniteStream(fc.nat()),
      async (values, shuffle) => {
        const build = (order: readonly number[]) =>
          graphOf(() => {
            const made = new Map(order.map((value) => [value, make({}, { value })]));
            const all = values.map((value) =>
              add({ a: made.get(value)!.number, b: made.get(value)!.number }).number
            );
            return { total: sum({ all }).number };
          });
        const shuffled = values.map((value) => ({ value, at: shuffle.next().value }))
          .sort((a, b) => a.at - b.at).map(({ value }) => value);
        assert.deepEqual(names(await build(values)).sort(), names(await build(shuffled)).sort());
      },
    ),
  );
});

Deno.test("two equal explicit names are refused", async () => {
  await assert.rejects(
    () =>
      graphOf(() => ({
        a: make({}, { value: 1 }, { name: "x" }).number,
        b: make({}, { value: 2 }, { name: "x" }).number,
      })),
    /two nodes are named `x`/,
  );
});

Deno.test("long and odd parameter values give safe, distinct names", async () => {
  const odd = defineStage({
    name: "odd",
    params: z.object({ text: z.string() }),
    outputs: { number },
    run: () => zero,
  });
  const texts = ["a/b", "../..", "\u0000", "x".repeat(500), "x".repeat(501), "ä", "a b"];
  const graph = await graphOf(() => ({
    total: sum({ all: texts.map((text) => odd({}, { text }).number) }).number,
  }));
  const found = names(graph).slice(0, -1);
  assert.equal(new Set(found).size, texts.length);
  for (const name of found) assert.match(name, /^odd@text=[\w.~-]{1,40}$/);
});

Deno.test("a seed depends on the run's seed and the node's own name, on no other node", async () => {
  const few = await graphOf(() => ({ a: make({}, { value: 1 }, { name: "a" }).number, b: make({}).number }));
  const more = await graphOf(() => ({
    z: make({}, { value: 5 }).number,
    b: make({}).number,
    a: make({}, { value: 1 }, { name: "a" }).number,
  }));
  const seeds = (graph: Graph) => {
    const chosen = graph.nodes.filter((node) => node.params.value !== 5);
    return Object.fromEntries(chosen.map((node) => [node.params.value, seedOf(7, node.seedName)]));
  };
  assert.deepEqual(seeds(few), seeds(more));
  assert.notEqual(seedOf(7, "a"), seedOf(8, "a"));
  assert.notEqual(seedOf(7, "a"), seedOf(7, "b"));
});

Deno.test("wiring is checked again when it runs: types are gone by then", async () => {
  const wrong = json("graph-wrong", z.number());
  const made = defineStage({ name: "wrong", outputs: { wrong, other }, run: () => ({ wrong: 1, other: 1 }) });
  const cases: [() => unknown, RegExp][] = [
    [
      () => add({ a: made({}).wrong as never, b: make({}).number }),
      /node of stage `add`: input `a`: expected `graph-number` \(version 1\), got `graph-wrong` \(version 1\)/,
    ],
    [() => add({ a: make({}).number } as never), /input `b` is missing; expected `graph-number`/],
    [
      () => add({ a: make({}).number, b: make({}).number, c: 1 } as never),
      /unknown input `c`/,
    ],
    [() => sum({ all: make({}).number } as never), /input `all`: expected a list of outputs/],
    [() => add({ a: [make({}).number], b: make({}).number } as never), /input `a`: expected one output/],
    [() => make({}, { value: 1n } as never), /parameters must be plain JSON, but `value` is a bigint/],
  ];
  for (const [call, message] of cases) {
    await assert.rejects(() => graphOf(() => ({ x: (call() as { number: Ref }).number })), message);
  }
  await assert.rejects(() => graphOf(() => ({})), /returned no outputs/);
  await assert.rejects(() => graphOf(() => ({ x: 3 as never })), /output `x` of its build returned number/);
  assert.throws(() => make({}), /called outside a build/);
});

Deno.test("a chain of ten thousand nodes is built", async () => {
  const graph = await graphOf(() => {
    let at = make({}).number;
    for (let i = 0; i < 10_000; i++) at = add({ a: at, b: at }, {}, { name: `n${i}` }).number;
    return { at };
  });
  assert.equal(graph.nodes.length, 10_001);
  assert.equal(ancestors([graph.nodes.at(-1)!]).length, 10_001);
});
