import assert from "node:assert/strict";
import { hmm, samplesFromRows, sizeOf } from "../../circuits/mod.ts";
import { densityResults, densityTable } from "../../stages/density/table.ts";
import { chooseCircuit } from "../../stages/density/choose_circuit.ts";
import { hiddenTree } from "../../stages/density/hidden_tree.ts";
import { mixCircuits } from "../../stages/density/mix_circuits.ts";
import { runHere } from "./in_place.ts";

const score = (logLikelihood: number | null, impossible = 0) => ({
  logLikelihood,
  bitsPerVariable: 0.5,
  impossible,
  samples: 10,
  standardError: 0.1,
});
const log = (...valid: (number | null)[]) => ({
  bestEpoch: valid.indexOf(Math.max(...valid.map((x) => x ?? -Infinity))),
  converged: valid.at(-1) !== Math.max(...valid.map((x) => x ?? -Infinity)),
  epochs: valid.map((x, epoch) => ({ epoch, best: true, valid: score(x, x === null ? 1 : 0) })),
});

Deno.test("the candidate whose kept epoch is best on validation is chosen", async () => {
  const circuits = [1, 2, 3].map((states) => hmm({ length: 2, states, symbols: 2 }));
  const logs = [log(-5, -3, -4), log(-6, -2.5), log(null)];
  const labels = ["one", "two", "three"];
  const told: [string, number][] = [];
  const { circuit, choice } = await runHere(chooseCircuit, { circuits, logs }, { labels }, {
    metric: (name: string, value: number) => told.push([name, value]),
  });
  assert.deepEqual(told, [["one", -3], ["two", -2.5], ["valid log-likelihood", -2.5]]);
  assert.equal(circuit, circuits[1]);
  assert.deepEqual(choice, {
    label: "two",
    valid: -2.5,
    converged: false,
    candidates: [
      { label: "one", valid: -3, converged: true },
      { label: "two", valid: -2.5, converged: false },
      { label: "three", valid: null, converged: true },
    ],
  });
  await assert.rejects(
    runHere(chooseCircuit, { circuits: circuits.slice(2), logs: [log(null)] }, { labels: ["x"] }),
    /every candidate gives some validation sample probability 0/,
  );
  await assert.rejects(
    runHere(chooseCircuit, { circuits, logs }, { labels: ["x"] }),
    /3 circuits, 3 logs and 1 labels/,
  );
});

Deno.test("the table has means and deviations over seeds, and refuses means that leave samples out", async () => {
  const choices = ["8", "16", "8"].map((label, i) => ({
    label,
    valid: -1 - i,
    converged: i !== 1,
    candidates: [],
  }));
  const rows = [
    { set: "a", model: "tree", seeds: 2, published: -2.1 },
    { set: "a", model: "mixture", seeds: 1, published: null },
  ];
  const { table } = await runHere(densityResults, { choices, scores: [score(-2), score(-4), score(-1)] }, {
    rows,
  });
  assert.deepEqual(table.rows[0], {
    set: "a",
    model: "tree",
    chosen: ["8", "16"],
    converged: [true, false],
    valid: -1.5,
    test: -3,
    deviation: Math.SQRT2,
    seeds: [-2, -4],
    published: -2.1,
  });
  assert.equal(table.rows[1].deviation, 0);
  const lines = (await densityTable.summary!(table)).split("\n");
  assert.match(lines[1]!, /^a +tree +8, 16 +1 of 2 not converged +-1\.500 +-3\.000 +1\.414 +2 +-2\.100$/);
  assert.match(lines[2]!, /^a +mixture +8 +converged +-3\.000/);
  await assert.rejects(
    runHere(densityResults, { choices, scores: [score(-2), score(-4, 1), score(-1)] }, { rows }),
    /a, tree, seed 2: 1 of 10 test samples are impossible/,
  );
});

Deno.test("trees of bootstrap samples differ, trees of the samples do not; a mixture holds all of them", async () => {
  // Variable 1 copies 0 most of the time, 2 and 3 are nearly as near to everything: resampling changes the tree.
  const rows = Array.from(
    { length: 40 },
    (_, s) => [s % 2, s % 7 === 0 ? 1 - s % 2 : s % 2, (s >> 1) % 2, (s * 5 >> 2) % 2, (s * 3 >> 1) % 2],
  );
  const train = { all: () => Promise.resolve(samplesFromRows(rows)) };
  const tree = async (seed: number, bootstrap: boolean) => {
    return (await runHere(hiddenTree, { train }, { latents: 2, bootstrap }, { seed })).circuit;
  };
  const shape = ({ nodes }: ReturnType<typeof hmm>) => JSON.stringify(nodes);
  const drawn = await Promise.all([1, 2, 3, 4, 5].map((seed) => tree(seed, true)));
  assert.ok(new Set(drawn.map(shape)).size > 1);
  const plain = [await tree(1, false), await tree(2, false)];
  assert.equal(shape(plain[0]), shape(plain[1]));
  assert.notDeepEqual(plain[0].parameters, plain[1].parameters);
  assert.equal(shape(await tree(1, true)), shape(drawn[0]));
  const { circuit } = await runHere(mixCircuits, { circuits: drawn });
  assert.equal(sizeOf(circuit).edges, drawn.reduce((sum, one) => sum + sizeOf(one).edges, 5));
});
