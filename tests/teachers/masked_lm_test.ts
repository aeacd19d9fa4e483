import assert from "node:assert/strict";
import { RandomStream } from "../../circuits/random.ts";
import { add, input, Program, reshape } from "../../kernels/autodiff/mod.ts";
import { maskedLmPlans, type MaskedLmSizes, TOKEN_TABLE } from "../../teachers/masked_lm.ts";
import { maskedLmTeacher } from "../../teachers/masked_lm_teacher.ts";
import { type MaskedLmOptions, MaskedLmTraining } from "../../teachers/masked_lm_training.ts";
import { Candidates, hideTokens } from "../../teachers/masked_tokens.ts";
import { ENCODER } from "../../teachers/transformer_graph.ts";
import { openTeacher } from "../../teachers/teacher.ts";
import { encode, parameterTensors, startingNumbers } from "../../teachers/transformer.ts";

const sizes: MaskedLmSizes = { tokens: 9, length: 8, width: 16, layers: 2, heads: 2, hidden: 24 };
const options: MaskedLmOptions = {
  epochs: 15,
  batch: 16,
  rate: 1e-2,
  warmup: 0.1,
  decay: 0.01,
  hidden: 0.2,
  suffixes: 0.5,
  shorter: 0.2,
  candidates: 0,
  validWindows: 64,
  reports: 1,
  seed: 3,
};

/** Each token is the one before it plus one, modulo nine; now and then it begins anew anywhere. */
function counting(length: number, seed: number): Int32Array {
  const random = new RandomStream(seed);
  let token = 0;
  return Int32Array.from(
    { length },
    () => token = random.uniform() < 0.05 ? random.integer(9) : (token + 1) % 9,
  );
}

const corpus = { train: counting(4000, 1), valid: counting(500, 2) };

async function trained(changed: Partial<MaskedLmOptions> = {}): Promise<MaskedLmTraining> {
  const training = new MaskedLmTraining(sizes, { ...options, ...changed }, corpus);
  while (!training.done) await training.step();
  await training.close();
  return training;
}

Deno.test("it learns a language that is easy to guess, from both sides and from what follows", async () => {
  const { reports } = await trained();
  assert.equal(reports.length, 15);
  const last = reports.at(-1)!;
  assert.ok(reports[0]!.valid > 1.5, `it begins near log 9 = 2.2: ${reports[0]!.valid}`);
  assert.ok(last.valid < 1 && last.train < 1.1, `${last.valid}, ${last.train}`);
  // From what follows alone the last token of a window cannot be guessed, and one side says less than two.
  assert.ok(last.validSuffix > last.valid && last.validSuffix < 1.3, `${last.validSuffix}`);
});

Deno.test("sampled candidates teach about the same as all of them", async () => {
  const options = { epochs: 2, batch: 2, hidden: 0.15, shorter: 0, rate: 5e-3 };
  const all = (await trained(options)).reports.at(-1)!;
  const some = (await trained({ ...options, candidates: 6 })).reports.at(-1)!;
  assert.ok(some.train < all.train, "six candidates are easier to tell apart than nine");
  assert.ok(Math.abs(some.valid - all.valid) < 0.15, `${some.valid} against ${all.valid}`);
});

Deno.test("the same seed gives the same weights; resumed from any step it ends with the same bytes", async () => {
  const short = { epochs: 1, candidates: 6, batch: 4, hidden: 0.1 };
  const expected = (await trained(short)).weights;
  assert.deepEqual((await trained(short)).weights, expected);
  assert.notDeepEqual((await trained({ ...short, seed: 4 })).weights, expected);

  let training = new MaskedLmTraining(sizes, { ...options, ...short }, corpus);
  const rounds = 5, each = Math.ceil(training.progress.total / rounds);
  for (let round = 0; round < rounds; round++) {
    for (let step = 0; step < each && !training.done; step++) await training.step();
    const saved = structuredClone(training.state());
    await training.close();
    training = new MaskedLmTraining(sizes, { ...options, ...short }, corpus);
    training.restore(saved);
  }
  assert.ok(training.done);
  assert.deepEqual(training.weights, expected);
});

Deno.test("as a teacher it gives the vectors of the encoder that was trained, for any length and mask", async () => {
  const weights = startingNumbers(maskedLmPlans(sizes), 7);
  const teacher = await openTeacher(maskedLmTeacher(sizes, weights, { name: "tiny", unknown: 0, end: null }));
  const { width, length } = sizes;
  const lengths = Int32Array.of(8, 5), ids = counting(16, 5);
  for (const suffixes of [false, true]) {
    const mask = Float32Array.from({ length: 2 * length * length }, (_, i) => {
      const [key, query] = [i % length, Math.floor(i / length) % length];
      return key >= lengths[Math.floor(i / length / length)]! || (suffixes && key < query) ? -1e9 : 0;
    });
    const parameters = parameterTensors(maskedLmPlans(sizes));
    const shown = input("shown", [2 * length, width]);
    const stream = add(reshape(shown, [2, length, width]), parameters["position/table"]!);
    const { out } = encode(stream, sizes, parameters, ENCODER, input("mask", [2, 1, length, length]));
    const program = await Program.compile({ out });
    const table = weights.get(TOKEN_TABLE)!;
    const rows = Float32Array.from(
      [...ids].flatMap((id) => [...table.subarray(id * width, (id + 1) * width)]),
    );
    const expected = (await program.run({ ...Object.fromEntries(weights), shown: rows, mask })).out!;
    await program.release();

    const vectors = await teacher.embed({ count: 2, positions: length, ids, lengths }, { suffixes });
    const there = vectors.map((x, i) => i < (8 + 5) * width ? x - expected[i]! : 0);
    assert.ok(Math.max(...there.map(Math.abs)) < 1e-5);
    // A window alone, without padding, gets the same vectors.
    const alone = await teacher.embed({
      count: 1,
      positions: 5,
      ids: ids.slice(8, 13),
      lengths: Int32Array.of(5),
    }, {
      suffixes,
    });
    alone.forEach((x, i) => assert.ok(Math.abs(x - expected[length * width + i]!) < 1e-5));
  }
  await teacher[Symbol.asyncDispose]();
});

Deno.test("with suffixes, no vector knows of what stands before it, and layers can be chosen", async () => {
  const weights = startingNumbers(maskedLmPlans(sizes), 8);
  for (const layer of [undefined, 1]) {
    const files = maskedLmTeacher(sizes, weights, {
      name: "tiny",
      unknown: 0,
      end: 1,
      ...(layer && { layer }),
    });
    await using teacher = await openTeacher(files);
    const ids = Int32Array.of(1, 2, 3, 4, 5, 6), other = ids.slice();
    other[2] = 8;
    const embed = (ids: Int32Array, suffixes: boolean) =>
      teacher.embed({ count: 1, positions: 6, ids, lengths: Int32Array.of(6) }, { suffixes });
    const changed = async (suffixes: boolean) => {
      const [a, b] = [await embed(ids, suffixes), await embed(other, suffixes)];
      return Array.from({ length: 6 }, (_, t) => {
        const at = t * sizes.width;
        return a.slice(at, at + sizes.width).some((x, i) => Math.abs(x - b[at + i]!) > 1e-6);
      });
    };
    assert.deepEqual(await changed(true), [true, true, true, false, false, false]);
    assert.deepEqual(await changed(false), [true, true, true, true, true, true]);
  }
});

Deno.test("tokens are hidden in the shares wanted, and never where a window was cut", () => {
  const windows = counting(64 * 8, 6);
  const hiding = { length: 8, tokens: 9, hidden: 70, suffixes: 0.5, shorter: 0.5 };
  let marked = 0, kept = 0, suffixes = 0, short = 0;
  for (let seed = 0; seed < 50; seed++) {
    const { shown, mask, where, answers } = hideTokens(windows, hiding, new RandomStream(seed));
    const places = Array.from(where, Number);
    assert.equal(new Set(places).size, 70);
    places.forEach((place, n) => {
      assert.equal(answers[n], windows[place]);
      if (shown[place] === 9) marked++;
      else if (shown[place] === windows[place]) kept++;
      const diagonal = (place * 8) + place % 8;
      assert.equal(mask[diagonal], 0, "a hidden token lies within its window");
    });
    const hidden = new Set(places);
    shown.forEach((token, place) => assert.ok(hidden.has(place) || token === windows[place]));
    for (let w = 0; w < 64; w++) {
      const seen = (query: number, key: number) => mask[(w * 8 + query) * 8 + key] === 0;
      if (!seen(7, 0) && seen(0, 0)) suffixes++;
      if (!seen(0, 7)) short++;
    }
  }
  const within = (n: number, of: number, share: number) =>
    assert.ok(
      Math.abs(n / of - share) < 4 * Math.sqrt(share * (1 - share) / of),
      `${n / of} is not ${share}`,
    );
  within(marked, 50 * 70, 0.8);
  // A random token is the right one in one of nine cases.
  within(kept, 50 * 70, 0.1 + 0.1 / 9);
  within(suffixes, 50 * 64, 0.5);
  within(short, 50 * 64, 0.5 * 7 / 8);
});

Deno.test("candidates hold the answers, and their corrections make sums over them sums over all tokens", () => {
  const tokens = 400;
  const counts = Array.from({ length: tokens }, (_, token) => Math.floor(2000 / (1 + token)));
  const total = counts.reduce((sum, count) => sum + count + 1, 0);
  const random = new RandomStream(1);
  const scores = counts.map((count) => [1, (count + 1) / total, Math.exp(random.normal())]);
  const wanted = [0, 1, 2].map((k) => scores.reduce((sum, score) => sum + score[k]!, 0));
  const rounds = 300;
  for (const size of [40, 100]) {
    const candidates = new Candidates(counts, size);
    const found = [0, 0, 0];
    for (let round = 0; round < rounds; round++) {
      const random = new RandomStream(round);
      const answers = Int32Array.from({ length: 15 }, () => {
        let at = random.uniform() * total;
        return counts.findIndex((count) => (at -= count + 1) < 0);
      });
      const { tokens, correction, targets } = candidates.choose(answers, random);
      assert.equal(new Set(tokens).size, size);
      answers.forEach((answer, n) => assert.equal(tokens[Number(targets[n])], answer));
      tokens.forEach((token, n) =>
        scores[token]!.forEach((score, k) => found[k]! += score * Math.exp(correction[n]!) / rounds)
      );
    }
    // The denominator of a softmax is such a sum. Dividing by the chance to be drawn makes the estimate unbiased.
    found.forEach((sum, k) => assert.ok(Math.abs(sum / wanted[k]! - 1) < 0.05, `${sum} of ${wanted[k]}`));
  }
  const all = new Candidates(counts, 0).choose(Int32Array.of(11, 3), new RandomStream(0));
  assert.deepEqual([...all.targets], [11n, 3n]);
  assert.ok(all.correction.every((x) => x === 0));
});

Deno.test("what cannot be trained is refused with the place", () => {
  const make = (changed: object, text = corpus, given = sizes) =>
    new MaskedLmTraining(given, { ...options, ...changed }, text);
  assert.throws(() => make({ hidden: 0 }), /a share of 0 of the tokens cannot be hidden/);
  assert.throws(
    () => make({}, { ...corpus, valid: new Int32Array(3) }),
    /3 tokens of valid text give no window of 8/,
  );
  const strange = corpus.train.slice();
  strange[17] = 9;
  assert.throws(
    () => make({}, { ...corpus, train: strange }),
    /token 17 of the train text is 9, expected 0 to 8/,
  );
  assert.throws(() => make({}, corpus, { ...sizes, heads: 3 }), /3 heads do not divide the width 16/);
});
