import assert from "node:assert/strict";
import { blockedHmm, BlockedHmmLearner, hmm, ReferenceLearner } from "../../../circuits/mod.ts";
import { Windows } from "../../../datasets/text/windows.ts";
import { ShardWriter } from "../../../runner/codecs/shard_writer.ts";
import { byteVocabulary, type Vocabulary } from "../../../datasets/text/vocabulary.ts";
import { readBlanks } from "../../../stages/text/blanks.ts";
import { completeText } from "../../../stages/text/complete_text.ts";
import { tokens } from "../../../stages/text/codecs.ts";
import { withFrame } from "../../../stages/text/frame_notes.ts";
import { evaluateText } from "../../../stages/text/evaluate_text.ts";
import { languageResults, languageTable } from "../../../stages/text/language_table.ts";
import { sampleText } from "../../../stages/text/sample_text.ts";
import { smoothText } from "../../../stages/text/smooth_text.ts";
import { trainText } from "../../../stages/text/train_text.ts";
import { WindowSource } from "../../../stages/text/window_source.ts";
import { inPlace, runHere, type SmallStore } from "../in_place.ts";

/** `a b c <end>` again and again: states 0 to 3 go around and emit one word each. */
const vocabulary = { kind: "words", words: ["<end>", "a", "b", "c"], unknown: null, end: 0 } as const;
const around = (length: number) =>
  hmm({
    length,
    states: 4,
    symbols: 4,
    initial: [1, 0, 0, 0],
    transition: [0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 1, 0, 0, 0],
    emission: [1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1],
  });

async function tokensOf(place: SmallStore, ids: number[]) {
  const folder = Deno.makeTempDirSync({ dir: place.scratch });
  const writer = new ShardWriter({ folder, type: "u1", width: 1 });
  await writer.append(Int32Array.from(ids));
  const made = { ids: await writer.finish(), starts: Float64Array.of(0, ids.length) };
  return await place.read(tokens, await place.write(tokens, made));
}

Deno.test("windows are samples in any order, padding is not observed", async () => {
  await inPlace(async (place) => {
    const { ids } = await tokensOf(place, [1, 2, 3, 0, 1]);
    const source = await WindowSource.open(Windows.over([0, 5], { length: 2, partial: "pad" }), ids);
    assert.equal(source.count, 3);
    assert.deepEqual(await source.read(Uint32Array.of(2, 0, 1)), {
      count: 3,
      variables: 2,
      values: Int32Array.of(1, 0, 1, 2, 3, 0),
      observed: Uint8Array.of(1, 0, 1, 1, 1, 1),
    });
    assert.equal((await source.read(Uint32Array.of(1))).observed, undefined);
  });
});

Deno.test("perplexity counts tokens that are there: uniform over four words it is four", async () => {
  await inPlace(async (place) => {
    const text = await tokensOf(place, [1, 2, 3, 0, 1]);
    const windows = Windows.over([0, 5], { length: 3, partial: "pad" });
    const uniform = hmm({
      length: 3,
      states: 1,
      symbols: 4,
      initial: [1],
      transition: [1],
      emission: Array(4).fill(0.25),
    });
    const { score } = await runHere(evaluateText, { circuit: uniform, tokens: text, windows });
    assert.equal(score.tokens, 5);
    assert.ok(Math.abs(score.perplexity - 4) < 1e-5 && Math.abs(score.bitsPerToken - 2) < 1e-5);
    const never = await runHere(evaluateText, { circuit: around(3), tokens: text, windows });
    assert.deepEqual(never.score, { perplexity: null, bitsPerToken: null, tokens: 5 });
  });
});

Deno.test("training by windows fits the text; the share of the unigram is what the validation text wants", async () => {
  await inPlace(async (place) => {
    const train = await tokensOf(place, Array.from({ length: 60 }, (_, i) => [0, 1, 2, 3][i % 4]!));
    // Half of what comes is a word that never came there before.
    const valid = await tokensOf(place, [0, 1, 2, 1, 0, 3, 2, 3]);
    const data = {
      train,
      trainWindows: Windows.over([0, 60], { length: 4 }),
      valid: train,
      validWindows: Windows.over([0, 60], { length: 4 }),
    };
    const curve: [string, number, number | undefined][] = [];
    const { circuit, log } = await runHere(
      trainText,
      { circuit: hmm({ length: 4, states: 4, symbols: 4, seed: 3 }), ...data },
      { epochs: 60, batchSize: 4 },
      { metric: (name: string, value: number, step?: number) => curve.push([name, value, step]) },
    );
    const kept = log.epochs[log.bestEpoch].valid.logLikelihood;
    assert.deepEqual(
      curve.filter(([name, , step]) => name === "valid log-likelihood" && step === undefined),
      [
        ["valid log-likelihood", kept, undefined],
      ],
      "the epoch whose parameters are kept is the result",
    );
    const scores = log.epochs.map((one: { valid: { logLikelihood: number } }) => one.valid.logLikelihood);
    assert.ok(scores.at(-1)! > scores[0]! && scores.at(-1)! > Math.log(0.9), `it learned: ${scores.at(-1)}`);

    const surprised = { ...data, valid, validWindows: Windows.over([0, 8], { length: 4 }) };
    const none = await runHere(smoothText, { circuit, ...data }, { weights: [0.3, 0, 0.6] });
    assert.equal(none.smoothing.weight, 0);
    const told: [string, number, number | undefined][] = [];
    const some = await runHere(
      smoothText,
      { circuit: around(4), ...surprised },
      { weights: [0.3, 0, 0.9] },
      {
        metric: (name: string, value: number, step?: number) => told.push([name, value, step]),
      },
    );
    assert.equal(some.smoothing.tried[1].perplexity, null, "without the unigram it is impossible");
    assert.ok(some.smoothing.weight > 0);
    const { score } = await runHere(evaluateText, {
      circuit: some.circuit,
      tokens: valid,
      windows: surprised.validWindows,
    });
    const best = some.smoothing.tried.find((one: { weight: number }) => one.weight === some.smoothing.weight);
    assert.equal(score.perplexity, best.perplexity);
    const [, , worst] = some.smoothing.tried;
    assert.ok(worst.perplexity > best.perplexity, "the last one tried is not the best");
    assert.deepEqual(told, [
      ["perplexity", best.perplexity, 0],
      ["perplexity", worst.perplexity, 2],
      ["perplexity", best.perplexity, undefined],
    ], "what was chosen is told as the result, candidates as a curve");
  });
});

Deno.test("a blocked HMM is smoothed by levels in each epoch, on an engine as by the reference, and by nothing but EM", async () => {
  await inPlace(async (place) => {
    const ids = Array.from({ length: 60 }, (_, i) => i * i % 7 % 4);
    const train = await tokensOf(place, ids), windows = Windows.over([0, 60], { length: 4 });
    const data = { train, trainWindows: windows, valid: train, validWindows: windows };
    const blocks = [{ states: 2, symbols: [0, 2] }, { states: 2, symbols: [1, 3] }];
    const circuit = blockedHmm({ length: 4, symbols: 4, blocks, backoff: 1, seed: 3 });
    const levels = { initial: 1, transition: 2, within: 1, between: 1, discount: 0.5, emission: 3 };
    const trained = await runHere(trainText, { circuit, ...data }, { epochs: 2, batchSize: 8, levels });
    const reference = new BlockedHmmLearner(new ReferenceLearner(circuit), levels);
    const samples = { count: 15, variables: 4, values: Int32Array.from(ids) };
    for (let epoch = 0; epoch < 2; epoch++) {
      await reference.accumulate(samples);
      await reference.update({ step: { kind: "em" } });
    }
    assert.equal(trained.log.bestEpoch, 2);
    for (const [id, values] of await reference.parameters()) {
      const got = trained.circuit.parameters.get(id).values;
      values.forEach((x, i) =>
        assert.ok(Math.abs(x - got[i]) < 1e-4, `${id} ${i}: ${got[i]}, expected ${x}`)
      );
    }
    await assert.rejects(
      runHere(trainText, { circuit, ...data }, { levels, step: { kind: "anemone", step: 0.5 } }),
      /the step is `anemone`, expected `em`/,
    );
    await assert.rejects(
      runHere(trainText, { circuit, ...data }, { levels, stateDropout: 0.3 }),
      /stateDropout is 0.3, but a step `em` of 1 batch would forget/,
    );
  });
});

Deno.test("sentences begin after an end and stop at the next; blanks are what they must be", async () => {
  const circuit = withFrame(around(6), { begins: "end", ends: true });
  const { sentences } = await runHere(sampleText, { circuit, vocabulary }, { count: 3 });
  assert.deepEqual(sentences.sentences, ["a b c", "a b c", "a b c"]);
  const { completions } = await runHere(completeText, { circuit, vocabulary }, {
    sentences: ["a _ c"],
    draws: 2,
    list: 1,
  });
  assert.deepEqual(completions.completions, [{
    given: "a _ c",
    drawn: ["a b c", "a b c"],
    blanks: [[{ word: "b", probability: 1 }]],
  }]);
  const refuse = (sentence: string, message: RegExp) =>
    assert.rejects(runHere(completeText, { circuit, vocabulary }, { sentences: [sentence] }), message);
  await refuse("a b c", /no blank/);
  await refuse("a _ d", /has no "d"/);
  await refuse("a _ c a b c a", /has 9 tokens/);
});

Deno.test("sentences with blanks are read by the vocabulary's kind; an open one may go on", () => {
  const words = {
    kind: "words" as const,
    words: ["<unk>", "<eos>", "we", "must", ".", "do"],
    unknown: 0,
    end: 1,
  };
  const read = (sentence: string, known: Vocabulary, ends?: boolean) => {
    const { samples, blanks, unknown } = readBlanks(sentence, known, 10, { begins: "end", ends: true }, ends);
    const units = Array.from(samples.values as Int32Array, (id, t) => samples.observed![t] === 1 ? id : -1);
    return { units: units.slice(0, units.findLastIndex((id) => id >= 0) + 1), blanks, unknown };
  };
  assert.deepEqual(read("We  _ must.", words), { units: [1, 2, -1, 3, 4, 1], blanks: [2], unknown: [] });
  assert.deepEqual(read("do _ it, _", words, false), {
    units: [1, 5, -1, 0, 0],
    blanks: [2, 5],
    unknown: ["it", ","],
  });
  const chinese = {
    kind: "words" as const,
    words: ["<unk>", "<eos>", "今天", "天气", "好"],
    unknown: 0,
    end: 1,
  };
  assert.deepEqual(read("今天天气_好", chinese), { units: [1, 2, 3, -1, 4, 1], blanks: [3], unknown: [] });
  const letters = { kind: "characters" as const, words: ["<unk>", "<eos>", "a", " "], unknown: 0, end: 1 };
  assert.deepEqual(read("a _", letters), { units: [1, 2, 3, -1, 1], blanks: [3], unknown: [] });
  assert.deepEqual(read("é_", byteVocabulary()).units, [256, 0xc3, 0xa9, -1, 256]);
});

Deno.test("the table has each arm by budget, at its best and smoothed; of equal floors the better one", async () => {
  const score = (perplexity: number | null, tokens = 8) => ({ perplexity, bitsPerToken: null, tokens });
  const at = (epoch: number, perplexity: number, best = false) => ({
    epoch,
    best,
    valid: {
      logLikelihood: -Math.log(perplexity) * 4,
      bitsPerVariable: null,
      impossible: 0,
      samples: 2,
    },
  });
  const { table } = await runHere(languageResults, {
    logs: [{ bestEpoch: 2, converged: false, epochs: [at(0, 50), at(1, 40), at(2, 30, true)] }],
    valid: [score(29)],
    test: [score(28)],
    floorValid: [score(90), score(20), score(null), score(10)],
    floorTest: [score(91), score(21), score(1), score(11)],
  }, {
    budget: 1,
    rows: [{ arm: "random", states: 4, seed: 0 }],
    floors: ["unigram", "bigram", "bigram", "bigram"],
  });
  const [row] = table.rows;
  assert.deepEqual([row.start, row.atBudget, row.best].map((p: number) => Math.round(p)), [50, 40, 30]);
  assert.deepEqual([row.bestEpoch, row.epochs, row.converged, row.valid, row.test], [2, 2, false, 29, 28]);
  assert.deepEqual(table.floors, [
    { model: "unigram", valid: 90, test: 91 },
    { model: "bigram", valid: 10, test: 11 },
  ]);
  const summary = String(languageTable.summary!(table));
  assert.match(summary, /random +4 +50\.0 +40\.0 +30\.0 +2 of 2 +not converged +29\.0 +28\.0 +1/);
});
