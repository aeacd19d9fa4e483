import assert from "node:assert/strict";
import * as fc from "fast-check";
import {
  type CircuitError,
  compileFactors,
  type FactorGraph,
  isDeterministic,
  map,
  parseJpc,
  parsePsdd,
  parseUai,
  parseUaiEvidence,
  RandomStream,
  readModelText,
  ReferenceEvaluator,
  samplesFromRows,
  sizeOf,
} from "../../circuits/mod.ts";
import { holds } from "../property.ts";
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

Deno.test("random factor graphs compile to what their tables say, partition function and MAP included", async (test) => {
  await holds(
    test,
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

Deno.test("a .psdd over part of the variables is a circuit over these, however they are numbered", async () => {
  for (const second of [3, 300_000_000, Number.MAX_SAFE_INTEGER]) {
    const text = `psdd 3\nT 0 0 1 -0.5\nT 1 1 ${second} -0.25\nD 2 2 1 0 1 0.0`;
    const circuit = parsePsdd(text);
    assert.deepEqual(circuit.variables.map(({ name }) => name), ["x1", `x${second}`]);
    const logs = await new ReferenceEvaluator(circuit).logLikelihoods(samplesFromRows([[1, 1], [1, null]]));
    assert.ok(Math.abs(logs[0]! - -0.75) < 1e-6 && Math.abs(logs[1]! - -0.5) < 1e-6, `${logs}`);
  }
});

/** A chain of products over `n` variables, each true with probability exp(-0.5). */
function psddChain(n: number): string {
  const lines = [`psdd ${2 * n - 1}`];
  for (let v = 1; v <= n; v++) lines.push(`T ${v} 0 ${v} -0.5`);
  for (let v = 2; v <= n; v++) lines.push(`D ${n + v} 0 1 ${v} ${v === 2 ? 1 : n + v - 1} 0.0`);
  return lines.join("\n");
}

Deno.test("chains of any length are read: nothing recurses", async () => {
  const n = 5000;
  const jpc = [`jpc ${2 * n - 1}`];
  for (let v = 1; v <= n; v++) jpc.push(`C ${v} 0 ${v} ${Math.log1p(-Math.exp(-0.5))} -0.5`);
  for (let v = 2; v <= n; v++) jpc.push(`P ${n + v} 0 2 ${v} ${v === 2 ? 1 : n + v - 1}`);
  for (const circuit of [parsePsdd(psddChain(n)), parseJpc(jpc.join("\n"))]) {
    assert.equal(circuit.variables.length, n);
    const [log] = await new ReferenceEvaluator(circuit).logLikelihoods(
      samplesFromRows([new Array(n).fill(1)]),
    );
    assert.ok(close(log!, -0.5 * n, 1e-5), `${log}`);
  }
});

Deno.test("cases, comments, line ends and byte order marks of text formats do not matter", () => {
  const psdd = "psdd 3\nT 0 0 1 -0.5\nT 1 1 2 -0.5\nD 2 2 1 0 1 0.0\n";
  const other =
    "\uFEFFc by hand\r\nPSDD 3\r\n# leaves\r\nt 0 0 1 -0.5\r\n\r\n  t 1 1 2 -0.5\r\nd 2 2 1 0 1 0.0";
  assert.deepEqual(parsePsdd(other), parsePsdd(psdd));
  const uai = "BAYES 2  2 2  2  1 0  2 0 1   2  0.3 0.7   4  0.9 0.1 0.2 0.8";
  const loose =
    "# two coins\nbayes # as a network\n2\n2 2\n2 # factors\n1 0\n2 0 1\n2\n.3 7e-1\n4\n0.9 0.1\nc rows\n0.2 0.8";
  assert.deepEqual(parseUai(loose), parseUai(uai));
});

Deno.test(".uai.evid in both of its forms gives rows of observed states", () => {
  const model = parseUai("MARKOV 3 2 3 2 0");
  const rows = (text: string) => parseUaiEvidence(text, model);
  assert.deepEqual(rows("2 0 1 1 2"), [[1, 2, null]]);
  assert.deepEqual(rows("1\n2 0 1 1 2\n"), [[1, 2, null]]);
  assert.deepEqual(rows("2\n1 2 0\n0\n"), [[null, null, 0], [null, null, null]]);
  assert.deepEqual(rows("0"), [[null, null, null]]);
  assert.deepEqual(rows("1\n0"), [[null, null, null]]);
  // Five words that fit both forms: what stands alone on the first line decides.
  assert.deepEqual(rows("2 0 0 1 1"), [[0, 1, null]]);
  assert.deepEqual(rows("2\n0\n1 1 1"), [[null, null, null], [null, 1, null]]);
  assert.deepEqual(rows("# seen\n1 2 1 # the last"), [[null, null, 1]]);
  const refused: [string, RegExp][] = [
    ["", /ends before the number of samples/],
    ["1 0 2", /the state of variable 0 in sample 0 \(it has 2 states\) is `2`/],
    ["1 3 0", /a variable of sample 0 is `3`/],
    ["2 0 1 0 1", /sample 0 names variable 0 twice/],
    ["1\n5000000000 0 1", /the number of values of sample 0 is 5000000000, but/],
    ["5000000000", /the number of samples is 5000000000, but only 0 words/],
    ["1\n1 0 1 1", /1 words follow after the last sample/],
  ];
  for (const [text, message] of refused) assert.throws(() => rows(text), message);
});

Deno.test("binomial leaves of .jpc files", async () => {
  const circuit = parseJpc("jpc 1\nB 0 0 1 4 0.25");
  const logs = await new ReferenceEvaluator(circuit).logLikelihoods(allSamples(circuit));
  const expected = [81, 108, 54, 12, 1].map((n) => n / 256);
  logs.forEach((log, k) => assert.ok(close(Math.exp(log), expected[k]!, 1e-6)));
  const sure = parseJpc("jpc 3\nB 0 0 1 3 0\nB 1 0 2 3 1\nP 2 0 2 0 1");
  assert.deepEqual([...await new ReferenceEvaluator(sure).logLikelihoods(samplesFromRows([[0, 3]]))], [0]);
  const many = parseJpc("jpc 1\nB 0 0 1 60000 0.5");
  const [middle] = await new ReferenceEvaluator(many).logLikelihoods(samplesFromRows([[30000]]));
  // Stirling: the largest probability is about (pi n / 2)^-1/2.
  assert.ok(close(Math.exp(middle!), 1 / Math.sqrt(Math.PI * 30000), 1e-4), `${middle}`);
});

Deno.test("model files are read packed or not, and what is neither is named", async () => {
  const folder = await Deno.makeTempDir();
  try {
    const text = psddChain(3);
    const packed = new Response(new Blob([text]).stream().pipeThrough(new CompressionStream("gzip")));
    const bytes = await packed.bytes();
    await Deno.writeTextFile(`${folder}/plain`, text);
    await Deno.writeFile(`${folder}/packed`, bytes);
    await Deno.writeFile(`${folder}/members`, Uint8Array.of(...bytes, ...bytes));
    await Deno.writeFile(`${folder}/short`, bytes.subarray(0, bytes.length - 9));
    await Deno.writeFile(`${folder}/other`, Uint8Array.of(0x28, 0xb5, 0x2f, 0xfd));
    assert.equal(await readModelText(`${folder}/plain`), text);
    assert.equal(await readModelText(`${folder}/packed`), text);
    assert.equal(await readModelText(`${folder}/members`), text + text);
    await assert.rejects(readModelText(`${folder}/short`), /short: its gzip data are damaged or cut short/);
    await assert.rejects(readModelText(`${folder}/other`), /other is not UTF-8 text/);
    await assert.rejects(readModelText(`${folder}/none`), /none cannot be read: there is no such file/);
    await assert.rejects(readModelText(folder), /cannot be read/);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("factors whose product no double holds are compiled all the same", async () => {
  // A class and 1,500 features: p(class) is even, each class's product of factors is 2^750 of 10^-1050 and 10^0.
  const features = 1500;
  const factors = Array.from({ length: features }, (_, i) => ({
    scope: [0, i + 1],
    values: Float64Array.from(i % 2 === 0 ? [9, 1, 0.1, 0.1] : [0.1, 0.1, 9, 1]),
  }));
  const { circuit, logPartition } = compileFactors({ states: new Array(features + 1).fill(2), factors });
  assert.ok(close(logPartition, Math.log(2) + features / 2 * (Math.log(10) + Math.log(0.2)), 1e-9));
  const row = [0, ...new Array(features).fill(null)];
  const [even] = await new ReferenceEvaluator(circuit).logLikelihoods(samplesFromRows([row]));
  assert.ok(close(even!, Math.log(0.5), 1e-3));
  // Sums above the largest double, products below the smallest.
  for (const [scale, log] of [[1e308, 308], [1e-300, -300]] as const) {
    const table = { scope: [0], values: Float64Array.of(0.25 * scale, 0.75 * scale) };
    const { circuit, logPartition } = compileFactors({ states: [2], factors: [table, table] });
    assert.ok(close(logPartition, Math.log(0.625) + 2 * log * Math.LN10, 1e-9));
    const [one] = await new ReferenceEvaluator(circuit).logLikelihoods(samplesFromRows([[1]]));
    assert.ok(close(one!, Math.log(0.9), 1e-6));
  }
});

/** Factors over neighbours in a grid of binary variables. */
function grid(width: number, height: number): FactorGraph {
  const random = new RandomStream(width);
  const factors = Array.from({ length: width * height }, (_, v) => [v, v % width === width - 1 ? -1 : v + 1])
    .concat(Array.from({ length: width * (height - 1) }, (_, v) => [v, v + width]))
    .filter(([, b]) => b! >= 0)
    .map((scope) => ({ scope, values: Float64Array.from({ length: 4 }, () => 0.1 + random.uniform()) }));
  return { states: new Array(width * height).fill(2), factors };
}

Deno.test("chains, stars and trees of thousands of variables compile to small circuits", async () => {
  const n = 4000, table = Float64Array.of(0.9, 0.1, 0.2, 0.8);
  const parent: Record<string, (v: number) => number> = {
    chain: (v) => v - 1,
    star: () => 0,
    tree: (v) => (v - 1) >> 1,
  };
  for (const [shape, of] of Object.entries(parent)) {
    const factors = Array.from(
      { length: n },
      (_, v) =>
        v === 0 ? { scope: [0], values: Float64Array.of(0.3, 0.7) } : { scope: [of(v), v], values: table },
    );
    const { circuit, logPartition } = compileFactors({ states: new Array(n).fill(2), factors });
    assert.ok(Math.abs(logPartition) < 1e-9, `${shape}: ${logPartition}`);
    assert.ok(sizeOf(circuit).edges < 20 * n, shape);
    const row = Array.from({ length: n }, (_, v) => v % 3 === 0 ? 1 : 0);
    const truth = row.reduce<number>(
      (log, x, v) => log + Math.log(v === 0 ? [0.3, 0.7][x]! : table[2 * row[of(v)]! + x]!),
      0,
    );
    const [log] = await new ReferenceEvaluator(circuit).logLikelihoods(samplesFromRows([row]));
    assert.ok(Math.abs(log! - truth) < 1e-3, `${shape}: ${log} for ${truth}`);
  }
});

Deno.test("a clique in one factor compiles, and models that are too wide are refused with their width", () => {
  const clique = {
    scope: Array.from({ length: 14 }, (_, v) => v),
    values: new Float64Array(1 << 14).fill(1),
  };
  const { logPartition } = compileFactors({ states: new Array(14).fill(2), factors: [clique] });
  assert.ok(Math.abs(logPartition - 14 * Math.LN2) < 1e-9);
  for (const [width, least] of [[20, 11], [60, 11]] as const) {
    assert.throws(() => compileFactors(grid(width, width)), (error: Error) => {
      const found = /has the width (\d+) or more/.exec(error.message);
      assert.ok(found !== null && Number(found[1]) >= least, error.message);
      assert.match((error as CircuitError).hint ?? "", /knowledge compiler/);
      return true;
    });
  }
  const pairs = Array.from({ length: 30 }, (_, v) => Array.from({ length: v }, (_, u) => [u, v])).flat();
  const dense = pairs.map((scope) => ({ scope, values: new Float64Array(4).fill(1) }));
  assert.throws(
    () => compileFactors({ states: new Array(30).fill(2), factors: dense }),
    /the width 29 or more, and a table over 30 variables/,
  );
});

Deno.test("graphical models whose tables make no sense are refused with every fault", () => {
  const states = [2, 2], values = Float64Array.of(1, 1, 1, 1);
  const refused: [FactorGraph, RegExp][] = [
    [{ states: [], factors: [] }, /it has no variables/],
    [{ states: [2, 1.5], factors: [] }, /variable 1: it has 1.5 states/],
    [{ states, factors: [{ scope: [0, 2], values }] }, /factor 0: there is no variable 2/],
    [{ states, factors: [{ scope: [0, 0], values }] }, /factor 0: it names a variable twice/],
    [{ states, factors: [{ scope: [0], values }] }, /factor 0: its table has 4 numbers, expected 2/],
    [{ states, factors: [{ scope: [0], values: Float64Array.of(1, NaN) }] }, /entry 1 is NaN/],
  ];
  for (const [graph, message] of refused) assert.throws(() => compileFactors(graph), message);
});

Deno.test("faults of text formats are refused with the line", () => {
  const refused: [() => unknown, RegExp][] = [
    [() => parsePsdd("L 0 0 1"), /not a \.psdd file/],
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
    [() => parseJpc("jpc 1\nX 0 0 1 2 0.5"), /line 2: unknown kind `X`/],
    [() => parseJpc("jpc 1\nB 0 0 1 2 1.5"), /line 2: the probability of a binomial leaf is 1.5/],
    [() => parseJpc("jpc 1\nB 0 0 1 -2 0.5"), /line 2: a binomial leaf has -2 trials/],
    [() => parseJpc("jpc 1\nI 0 0 1 70000"), /line 2: variable 1 would have 70001 states/],
    [() => parseJpc("jpc 2\nL 0 0 1\nP 1 0 5000000000 0"), /line 3: it announces 5000000000 .*; 1 follow/],
    [
      () => parsePsdd("psdd 3\nT 0 0 1 -0.5\nT 1 1 2 -0.5\nD 2 2 5000000000 0 1 0.0"),
      /line 4: it announces 5000000000/,
    ],
    [
      () => parsePsdd("psdd 3\nT 0 0 1 -0.5\nT 1 1 2 -0.5\nD 2 2 0 0 1 0.0"),
      /line 4: .* is 0, expected 1 at least/,
    ],
    [
      () => parsePsdd("psdd 3\nT 0 0 1 -0.5\nT 9007199254740993 1 2 -0.5"),
      /line 3: the id must be a whole number below 2\^53/,
    ],
    [
      () => parsePsdd("psdd 3\nT 0 0 1 -0.5\nT 1 1 2 -0.5"),
      /line 2: the last node .* does not depend on variable 1/,
    ],
    [
      () => parseUai("MARKOV 2 2 2 1 5000000000 0"),
      /the size of factor 0 is 5000000000, but only 1 words follow/,
    ],
    [() => parseUai("BAYES 5000000000 2"), /the number of variables is 5000000000, but only 1 words/],
    [
      () => parseUai("MARKOV 2 100000 100000 1 2 0 1 10000000000 1"),
      /ends before entry 1 of factor 0/,
    ],
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
