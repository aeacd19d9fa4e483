import assert from "node:assert/strict";
import fc from "fast-check";
import { changeOf } from "../../runner/change_text.ts";
import { matchNodes, type PlacedNodes } from "../../runner/match.ts";
import { holds } from "../property.ts";

/** A run of the language experiment: two arms by states and seeds, scored on two texts. */
function run(states: readonly number[], seeds = 1, arms = true): PlacedNodes {
  const nodes: { name: string; stage: string; params: Record<string, number> }[] = [
    { name: "load", stage: "load", params: {} },
  ];
  const edges: { node: string; input: string; source: string; output: string }[] = [];
  const called: { node: string; arm: string; setting: string }[] = [];
  for (const count of states) {
    for (const arm of ["random", "distilled"]) {
      for (let seed = 0; seed < seeds; seed++) {
        const at = `${arm}@${count}, seed ${seed}`;
        nodes.push(
          { name: `start ${at}`, stage: `start.${arm}`, params: { states: count } },
          { name: `em ${at}`, stage: "em", params: { epochs: 3 } },
          { name: `valid ${at}`, stage: "score", params: {} },
          { name: `test ${at}`, stage: "score", params: {} },
        );
        edges.push({ node: `em ${at}`, input: "circuit", source: `start ${at}`, output: "circuit" });
        for (const split of ["valid", "test"]) {
          edges.push(
            { node: `${split} ${at}`, input: "circuit", source: `em ${at}`, output: "circuit" },
            { node: `${split} ${at}`, input: "tokens", source: "load", output: split },
          );
        }
        if (arms) {
          for (const what of ["em", "valid", "test"]) {
            called.push({ node: `${what} ${at}`, arm, setting: `${count}` });
          }
        }
      }
    }
  }
  return {
    nodes: nodes.map((node, position) => ({
      ...{ run: "r", position, ...node, state: "ran", key: null, reasons: [], started: null },
      ...{ seconds: null, log: null, error: null, code: null, engine: null },
    })),
    edges,
    arms: called,
  };
}

const named = (rows: ReturnType<typeof matchNodes>) =>
  new Map(rows.map((row) => [row.name, row.nodes.map((node) => node?.name)]));

Deno.test("nodes whose names hold a parameter are matched by their place, with and without arms", () => {
  for (const arms of [true, false]) {
    const rows = matchNodes([run([32], 2, arms), run([16], 2, arms)]);
    assert.ok(rows.every(({ nodes }) => nodes.every((node) => node !== undefined)), "nothing stands alone");
    const found = named(rows);
    assert.deepEqual(found.get("test distilled@…, seed 1"), [
      "test distilled@32, seed 1",
      "test distilled@16, seed 1",
    ]);
    assert.deepEqual(found.get("load"), ["load", "load"]);
  }
});

Deno.test("of sweeps the equal arms are matched, the others stand alone where their numbers differ", () => {
  const found = named(matchNodes([run([64, 128]), run([128, 256, 512])]));
  assert.deepEqual(found.get("em random@128, seed 0"), ["em random@128, seed 0", "em random@128, seed 0"]);
  assert.deepEqual(found.get("em random@64, seed 0"), ["em random@64, seed 0", undefined]);
  assert.deepEqual(found.get("em random@512, seed 0"), [undefined, "em random@512, seed 0"]);
});

Deno.test("whatever runs are matched, every node stands in one row, and equal runs match whole", (test) => {
  const sweeps = fc.uniqueArray(fc.constantFrom(8, 16, 32, 64), { minLength: 1 });
  holds(
    test,
    fc.property(
      fc.array(fc.tuple(sweeps, fc.integer({ min: 1, max: 2 })), { minLength: 2, maxLength: 4 }),
      (all) => {
        const runs = all.map(([states, seeds]) => run(states, seeds));
        const rows = matchNodes(runs);
        runs.forEach(({ nodes }, r) => {
          const placed = rows.flatMap((row) => row.nodes[r] === undefined ? [] : [row.nodes[r].name]);
          assert.deepEqual(placed.toSorted(), nodes.map(({ name }) => name).toSorted());
        });
        assert.ok(
          rows.every(({ stage, nodes }) => nodes.every((node) => node === undefined || node.stage === stage)),
        );
        const same = matchNodes([runs[0]!, runs[0]!]);
        assert.ok(same.every(({ nodes: [a, b] }) => a === b));
      },
    ),
    { numRuns: 50 },
  );
});

Deno.test("a change has a sign, a share, and a word where it is known which way is better", () => {
  const row = { node: "n", stage: "s", name: "perplexity", values: [200, 150, 200, undefined], same: false };
  assert.deepEqual(changeOf({ ...row, direction: "lower" }, 1), {
    text: "−50 (−25 %), better",
    better: true,
  });
  assert.deepEqual(changeOf({ ...row, direction: "higher" }, 1), {
    text: "−50 (−25 %), worse",
    better: false,
  });
  assert.deepEqual(changeOf({ ...row, direction: null }, 1), { text: "−50 (−25 %)", better: null });
  assert.deepEqual([0, 2, 3].map((i) => changeOf({ ...row, direction: "lower" }, i).text), ["", "", ""]);
});
