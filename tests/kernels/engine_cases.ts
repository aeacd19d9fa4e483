/** Circuits and samples for the engine suite. */
import {
  blockedHmm,
  categoricalVariables,
  type Circuit,
  CircuitBuilder,
  clusterTree,
  hclt,
  hmm,
  leafFamily,
  materialise,
  maximumSpanningTree,
  mixture,
  mixtureOfUnits,
  naiveMixture,
  nodeNamed,
  parsePsdd,
  poonDomingos,
  quadGraph,
  RandomStream,
  ratSpn,
  type Samples,
  samplesFromRows,
  stack,
  substitute,
  withParameters,
} from "../../circuits/mod.ts";
import { readData } from "../circuits/data.ts";
import { drawRows, everyFamily } from "../circuits/leaf_examples.ts";
import { mixedCircuit, randomBatch } from "../circuits/learner_conformance.ts";
import { allSamples, randomCircuit } from "../circuits/truth.ts";

/** A circuit with samples; `logs`: what is known of their log-likelihoods. */
export interface EngineCase {
  readonly title: string;
  readonly circuit: Circuit;
  readonly samples: Samples;
  readonly logs?: readonly number[];
}

const withRows = (title: string, circuit: Circuit, count = 6): EngineCase => ({
  title,
  circuit,
  samples: samplesFromRows(randomBatch(circuit, count, 3)),
});

function tree(count: number, seed: number) {
  const random = new RandomStream(seed, 1);
  const weights = new Float64Array(count * count);
  for (let i = 0; i < count; i++) {
    for (let j = 0; j < i; j++) weights[i * count + j] = weights[j * count + i] = random.uniform();
  }
  return maximumSpanningTree(weights, count);
}

/** Every structure and leaf. */
export function plainCircuits(): EngineCase[] {
  const star = { root: 0, parents: Int32Array.from({ length: 9 }, (_, v) => v === 0 ? -1 : 0), order: [] };
  const steps = hmm({ length: 3, states: 3, symbols: 4, seed: 2 });
  const patch = stack(
    [1, 2, 3].map((seed) => hclt(categoricalVariables(3, 4), tree(3, 1), { latents: 2, seed })),
  );
  const top = clusterTree(["a", "b", "c"], tree(3, 4), { clusters: 3, latents: 2, seed: 5 });
  const lines = hmm({ length: 5, states: 4, symbols: { kind: "real", name: "x" }, seed: 3 });
  const random = new RandomStream(6, 1);
  const logs = () => Float32Array.from({ length: 12 }, () => -4000 * random.uniform());
  const external: Samples = {
    count: 4,
    variables: 3,
    values: new Int32Array(12),
    observed: Uint8Array.of(1, 1, 1, 1, 0, 1, 1, 1, 1, 1, 1, 1),
    externals: new Map([[0, logs()], [1, logs()], [2, logs().map((x, i) => i < 3 ? -Infinity : x)]]),
  };
  return [
    withRows("an HMM with tied steps", hmm({ length: 12, states: 5, symbols: 7, seed: 1 })),
    withRows("an HMM without", hmm({ length: 5, states: 3, symbols: 4, homogeneous: false })),
    withRows(
      "a blocked HMM",
      blockedHmm({
        length: 6,
        symbols: 7,
        blocks: [{ states: 3, symbols: [0, 1, 2] }, { states: 3, symbols: [3, 4] }, {
          states: 2,
          symbols: [2, 5, 6],
        }],
        follows: [[0, 1], [2], [0, 1, 2]],
        backoff: 2,
        seed: 4,
      }),
      24,
    ),
    withRows("an HMM with Gaussian leaves", lines),
    withRows("a hidden Chow-Liu tree", hclt(categoricalVariables(14, 5), tree(14, 2), { latents: 6 })),
    withRows(
      "a star, whose centre has many children",
      hclt(categoricalVariables(9, 3), { ...star, order: [0, 1, 2, 3, 4, 5, 6, 7, 8] }, { latents: 4 }),
    ),
    withRows("a RAT-SPN", ratSpn(categoricalVariables(9, 3), { depth: 2, replicas: 3, units: 4 })),
    withRows(
      "a Poon-Domingos circuit",
      poonDomingos(categoricalVariables(9, 2), { height: 3, width: 3, delta: 1, units: 3 }),
    ),
    withRows("a quad graph", quadGraph(categoricalVariables(16, 3), { height: 4, width: 4, units: 3 })),
    withRows(
      "a naive mixture of many variables",
      naiveMixture(categoricalVariables(40, 3), { components: 6 }),
    ),
    withRows(
      "a mixture of trees",
      mixture([1, 2].map((s) => hclt(categoricalVariables(6, 2), tree(6, s), { latents: 3 }))),
    ),
    withRows("leaves in groups and ties", mixedCircuit()),
    {
      title: "every leaf family",
      circuit: everyFamily(),
      samples: samplesFromRows(drawRows(new RandomStream(3, 1), 24)),
    },
    withRows(
      "logistic leaves over 256 states",
      hclt(categoricalVariables(4, 256), tree(4, 3), { latents: 5, leaf: () => ({ family: "logistic" }) }),
    ),
    withRows("circuits side by side, a vector root", patch),
    withRows("circuits side by side, mixed", mixtureOfUnits(patch)),
    withRows("a leaf as a vector root", leafAlone(3)),
    withRows("a leaf alone", leafAlone(1)),
    withRows(
      "a tree over patches with their circuits in place",
      ["a", "b", "c"].reduce((circuit, name) => {
        const v = circuit.variables.findIndex((variable) => variable.name === name);
        return substitute(circuit, v, patch, { prefix: name }).circuit;
      }, top),
    ),
    { title: "a tree over patches that come with the data", circuit: top, samples: external },
    withRows(
      "a materialised HMM",
      materialise(steps, [0, 1, 2].map((t) => nodeNamed(steps, `z${t}`))).circuit,
      40,
    ),
  ];
}

function leafAlone(units: number): Circuit {
  const b = new CircuitBuilder({ seed: 2 });
  return b.build(b.input({ variable: b.categorical("x", 4), family: "categorical", units }));
}

/** What float32 cannot hold beside other numbers. */
export function hardCases(): EngineCase[] {
  const cases: EngineCase[] = [opposing(), staircase(), faint(), loud(), many(), undecided()];
  for (const seed of [1, 2, 3, 4, 5, 7]) {
    const circuit = wild(randomCircuit(seed * 11 + 2, 5), seed);
    cases.push({ title: `wild parameters ${seed}`, circuit, samples: allOrSome(circuit) });
  }
  for (const latents of [2, 5]) {
    const circuit = wild(hclt(categoricalVariables(12, 3), tree(12, latents), { latents }), latents);
    cases.push(withRows(`a wild tree of ${latents} latents`, circuit, 12));
  }
  cases.push(withRows("a wild HMM", wild(hmm({ length: 30, states: 6, symbols: 5 }), 1), 12));
  for (const file of ["little_4var.psdd", "asia-bdd.psdd", "asia.uai.psdd"]) {
    const text = readData(`circuits/${file}`);
    if (text === undefined) continue;
    const circuit = parsePsdd(text);
    const some = allSamples(circuit);
    cases.push({ title: `the deterministic circuit ${file}`, circuit, samples: { ...some } });
  }
  return cases;
}

function allOrSome(circuit: Circuit): Samples {
  const all = allSamples(circuit);
  return all.count <= 40 ? all : samplesFromRows(randomBatch(circuit, 40, 2));
}

/** Every row of probabilities becomes one of magnitudes from 1 to 1e-38, some entries zero. */
function wild(circuit: Circuit, seed: number): Circuit {
  const random = new RandomStream(seed, 77);
  const widths = new Map<string, number>();
  for (const node of circuit.nodes) {
    if (node.kind === "product" || node.parameter === undefined) continue;
    const { shape } = circuit.parameters.get(node.parameter)!;
    if (node.kind === "sum") widths.set(node.parameter, shape[2]!);
    else if (leafFamily(node.family).rows) widths.set(node.parameter, shape[1]!);
  }
  const values = new Map<string, Float32Array>();
  for (const [id, width] of widths) {
    const old = circuit.parameters.get(id)!.values;
    const fresh = Float32Array.from(
      old,
      () => random.uniform() < 0.15 ? 0 : Math.exp(-85 * random.uniform() ** 0.7),
    );
    for (let at = 0; at < fresh.length; at += width) {
      const main = at + random.integer(width);
      fresh[main] = 0;
      const rest = fresh.subarray(at, at + width).reduce((a, b) => a + b, 0);
      if (rest > 0.9) { for (let i = at; i < at + width; i++) fresh[i] = fresh[i]! / rest * 0.9; }
      fresh[main] = 1 - Math.min(rest, 0.9);
    }
    values.set(id, fresh);
  }
  return withParameters(circuit, values);
}

/** Factors of which each rules out what the next one wants, 40 times over: 1e-30 each time. */
function opposing(): EngineCase {
  const b = new CircuitBuilder();
  const leaf = (v: number, p: number[]) =>
    b.input({ variable: v, family: "categorical", units: 2, parameter: p.flatMap((q) => [q, 1 - q]) });
  let parts: number[] = [];
  for (let i = 0; i < 40; i++) {
    const [x, y] = [b.categorical(`x${i}`, 2), b.categorical(`y${i}`, 2)];
    const both = b.product([leaf(x, [1, 1e-30]), leaf(y, [1e-30, 1])]);
    parts.push(b.sum([both], { units: 2, weights: [0.5, 0.5, 0.25, 0.75] }));
  }
  parts = [b.product(parts)];
  const circuit = b.build(b.sum(parts, { units: 1, weights: [0.5, 0.5] }));
  const row = (k: number) => Array.from({ length: 80 }, (_, i) => i < 2 * k ? 0 : null);
  const tiny = Math.log(Math.fround(1e-30));
  return {
    title: "factors that rule each other out",
    circuit,
    samples: samplesFromRows([row(1), row(5), row(40)]),
    logs: [tiny, 5 * tiny, 40 * tiny],
  };
}

/** A chain that only ever moves on by one state: most sequences are impossible, or nearly. */
function staircase(): EngineCase {
  const states = 8, length = 40;
  const transition = new Float32Array(states * states), emission = new Float32Array(states * states);
  for (let i = 0; i < states; i++) {
    const next = Math.min(states - 1, i + 1);
    transition[i * states + i] = 1;
    transition[i * states + next] = next === i ? 1 : 1e-12;
    emission.fill(1e-9, i * states, (i + 1) * states);
    emission[i * states + i] = 1;
    if (i > 0) emission[i * states] = 0;
  }
  const initial = Float32Array.from({ length: states }, (_, i) => i === 0 ? 1 : 0);
  const circuit = hmm({ length, states, symbols: states, initial, transition, emission });
  const steps = (at: (t: number) => number) => Array.from({ length }, (_, t) => at(t));
  return {
    title: "a chain with zero transitions",
    circuit,
    samples: samplesFromRows([
      steps(() => 0),
      steps((t) => Math.min(7, Math.floor(t / 5))),
      steps((t) => 7 - Math.min(7, Math.floor(t / 5))),
      steps((t) => t < 39 ? 7 : 0),
      steps((t) => t === 0 ? 0 : 7),
    ]),
  };
}

/** Likelihoods below 1e-300 and 1e-3000. */
function faint(): EngineCase {
  const b = new CircuitBuilder();
  const leaves = Array.from({ length: 420 }, (_, v) =>
    b.input({
      variable: b.categorical(`x${v}`, 3),
      family: "categorical",
      units: 2,
      parameter: v === 0 ? [0.5, 0.5, 0, 0.25, 0.75, 0] : [1e-8, 0.3, 0.7, 1e-8, 0.2, 0.8],
    }));
  const circuit = b.build(b.sum([b.product(leaves)], { units: 1, weights: [0.5, 0.5] }));
  const row = (observed: number, first = 0) =>
    leaves.map((_, v) => v < observed ? (v === 0 ? first : 0) : null);
  const step = Math.log(Math.fround(1e-8));
  return {
    title: "likelihoods below 1e-300 and 1e-3000",
    circuit,
    samples: samplesFromRows([row(40), row(420), row(420, 2)]),
    logs: [Math.log(0.375) + 39 * step, Math.log(0.375) + 419 * step, -Infinity],
  };
}

/** Densities far above and far below 1. */
function loud(): EngineCase {
  const b = new CircuitBuilder();
  const leaves = Array.from({ length: 6 }, (_, v) =>
    b.input({
      variable: b.real(`x${v}`),
      family: "gaussian",
      units: 3,
      settings: { minStddev: 1e-8 },
      parameter: [0, 1e-6, v, 1, -100, 0.01],
    }));
  const circuit = b.build(b.sum([b.product(leaves)], { units: 1 }));
  const rows = [[0, 0, 0, 0, 0, 0], [0, 1, 2, 3, 4, 5], [1e4, -1e4, 0, 5e3, 1, 2], [
    -100,
    1e-6,
    -100,
    null,
    0,
    1,
  ]];
  return { title: "densities far from 1", circuit, samples: samplesFromRows(rows) };
}

/** Counts from zero to the largest, near rates and far from all of them. */
function many(): EngineCase {
  const b = new CircuitBuilder();
  const leaves = ["n", "m"].map((name) =>
    b.input({ variable: b.count(name), family: "poisson", units: 4, parameter: [1e-6, 20, 1e5, 1.5e7] })
  );
  const circuit = b.build(b.sum([b.product(leaves)], { units: 1 }));
  const rows = [[0, 0], [1, 30], [99_400, 100_812], [14_995_000, 15_004_321], [null, 17], [5, 100_000], [
    16_777_216,
    16_777_216,
  ], [16_777_216, 0]];
  return { title: "counts near and far", circuit, samples: samplesFromRows(rows) };
}

/** Two ways to the root: one through many small steps, one through two that float32 cannot tell from zero. */
function undecided(): EngineCase {
  const b = new CircuitBuilder();
  const units = 4;
  const leaves = Array.from({ length: 8 }, (_, v) => {
    // Unit 0 is small everywhere, unit 1 tiny twice and 1 elsewhere, unit 2 the other way round. All are normal
    // numbers of float32: of others WGSL promises nothing.
    const p = v < 2 ? [1e-9, 1.2e-38, 1, 0.5] : [1e-9, 1, 1e-36, 0];
    return b.input({
      variable: b.categorical(`x${v}`, 2),
      family: "categorical",
      units,
      parameter: p.flatMap((q) => [q, 1 - q]),
    });
  });
  const halves = [leaves.slice(0, 4), leaves.slice(4)].map((part) => b.product(part));
  const circuit = b.build(b.sum([b.product(halves)], { units: 1, weights: [0.97, 0.01, 0.01, 0.01] }));
  return {
    title: "paths of which float32 sees only one",
    circuit,
    samples: samplesFromRows([new Array(8).fill(0)]),
  };
}
