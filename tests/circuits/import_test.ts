import assert from "node:assert/strict";
import * as fc from "fast-check";
import {
  compileFactors,
  type FactorGraph,
  isDeterministic,
  map,
  parseJpc,
  parsePsdd,
  parseUai,
  RandomStream,
  ReferenceEvaluator,
  samplesFromRows,
} from "../../circuits/mod.ts";
import { readData } from "./data.ts";
import { allSamples, assignments, close } from "./truth.ts";

/** Product of the factors for one state. */
function weightOf({ states, factors }: FactorGraph, x: readonly number[]): number {
  return factors.reduce((total, { scope, values }) => {
    const cell = scope.reduce((at, v) => at * states[v]! + x[v]!, 0);
    return total * values[cell]!;
  }, 1);
}

Deno.test("little_4var.psdd: the known probabilities and completion", async () => {
  const text = readData("circuits/little_4var.psdd");
  if (text === undefined) return;
  const evaluator = new ReferenceEvaluator(parsePsdd(text));
  const rows = [[0, 0, 0, 0], [0, 1, 1, 0], [0, 0, 1, 1]];
  const logs = await evaluator.logLikelihoods(samplesFromRows(rows));
  [0.07, 0.03, 0.14].forEach((p, i) =>
    assert.ok(close(Math.exp(logs[i]!), p, 1e-7), `${Math.exp(logs[i]!)}`)
  );
  const best = await map(evaluator, samplesFromRows([[0, 0, 0, null]]));
  assert.deepEqual([...best.samples.values], [0, 0, 0, 1]);
  assert.ok(Math.abs(best.logValues[0]! - -1.2729657) < 1e-6, `${best.logValues[0]}`);
});

Deno.test("both compilations of the Asia network and ours agree with its tables in all 256 states", async () => {
  const uai = readData("circuits/asia.uai");
  const psdds = ["asia.uai.psdd", "asia-bdd.psdd"].map((name) => readData(`circuits/${name}`));
  if (uai === undefined || psdds.includes(undefined)) return;
  const network = parseUai(uai);
  const compiled = compileFactors(network);
  assert.ok(close(compiled.logPartition, 0, 1e-9) && isDeterministic(compiled.circuit));
  const check = async (circuit: typeof compiled.circuit, tolerance: number) => {
    const rows = assignments(circuit);
    assert.equal(rows.length, 256);
    const logs = await new ReferenceEvaluator(circuit).logLikelihoods(samplesFromRows(rows));
    rows.forEach((x, i) => {
      const p = weightOf(network, x);
      assert.ok(Math.abs(Math.exp(logs[i]!) - p) < tolerance, `${x}: ${Math.exp(logs[i]!)} for ${p}`);
    });
  };
  await check(compiled.circuit, 1e-7);
  for (const psdd of psdds) await check(parsePsdd(psdd!), 3e-7);
});

Deno.test("random factor graphs compile to what their tables say, partition function and MAP included", async () => {
  await fc.assert(
    fc.asyncProperty(fc.noShrink(fc.nat(1e6)), async (seed) => {
      const random = new RandomStream(seed);
      const states = Array.from({ length: 1 + random.integer(5) }, () => 1 + random.integer(3));
      const factors = Array.from({ length: random.integer(6) }, () => {
        const scope = random.permutation(states.length).slice(
          0,
          random.integer(Math.min(3, states.length) + 1),
        );
        const size = scope.reduce((n, v) => n * states[v]!, 1);
        const values = Float64Array.from(
          { length: size },
          () => random.uniform() < 0.2 ? 0 : 3 * random.uniform(),
        );
        return { scope, values };
      });
      const graph = { states, factors };
      const all = states.reduce<number[][]>(
        (rows, k) => rows.flatMap((row) => Array.from({ length: k }, (_, i) => [...row, i])),
        [[]],
      );
      const weights = all.map((x) => weightOf(graph, x));
      const total = weights.reduce((a, b) => a + b, 0);
      if (total === 0) {
        assert.throws(() => compileFactors(graph), /no state with a probability above 0/);
        return;
      }
      const { circuit, logPartition } = compileFactors(graph);
      assert.ok(close(logPartition, Math.log(total), 1e-9));
      const evaluator = new ReferenceEvaluator(circuit);
      const logs = await evaluator.logLikelihoods(allSamples(circuit));
      logs.forEach((l, i) => assert.ok(close(Math.exp(l), weights[i]! / total, 1e-5)));
      const best = await map(evaluator, samplesFromRows([states.map(() => null)]));
      assert.ok(close(Math.exp(best.logValues[0]!), Math.max(...weights) / total, 1e-5));
    }),
    { numRuns: 200 },
  );
});

Deno.test("jpc: leaves of all kinds, sums and products", async () => {
  const log = Math.log;
  const text = `c a comment
jpc 10
L 0 0 1
L 1 0 -1
I 2 1 2 2
C 3 1 2 ${log(0.5)} ${log(0.25)} ${log(0.25)}
G 4 2 3 1.5 2
P 5 0 3 0 2 4
P 6 0 3 1 3 4
P 7 0 3 1 2 4
S 8 0 2 6 -Inf 7 0.0
S 9 0 3 5 ${log(0.2)} 6 ${log(0.3)} 8 ${log(0.5)}
`;
  const circuit = parseJpc(text);
  assert.deepEqual(circuit.variables.map((v) => v.kind === "categorical" ? v.states : v.kind), [
    2,
    3,
    "real",
  ]);
  const normal = Math.exp(-0.5 * 0.25 ** 2) / (2 * Math.sqrt(2 * Math.PI));
  const logs = await new ReferenceEvaluator(circuit).logLikelihoods(
    samplesFromRows([[1, 2, 2], [0, 2, 2], [0, 0, null], [1, 0, 2]]),
  );
  const expected = [0.2 * normal, (0.3 * 0.25 + 0.5) * normal, 0.3 * 0.5, 0];
  logs.forEach((l, i) => assert.ok(close(Math.exp(l), expected[i]!), `${i}: ${Math.exp(l)}`));
});

Deno.test("faults of text formats are refused with the line", () => {
  const refused: [() => unknown, RegExp][] = [
    [() => parsePsdd("L 0 0 1"), /no .psdd file/],
    [() => parsePsdd("psdd 1\nL 0 0"), /line 2: it ends before the literal/],
    [() => parsePsdd("psdd 1\nX 0 0 1"), /line 2: unknown kind `X`/],
    [() => parsePsdd("psdd 1\nL 0 0 x"), /line 2: the literal must be a whole number/],
    [() => parsePsdd("psdd 1\nL 0 0 1\nL 0 0 2"), /line 3: node 0 is defined twice/],
    [() => parsePsdd("psdd 1\nL 0 0 1\nD 2 1 1 0 5 0.0"), /line 3: node 5 is not defined/],
    [
      () => parsePsdd("psdd\nL 0 0 1\nL 1 0 2\nL 2 0 -2\nD 3 1 2 0 1 -0.1 0 2 -5"),
      /line 5: its probabilities sum to 0.91/,
    ],
    [() => parsePsdd("psdd 1\nT 0 0 1 0.5"), /probability of variable 1 is 1.6/],
    [() => parsePsdd("psdd 1\n"), /has no nodes/],
    [() => parseJpc("jpc 2\nL 0 0 1"), /2 nodes are announced, but 1 follow/],
    [() => parseJpc("jpc 1\nB 0 0 1 2 0.5"), /line 2: unknown kind `B`/],
    [() => parseJpc("jpc 1\nC 0 0 1 -0.1 -0.1"), /line 2: its probabilities sum to 1.8/],
    [() => parseJpc("jpc 2\nL 0 0 1\nP 1 0 2 0 0"), /not decomposable/],
    [() => parseJpc("jpc 3\nL 0 0 1\nL 1 0 2\nS 2 0 2 0 -0.69314718 1 -0.69314718"), /not smooth/],
    [() => parseUai("CNF 1"), /begins with `CNF`/],
    [() => parseUai("BAYES 1 2 1 1 0 3 1 0 0"), /entries of factor 0 \(expected 2\) is `3`/],
    [() => parseUai("BAYES 1 2 1 1 0 2 1"), /ends before entry 1 of factor 0/],
    [() => parseUai("BAYES 1 2 1 1 0 2 1 -1"), /entry 1 of factor 0 is `-1`/],
    [() => parseUai("BAYES 1 2 1 1 4 2 1 0"), /a variable of factor 0 is `4`/],
    [() => parseUai("BAYES 1 2 1 1 0 2 1 0 7"), /1 words follow/],
  ];
  for (const [parse, message] of refused) assert.throws(parse, message);
});
