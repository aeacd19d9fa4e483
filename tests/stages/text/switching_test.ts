import assert from "node:assert/strict";
import fc from "fast-check";
import {
  blockedHmm,
  type Circuit,
  hmm,
  logLikelihood,
  RandomStream,
  ReferenceEvaluator,
  samplesFromRows,
} from "../../../circuits/mod.ts";
import { KneserNeyModel } from "../../../datasets/kneser_ney.ts";
import { Ngrams } from "../../../datasets/ngrams.ts";
import { HiddenSteps } from "../../../stages/text/hidden_steps.ts";
import { SwitchingModel, type SwitchingWeights } from "../../../stages/text/switching.ts";
import { holds } from "../../property.ts";

const SYMBOLS = 4, LENGTH = 4;

/** All windows of a length. */
const all = (length: number): number[][] =>
  Array.from(
    { length: SYMBOLS ** length },
    (_, i) => Array.from({ length }, (_, t) => Math.floor(i / SYMBOLS ** t) % SYMBOLS),
  );

const blocked = (seed: number, backoff = 1): Circuit =>
  blockedHmm({
    length: LENGTH,
    symbols: SYMBOLS,
    blocks: [{ states: 2, symbols: [0, 3] }, { states: 3, symbols: [1, 2] }],
    ...(backoff > 0 && { follows: [[1], [0, 1]] }),
    backoff,
    seed,
  });

function ngramsOf(seed: number, order: number, tokens = 40): KneserNeyModel {
  const random = new RandomStream(seed, 1), ngrams = new Ngrams(order, SYMBOLS, -1);
  // Token 3 is rare: contexts that end with it are often not known.
  ngrams.add(Int32Array.from({ length: tokens }, () => random.integer(10) === 0 ? 3 : random.integer(3)));
  return new KneserNeyModel(ngrams);
}

/** Some weights, all different. */
function weightsOf(contexts: number, shift = 0): SwitchingWeights {
  const list = (from: number) => Array.from({ length: 6 }, (_, i) => (from + 0.13 * i + shift) % 1);
  return {
    first: 0.4,
    enter: list(0.1),
    leave: Array.from({ length: contexts }, (_, k) => list(0.2 + 0.3 * k)),
  };
}

const close = (a: number, b: number, what: string) =>
  assert.ok(Math.abs(a - b) <= 1e-9 * Math.max(1, Math.abs(b)), `${what}: ${a}, expected ${b}`);

Deno.test("all windows of a length have probability one together, whatever the weights", (test) => {
  holds(
    test,
    fc.property(fc.nat(99), fc.integer({ min: 2, max: 4 }), fc.nat(9), (seed, order, shift) => {
      const model = new SwitchingModel(new HiddenSteps(blocked(seed, seed % 3)), ngramsOf(seed, order));
      const weights = weightsOf(order - 1, shift / 10);
      let sum = 0;
      for (const x of all(LENGTH)) {
        sum += Math.exp(model.logLikelihood(model.read(Int32Array.from(x)), weights));
      }
      assert.ok(Math.abs(sum - 1) < 1e-6, `${sum}`);
    }),
    { numRuns: 20 },
  );
});

Deno.test("without contexts it is the circuit, blocked or dense; without hidden states the Kneser-Ney model", async () => {
  const never = { first: 0, enter: [0, 0, 0, 0, 0, 0], leave: [[0.5, 0.5, 0.5, 0.5, 0.5, 0.5]] };
  const dense = hmm({ length: LENGTH, states: 3, symbols: SYMBOLS, seed: 2 });
  const rows = all(LENGTH).slice(0, 60);
  for (const circuit of [blocked(1, 0), blocked(1, 1), blocked(1, 2), dense]) {
    const model = new SwitchingModel(new HiddenSteps(circuit), ngramsOf(3, 2));
    const expected = await logLikelihood(new ReferenceEvaluator(circuit), samplesFromRows(rows));
    rows.forEach((x, i) => {
      const own = model.logLikelihood(model.read(Int32Array.from(x)), never);
      assert.ok(Math.abs(own - expected[i]!) < 1e-5, `${x}: ${own}, expected ${expected[i]}`);
    });
  }
  const always = { first: 1, enter: never.enter, leave: [[0, 0, 0, 0, 0, 0]] }, ngrams = ngramsOf(3, 2);
  const model = new SwitchingModel(new HiddenSteps(dense), ngrams);
  const first = (x: number) => Math.exp(model.logLikelihood(model.read(Int32Array.of(x)), always));
  for (const x of rows) {
    const after = [1, 2, 3].reduce((sum, t) => sum + Math.log(ngrams.probability(x[t]!, x, t)), 0);
    close(
      model.logLikelihood(model.read(Int32Array.from(x)), always),
      Math.log(first(x[0]!)) + after,
      `${x}`,
    );
  }
});

/** Its states one by one, as an ordinary circuit: a block for each context, which emits the context's last token. */
function unrolled(
  circuit: Circuit,
  ngrams: KneserNeyModel,
  order: number,
  weights: SwitchingWeights,
): Circuit {
  const contexts = Array.from({ length: order - 1 }, (_, k) => all(k + 1)).flat()
    .filter((h) => h.length === 1 || ngrams.uses(ngrams.context(h, h.length, h.length), h.length) > 0);
  const classOf = (h: number[]) => {
    const uses = ngrams.uses(ngrams.context(h, h.length, h.length), h.length);
    return [1, 4, 16, 64, 256].filter((least) => uses >= least).length;
  };
  const find = (h: number[]): number => {
    const own = h.slice(-(order - 1)), at = contexts.findIndex((c) => c.join() === own.join());
    return at >= 0 ? at : find(own.slice(1));
  };
  const of = (id: string) => [...circuit.parameters.get(id)!.values];
  // A hidden state for each token that it emits, so that the next state tells the token: all that follows is of those.
  const pairs = [[0, 3], [1, 2]].flatMap((symbols, b) =>
    Array.from(
      { length: b + 2 },
      (_, z) => symbols.map((symbol) => ({ b, z, symbol, at: symbols.indexOf(symbol) })),
    )
      .flat()
  );
  const emission = (p: typeof pairs[number]) => of(`emission/${p.b}`)[p.z * 2 + p.at]!;
  const states = [0, 2];
  const enter = (symbol: number) => weights.enter[classOf([symbol])]!;
  const row = (before: number[], enterOf: (symbol: number) => number) => {
    const to = new Array<number>(pairs.length + contexts.length).fill(0);
    pairs.forEach((p, i) => {
      const joint = before[states[p.b]! + p.z]! * emission(p);
      to[i]! += (1 - enterOf(p.symbol)) * joint;
      to[pairs.length + find([p.symbol])]! += enterOf(p.symbol) * joint;
    });
    return to;
  };
  const initial = row(of("initial"), () => weights.first);
  const rowOf = (b: number, z: number) => of(`transition/${b}`).slice(z * 5, z * 5 + 5);
  const rows = pairs.map(({ b, z }) => row(rowOf(b, z), enter));
  // Nothing observed, the hidden states of each position in turn.
  const mean = new Array<number>(5).fill(0);
  let now = of("initial");
  for (let t = 0; t < LENGTH; t++) {
    now.forEach((p, i) => mean[i]! += p);
    const next = new Array<number>(5).fill(0);
    now.forEach((p, i) => rowOf(i < 2 ? 0 : 1, i < 2 ? i : i - 2).forEach((q, j) => next[j]! += p * q));
    now = next;
  }
  for (const h of contexts) {
    const leave = weights.leave[h.length - 1]![classOf(h)]!;
    // The hidden state after these tokens alone.
    let own = pairs.map((p) => p.symbol === h[0] ? mean[states[p.b]! + p.z]! * emission(p) : 0);
    for (const token of h.slice(1)) {
      own = pairs.map((p) =>
        p.symbol !== token ? 0 : emission(p) * pairs.reduce(
          (sum, { b, z }, i) => sum + own[i]! * rowOf(b, z)[states[p.b]! + p.z]!,
          0,
        )
      );
    }
    const total = own.reduce((a, p) => a + p, 0);
    const to = new Array<number>(pairs.length + contexts.length).fill(0);
    own.forEach((p, i) => rows[i]!.forEach((q, j) => to[j]! += leave * p / total * q));
    // It enters again only from a hidden state that was: leaving goes on to a hidden state or a context as from any.
    for (let token = 0; token < SYMBOLS; token++) {
      let share = 1 - leave;
      for (let length = h.length; length >= 0; length--) {
        const context = ngrams.context(h, h.length, length);
        const { taken, left } = ngrams.share(context, length, token, length === h.length);
        to[pairs.length + find([...h.slice(h.length - length), token])]! += share * taken;
        share *= left;
      }
      to[pairs.length + find([token])]! += share / SYMBOLS;
    }
    rows.push(to);
  }
  const symbols = [...pairs.map(({ symbol }) => symbol), ...contexts.map((h) => h.at(-1)!)];
  return blockedHmm({
    length: LENGTH,
    symbols: SYMBOLS,
    blocks: symbols.map((symbol) => ({ states: 1, symbols: [symbol] })),
    values: new Map([
      ["initial", Float64Array.from(initial)],
      ...rows.map((to, i) => [`transition/${i}`, Float64Array.from(to)] as const),
      ...rows.map((_, i) => [`emission/${i}`, Float64Array.of(1)] as const),
    ]),
  });
}

Deno.test("it is an ordinary circuit: one with a block for each context gives all windows the same probabilities", async () => {
  // Without a backoff all blocks follow, so that rows are plain.
  const circuit = blocked(1, 0), ngrams = ngramsOf(1, 3, 30), weights = weightsOf(2);
  const model = new SwitchingModel(new HiddenSteps(circuit), ngrams);
  const rows = all(LENGTH);
  const expected = await logLikelihood(
    new ReferenceEvaluator(unrolled(circuit, ngrams, 3, weights)),
    samplesFromRows(rows),
  );
  rows.forEach((x, i) => {
    const own = model.logLikelihood(model.read(Int32Array.from(x)), weights);
    assert.ok(Math.abs(own - expected[i]!) < 1e-5, `${x}: ${own}, expected ${expected[i]}`);
  });
});

Deno.test("each step of EM makes the windows likelier, and finds where tokens come from", () => {
  const ngrams = ngramsOf(5, 3, 200), model = new SwitchingModel(new HiddenSteps(blocked(4)), ngrams);
  const random = new RandomStream(7, 0);
  // Windows of the n-grams' own text are told by n-grams; those of tokens 3 only by neither.
  const readings = Array.from(
    { length: 50 },
    () =>
      model.read(Int32Array.from({ length: LENGTH }, () => random.integer(10) === 0 ? 3 : random.integer(3))),
  );
  const score = (weights: SwitchingWeights) =>
    readings.reduce((sum, reading) => sum + model.logLikelihood(reading, weights), 0);
  let weights = model.start(), before = score(weights);
  for (let i = 0; i < 8; i++) {
    weights = model.improved(readings, weights);
    const now = score(weights);
    // The virtual choices may cost a little once the windows are at their best.
    assert.ok(now > before - 0.05, `step ${i}: ${now} after ${before}`);
    before = now;
  }
  assert.ok(before > score(model.start()) + 1, `${before}`);
});

Deno.test("what is no hidden Markov model of tokens is refused", () => {
  const refused = (circuit: Circuit, message: RegExp) =>
    assert.throws(() => new HiddenSteps(circuit), (error: Error & { code: string }) => {
      assert.equal(error.code, "text/no-hmm");
      assert.match(error.message, message);
      return true;
    });
  refused(hmm({ length: 1, states: 2, symbols: 3 }), /its root is no sum/);
  refused(
    hmm({ length: 3, states: 2, symbols: 3, homogeneous: false }),
    /a parameter `emission\/2` beside/,
  );
  refused(
    blockedHmm({
      length: 3,
      symbols: 3,
      blocks: [{ states: 1, symbols: [0, 1] }, { states: 1, symbols: [1, 2] }],
    }),
    /symbol 1 is in several blocks/,
  );
});
