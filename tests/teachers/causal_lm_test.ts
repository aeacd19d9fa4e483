import assert from "node:assert/strict";
import { RandomStream } from "../../circuits/random.ts";
import type { Vocabulary } from "../../datasets/text/vocabulary.ts";
import {
  causalLmLoss,
  causalLmPlans,
  type CausalLmSizes,
  causalLmTeacher,
} from "../../teachers/causal_lm.ts";
import { type CausalLmOptions, CausalLmTraining } from "../../teachers/causal_lm_training.ts";
import { openCausalLm } from "../../teachers/causal_sampling.ts";
import { embedSuffixesOf } from "../../teachers/suffixes.ts";
import { openTeacher } from "../../teachers/teacher.ts";
import { startingNumbers } from "../../teachers/transformer.ts";

const sizes: CausalLmSizes = { tokens: 6, length: 8, width: 16, layers: 2, heads: 2, hidden: 24 };
const options: CausalLmOptions = {
  epochs: 4,
  batch: 16,
  rate: 1e-2,
  warmup: 0.1,
  decay: 0.01,
  validWindows: 64,
  reports: 1,
  seed: 3,
};
const END = 1;
const vocabulary: Vocabulary = {
  kind: "words",
  words: ["<unk>", "<eos>", "a", "b", "c", "d"],
  unknown: 0,
  end: END,
};

/** Texts: a letter, then those after it, around; each ends with a chance of a quarter. */
function texts(count: number, seed: number): Int32Array {
  const random = new RandomStream(seed);
  const ids: number[] = [];
  for (let n = 0; n < count; n++) {
    let letter = random.integer(4);
    do {
      ids.push(2 + letter);
      letter = (letter + 1) % 4;
    } while (random.uniform() >= 0.25);
    ids.push(END);
  }
  return Int32Array.from(ids);
}

const corpus = { train: texts(1500, 1), valid: texts(200, 2) };

async function trained(changed: Partial<CausalLmOptions> = {}): Promise<CausalLmTraining> {
  const training = new CausalLmTraining(sizes, { ...options, ...changed }, corpus, END);
  while (!training.done) await training.step();
  await training.close();
  return training;
}

Deno.test("a causal model learns a language, draws texts of it, and can do no better than its entropy", async () => {
  const { reports, weights } = await trained();
  // A letter tells the next one, but for the end: 0.56 nats. A text begins with any of four: 1.39 nats.
  const [start, letter] = [Math.log(4), -0.25 * Math.log(0.25) - 0.75 * Math.log(0.75)];
  const last = reports.at(-1)!;
  assert.equal(reports.length, 4);
  assert.ok(last.valid > letter && last.valid < start, `${last.valid}`);
  await using model = await openCausalLm(causalLmTeacher(sizes, weights, "tiny", vocabulary));
  assert.deepEqual(model.vocabulary, vocabulary);
  const drawn = await model.draw({ first: 0, count: 400, length: 8, temperature: 1, seed: 1 });
  let followed = 0, ended = 0, letters = 0;
  for (const text of drawn) {
    for (const [t, token] of text.entries()) {
      if (t === 0) continue;
      letters++;
      if (token === END) ended++;
      else if (token - 2 === (text[t - 1]! - 1) % 4) followed++;
    }
  }
  assert.ok((followed + ended) / letters > 0.97, `${followed + ended} of ${letters}`);
  assert.ok(Math.abs(ended / letters - 0.25) < 0.06, `${ended} of ${letters}`);
});

Deno.test("read backward it predicts what precedes, from what follows, and its states know of nothing before them", async () => {
  const backward = await trained({ direction: "backward", windows: "all", epochs: 3 });
  const forward = await trained({ windows: "all", epochs: 3 });
  // A letter tells the one before it as well as the next one, and texts begin and end alike.
  const [b, f] = [backward, forward].map(({ reports }) => reports.at(-1)!.valid) as [number, number];
  assert.ok(Math.abs(b - f) < 0.15 && b < 1.2, `${b} backward, ${f} forward`);
  const made = causalLmTeacher(sizes, backward.weights, "tiny", vocabulary, "backward");
  assert.equal(made.config.logits, undefined);
  await assert.rejects(openCausalLm(made), /logits/);
  await using teacher = await openTeacher(made);
  const alignment = teacher.align(vocabulary), length = 6, { width } = sizes;
  const windows = [[2, 3, 4, END, 5, 2], [5, 5, 5, END, 5, 2], [2, 3, 4, 4, 0, 0]];
  const there = windows.map((_, w) => Array.from({ length }, (_, t) => Number(w < 2 || t < 4)));
  const rows = {
    count: 3,
    variables: length,
    values: Int32Array.from(windows.flat()),
    observed: Uint8Array.from(there.flat()),
  };
  const vectors = await embedSuffixesOf(teacher, alignment, rows, { mode: "causal" });
  const at = (w: number, t: number) => vectors.slice((w * length + t) * width, (w * length + t + 1) * width);
  const apart = (a: Float32Array, b: Float32Array) => Math.max(...a.map((x, i) => Math.abs(x - b[i]!)));
  // The same suffix after other prefixes, and other suffixes after the same prefix.
  for (const t of [3, 4, 5]) assert.ok(apart(at(0, t), at(1, t)) < 1e-5, `suffix at ${t}`);
  assert.ok(apart(at(0, 2), at(1, 2)) > 1e-2 && apart(at(0, 0), at(2, 0)) > 1e-2);
  assert.ok(at(2, 4).every((x) => x === 0) && at(2, 3).some((x) => x !== 0));
  // What a window is alone it is beside longer ones.
  const own = { count: 1, variables: 4, values: Int32Array.from([2, 3, 4, 4]) };
  const alone = await embedSuffixesOf(teacher, alignment, own, { mode: "causal" });
  assert.ok(apart(alone.subarray(0, width), at(2, 0)) < 1e-5);
  await assert.rejects(embedSuffixesOf(teacher, alignment, rows, { mode: "cumulative" }), /reads backward/);
});

Deno.test("the graph that is drawn from has the loss that is trained", async () => {
  const weights = startingNumbers(causalLmPlans(sizes), 7);
  const window = Int32Array.of(1, 2, 3, 4, 1, 5, 2, 3, 1);
  await using program = await causalLmLoss(sizes, 1);
  const { loss } = await program.run({
    ...Object.fromEntries(weights),
    ids: BigInt64Array.from(window.subarray(0, 8), BigInt),
    targets: BigInt64Array.from(window.subarray(1), BigInt),
  });
  await using model = await openCausalLm(causalLmTeacher(sizes, weights, "tiny", vocabulary));
  const reading = model.begin(1);
  let total = 0;
  for (let t = 0; t < 8; t++) {
    const [logits] = await reading.read([t === 0 ? [] : [window[t]!]]);
    const sum = logits!.reduce((sum, x) => sum + Math.exp(x), 0);
    total += Math.log(sum) - logits![window[t + 1]!]!;
  }
  assert.ok(Math.abs(total / 8 - loss![0]!) < 1e-5);
  // Read at once the pieces say what they say one after the other.
  assert.ok(model.cached);
  const [once] = await model.begin(1).read([[...window.subarray(1, 7)]]);
  const steps = model.begin(1);
  await steps.read([[]]);
  for (const token of window.subarray(1, 6)) await steps.read([[token]]);
  const [last] = await steps.read([[window[6]!]]);
  last!.forEach((logit, token) => assert.ok(Math.abs(logit - once![token]!) < 1e-5));
});

Deno.test("the same seed gives the same weights; resumed from any step it ends with the same bytes", async () => {
  const short = { epochs: 1, batch: 64 };
  const expected = (await trained(short)).weights;
  assert.notDeepEqual((await trained({ ...short, seed: 4 })).weights, expected);
  let training = new CausalLmTraining(sizes, { ...options, ...short }, corpus, END);
  while (!training.done) {
    for (let i = 0; i < 7 && !training.done; i++) await training.step();
    const saved = structuredClone(training.state());
    await training.close();
    training = new CausalLmTraining(sizes, { ...options, ...short }, corpus, END);
    training.restore(saved);
  }
  assert.deepEqual(training.weights, expected);
});

Deno.test("sizes, tokens and corpora that make no sense are refused", () => {
  const make = (changed: Partial<CausalLmSizes>, train = corpus.train) => () =>
    new CausalLmTraining({ ...sizes, ...changed }, options, { ...corpus, train }, END);
  assert.throws(make({ length: 1 }), { code: "teacher/options" });
  assert.throws(make({ tokens: 4 }), { code: "inputs/mismatch" });
  assert.throws(make({}, Int32Array.of(2, 1)), { code: "text/windows" });
  assert.throws(() => causalLmTeacher(sizes, new Map(), "x", { ...vocabulary, end: null }), {
    code: "text/no-end-token",
  });
});
