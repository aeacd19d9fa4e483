import assert from "node:assert/strict";
import { inflateSync } from "node:zlib";
import fc from "fast-check";
import type { JsonObject } from "../../foundation/canonical.ts";
import type { EdgeRecord, NodeRecord } from "../../runner/records/rows.ts";
import { spreadText } from "../../web/parts/run_parts.tsx";
import { variantGroups } from "../../web/view/variants.ts";
import { metricParts, thin } from "../../web/view/curves.ts";
import { contactSheet, encodePlainPng, imageLayout } from "../../web/view/png.ts";
import { spreadOfValues } from "../../foundation/spread.ts";
import { summarise } from "../../web/view/tensor.ts";
import { holds } from "../property.ts";

function node(name: string, stage: string, params: JsonObject = {}): NodeRecord {
  const rest = { started: null, seconds: null, log: null, error: null, engine: null, code: null };
  return { run: "r", position: 0, name, stage, params, state: "ran", key: null, reasons: [], ...rest };
}

function edge(node: string, input: string, source: string, output = input): EdgeRecord {
  return { node, input, source, output };
}

function labels(nodes: NodeRecord[], edges: EdgeRecord[], seeds: Record<string, number> = {}) {
  const groups = variantGroups(nodes, edges, (one) => seeds[one.name]);
  return Object.fromEntries(
    groups.flatMap((group) => [...group.variants].map(([name, variant]) => [name, variant.label])),
  );
}

Deno.test("variants are told apart by parameters, then wiring, then what came before; seeds are left out", () => {
  const train = [0.1, 0.2].flatMap((rate) =>
    [0, 1].map((seed) => node(`train ${rate} ${seed}`, "train", { rate, seed, same: 1 }))
  );
  assert.deepEqual(Object.values(labels(train, [])), ["rate=0.1", "rate=0.1", "rate=0.2", "rate=0.2"]);

  const evaluate = train.map((one) => node(`eval of ${one.name}`, "evaluate"));
  const edges = train.map((one, i) => edge(evaluate[i]!.name, "model", one.name));
  const found = labels([...train, ...evaluate], edges);
  assert.equal(found["eval of train 0.2 1"], "rate=0.2", "by the node before it");

  const splits = ["valid", "test"].map((split) => node(split, "score", { on: 1 }));
  const wired = splits.map((one) => edge(one.name, "tokens", "load", one.name));
  assert.deepEqual(Object.values(labels(splits, wired)), ["tokens=valid", "tokens=test"]);

  // Variants that begin in other stages, each node with a seed of its own.
  const starts = [node("random", "text.random"), node("counted", "text.counted")];
  const chains = starts.map((one) => node(`em ${one.name}`, "em", { epochs: 3 }));
  const scored = chains.map((one) => node(`score ${one.name}`, "score"));
  const wires = [
    ...starts.map((one, i) => edge(chains[i]!.name, "circuit", one.name)),
    ...chains.map((one, i) => edge(scored[i]!.name, "circuit", one.name)),
  ];
  const all = [...starts, ...chains, ...scored];
  const apart = labels(all, wires, Object.fromEntries(all.map((one, i) => [one.name, i])));
  assert.equal(apart["em random"], "circuit=text.random");
  assert.equal(apart["score em counted"], "circuit=text.counted", "by the node before it");

  const draws = ["a", "b"].map((name) => node(name, "draw"));
  const groups = variantGroups(draws, [], (one) => one.name === "a" ? 1 : 2);
  assert.deepEqual([...groups[0]!.variants.values()].map((variant) => [variant.label, variant.seed]), [[
    "",
    "1",
  ], ["", "2"]]);
  assert.deepEqual(Object.values(labels(draws, [])), ["a", "b"], "by name where nothing else does");
  assert.deepEqual(labels([node("one", "s", { rate: 1 })], []), { one: "" });
});

Deno.test("what came before is the union over all nodes that lead to one", async (test) => {
  const wiring = fc.record({
    // Each of the nodes in the middle reads a base, or one of those before it.
    middle: fc.array(fc.nat(), { minLength: 2, maxLength: 12 }),
    leaves: fc.array(fc.tuple(fc.nat(), fc.nat()), { minLength: 2, maxLength: 8 }),
  });
  await holds(
    test,
    fc.property(wiring, ({ middle, leaves }) => {
      const bases = [0, 1, 2, 3].map((x) => node(`base ${x}`, "base", { x }));
      const mids = middle.map((_, i) => node(`mid ${i}`, "mid"));
      const ends = leaves.map((_, i) => node(`leaf ${i}`, "leaf"));
      const before = (i: number) => [...bases, ...mids.slice(0, i)];
      const edges = [
        ...middle.map((n, i) => edge(`mid ${i}`, "in", before(i)[n % before(i).length]!.name, "o")),
        ...leaves.flatMap(([a, b], i) => [
          edge(`leaf ${i}`, "a", mids[a % mids.length]!.name, "o"),
          edge(`leaf ${i}`, "b", mids[b % mids.length]!.name, "o"),
        ]),
      ];
      // By brute force: follow every edge backwards.
      const reached = (name: string): string[] => [
        name,
        ...edges.filter((one) => one.node === name).flatMap((one) => reached(one.source)),
      ];
      const expected = ends.map((one) => {
        const texts = reached(one.name).filter((name) => name.startsWith("base")).map((name) => name.at(-1)!);
        return [...new Set(texts)].sort().join("+");
      });
      const all = [...ends.toReversed(), ...mids, ...bases];
      const group = variantGroups(all, edges, () => undefined).find(({ stage }) => stage === "leaf")!;
      const column = group.columns.indexOf("x");
      const values = ends.map((one) => group.variants.get(one.name)!.values);
      if (column >= 0) return assert.deepEqual(values.map((row) => row[column]), expected);
      // Left out: it never varies, or an earlier column parts the leaves in the same way.
      const parts = (texts: readonly unknown[]) => texts.map((text) => texts.indexOf(text)).join();
      const others = group.columns.map((_, i) => parts(values.map((row) => row[i])));
      assert.ok(new Set(expected).size === 1 || others.includes(parts(expected)), expected.join());
    }),
  );
});

Deno.test("a chain of thousands of nodes is told apart, whatever the order of its nodes", () => {
  const chain = Array.from({ length: 5000 }, (_, i) => node(`n${i}`, "step", { rate: 1 }));
  const edges = chain.slice(1).map((one, i) => edge(one.name, "state", `n${i}`));
  const [group] = variantGroups(chain.toReversed(), edges, (one) => Number(one.name.slice(1)));
  assert.equal(group!.variants.get("n0")!.seed.slice(0, 2), "0 ");
  assert.equal(
    new Set([...group!.variants.values()].map(({ seed }) => seed)).size,
    5000,
    "by their seeds alone",
  );
});

Deno.test("a thinned curve keeps first, last, lowest, highest and the order", (test) => {
  holds(
    test,
    fc.property(
      fc.array(fc.option(fc.double({ noNaN: true }), { freq: 9 }), { minLength: 17, maxLength: 200 }),
      (values) => {
        const points = values.map((value, i) => [i, value] as const);
        const kept = thin(points, 16);
        assert.ok(kept.length <= Math.max(16, 5 * 4));
        assert.deepEqual(kept[0], points[0]);
        assert.deepEqual(kept.at(-1), points.at(-1));
        assert.ok(kept.every((point, i) => i === 0 || point[0] > kept[i - 1]![0]));
        const numbers = (list: readonly (readonly [number, number | null])[]) =>
          list.flatMap(([, value]) => value === null ? [] : [value + 0]); // -0 is 0.
        assert.equal(Math.max(...numbers(kept)), Math.max(...numbers(points)));
        assert.equal(Math.min(...numbers(kept)), Math.min(...numbers(points)));
        assert.equal(kept.some(([, value]) => value === null), points.some(([, value]) => value === null));
      },
    ),
  );
});

Deno.test("units of metrics stand in brackets", () => {
  assert.deepEqual(metricParts("loss [nats/token]"), { name: "loss", unit: "nats/token" });
  assert.deepEqual(metricParts("[odd]"), { name: "[odd]", unit: undefined });
});

Deno.test("summaries of tensors agree with the plain formulas; what is not finite is counted", (test) => {
  holds(
    test,
    fc.property(fc.array(fc.float({ noNaN: true, min: -100, max: 100 }), { minLength: 1 }), (numbers) => {
      const summary = summarise([...numbers, NaN, Infinity]);
      const mean = numbers.reduce((a, b) => a + b, 0) / numbers.length;
      const variance = numbers.reduce((a, b) => a + (b - mean) ** 2, 0) / numbers.length;
      assert.ok(Math.abs(summary.mean! - mean) < 1e-9);
      assert.ok(Math.abs(summary.deviation! - Math.sqrt(variance)) < 1e-6);
      assert.equal(summary.min, Math.min(...numbers));
      assert.equal(summary.notFinite, 2);
      assert.equal(summary.histogram.counts.reduce((a, b) => a + b, 0), numbers.length);
    }),
  );
  assert.deepEqual(summarise([1, 1, 3]).histogram, { from: 0.5, to: 3.5, counts: [2, 0, 1] });
});

Deno.test("a contact sheet holds the images' pixels in place; its PNG is what zlib reads back", () => {
  assert.equal(imageLayout("u1", [2, 2, 4, 2]), undefined, "two channels are no picture");
  assert.deepEqual(imageLayout("u1", [2, 3, 2, 3]), {
    count: 2,
    height: 3,
    width: 2,
    channels: 3,
    planes: false,
  });
  assert.equal(imageLayout("f4", [2, 3, 2, 3]), undefined);
  const planes = imageLayout("u1", [2, 3, 4, 5])!;
  assert.deepEqual(planes, { count: 2, height: 4, width: 5, channels: 3, planes: true });
  const numbers = Array.from({ length: 2 * 3 * 4 * 5 }, (_, i) => i);
  const sheet = contactSheet(numbers, planes);
  assert.deepEqual([sheet.width, sheet.height], [11, 4]);
  // Second image, second row, third column: each channel 20 numbers further.
  const at = (1 * 11 + 6 + 2) * 3;
  assert.deepEqual([...sheet.pixels.subarray(at, at + 3)], [67, 87, 107]);
  const png = encodePlainPng(sheet);
  const length = new DataView(png.buffer).getUint32(33);
  assert.equal(new TextDecoder().decode(png.subarray(37, 41)), "IDAT");
  const lines = inflateSync(png.subarray(41, 41 + length));
  assert.deepEqual([...lines.subarray(1, 34)], [...sheet.pixels.subarray(0, 33)]);
});

Deno.test("spreads: mean, sample deviation, and only as many digits as they mean", () => {
  assert.deepEqual(spreadOfValues([1, 2, 3, null, undefined]), {
    mean: 2,
    deviation: 1,
    min: 1,
    max: 3,
    n: 3,
  });
  assert.equal(spreadOfValues([null, NaN, -Infinity]), null);
  assert.equal(spreadOfValues([0.1, 0.1, 0.1])!.deviation, 0);
  assert.equal(spreadText(spreadOfValues([1.23456, 1.24456])), "1.2396 ± 0.0071");
  assert.equal(spreadText(spreadOfValues([5])), "5");
  assert.equal(spreadText(null), "–");
});
