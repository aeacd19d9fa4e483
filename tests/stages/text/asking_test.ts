import assert from "node:assert/strict";
import { hmm } from "../../../circuits/structures/hmm.ts";
import { ReferenceEvaluator } from "../../../circuits/mod.ts";
import { pieceTokenizer } from "../../../datasets/text/pieces.ts";
import type { Vocabulary } from "../../../datasets/text/vocabulary.ts";
import { type WindowFrame, Windows } from "../../../datasets/text/windows.ts";
import { ShardWriter } from "../../../runner/codecs/shard_writer.ts";
import { circuit as circuitCodec } from "../../../stages/codecs/circuit.ts";
import { fillBlanks, readBlanks, withoutEnds } from "../../../stages/text/blanks.ts";
import {
  tokens,
  vocabulary as vocabularyCodec,
  windows as windowsCodec,
} from "../../../stages/text/codecs.ts";
import { completeText } from "../../../stages/text/complete_text.ts";
import { drawTexts } from "../../../stages/text/draw_texts.ts";
import { frameOf, withFrame } from "../../../stages/text/frame_notes.ts";
import { materialiseHmm } from "../../../stages/text/materialise_hmm.ts";
import { samples as samplesCodec } from "../../../stages/codecs/samples.ts";
import { sampleText } from "../../../stages/text/sample_text.ts";
import { trainText } from "../../../stages/text/train_text.ts";
import { windowSamples } from "../../../stages/text/window_samples.ts";
import { layWindows } from "../../../stages/text/windows.ts";
import { trainEm } from "../../../stages/train_em.ts";
import { languageModel, LOGITS, logitTable, PIECES } from "../../teachers/tiny_language_model.ts";
import { inPlace, runHere, type SmallStore } from "../in_place.ts";

/** "alpha beta (gamma|delta) omega </s>", with a little of everything everywhere, as smoothing leaves it. */
const WORDS = ["<unk>", "</s>", "alpha", "beta", "gamma", "delta", "omega"];
const chain = { kind: "words", words: WORDS, unknown: 0, end: 1 } as const satisfies Vocabulary;
const NOISE = 0.03;

function markovChain(length: number, begins: "alpha" | "anywhere") {
  const n = WORDS.length;
  const row = (shares: Record<number, number>) =>
    Array.from({ length: n }, (_, k) => (1 - NOISE) * (shares[k] ?? 0) + NOISE / n);
  const transition = [
    row({ 2: 1 }),
    row({ 2: 1 }),
    row({ 3: 1 }),
    row({ 4: 0.5, 5: 0.5 }),
    row({ 6: 1 }),
    row({ 6: 1 }),
    row({ 1: 1 }),
  ];
  const emission = Array.from({ length: n * n }, (_, i) => Math.floor(i / n) === i % n ? 1 : 0);
  const initial = begins === "alpha"
    ? row({ 2: 1 })
    : row({ 1: 0.2, 2: 0.2, 3: 0.2, 4: 0.1, 5: 0.1, 6: 0.2 });
  const circuit = hmm({ length, states: n, symbols: n, initial, transition: transition.flat(), emission });
  return { circuit, initial, transition };
}

/** By running over all fillings: the distribution of each blank, where no blank is the end. */
function byHand(
  { initial, transition }: { initial: number[]; transition: number[][] },
  row: readonly (number | null)[],
): number[][] {
  const found = row.map(() => new Array(WORDS.length).fill(0));
  const filling: number[] = [];
  const walk = (p: number) => {
    const t = filling.length;
    if (t === row.length) {
      filling.forEach((k, v) => found[v]![k] += p);
      return;
    }
    for (let k = 0; k < WORDS.length; k++) {
      const given = row[t];
      if (given === null ? k === 1 : k !== given) continue;
      filling.push(k);
      walk(p * (t === 0 ? initial[k]! : transition[filling[t - 1]!]![k]!));
      filling.pop();
    }
  };
  walk(1);
  return found.map((counts) => counts.map((p) => p / counts.reduce((a, b) => a + b)));
}

Deno.test("a model of windows that begin with their text is asked and drawn from so", async () => {
  const model = markovChain(8, "alpha");
  const circuit = withFrame(model.circuit, { begins: "window", ends: true });
  const { sentences } = await runHere(sampleText, { circuit, vocabulary: chain }, { count: 200 });
  const formed = sentences.sentences.filter((text: string) => /^alpha beta (gamma|delta) omega$/.test(text));
  assert.ok(formed.length > 150, `${formed.length} of 200 are of the form that 0.97^5 = 86 % have`);

  const { completions } = await runHere(completeText, { circuit, vocabulary: chain }, {
    sentences: ["_ _ _ omega"],
    draws: 40,
    list: 7,
  });
  const [done] = completions.completions;
  const truth = byHand(model, [null, null, null, 6, 1]);
  done.blanks.forEach((words: { word: string; probability: number }[], i: number) => {
    for (const { word, probability } of words) {
      const wanted = truth[i]![WORDS.indexOf(word)]!;
      assert.ok(Math.abs(probability - wanted) < 1e-5, `blank ${i} ${word}: ${probability}, not ${wanted}`);
    }
  });
  assert.deepEqual(done.blanks.map(([best]: { word: string }[]) => best!.word).slice(0, 2), [
    "alpha",
    "beta",
  ]);
  assert.ok(done.blanks[0][0].probability > 0.96 && done.blanks[2][1].probability > 0.4);
  for (const text of done.drawn) assert.match(text, /^\S+ \S+ \S+ omega$/, "no blank is the end");
});

Deno.test("a model of running text is asked after an end; one that says nothing as it stands", async () => {
  const model = markovChain(8, "anywhere");
  const asked = async (circuit: typeof model.circuit, params: Record<string, unknown> = {}) => {
    const { completions } = await runHere(completeText, { circuit, vocabulary: chain }, {
      sentences: ["_ _ gamma omega"],
      list: 7,
      ...params,
    });
    return completions.completions[0].blanks as { word: string; probability: number }[][];
  };
  const near = (found: { word: string; probability: number }[][], row: (number | null)[], first: number) => {
    const truth = byHand(model, row);
    found.forEach((words, i) => {
      for (const { word, probability } of words) {
        assert.ok(Math.abs(probability - truth[first + i]![WORDS.indexOf(word)]!) < 1e-5, word);
      }
    });
  };
  near(await asked(withFrame(model.circuit, { begins: "end", ends: true })), [1, null, null, 4, 6, 1], 1);
  near(await asked(withFrame(model.circuit, { begins: "anywhere", ends: false })), [null, null, 4, 6], 0);
  near(await asked(model.circuit), [null, null, 4, 6], 0);
  near(await asked(model.circuit, { begins: "end" }), [1, null, null, 4, 6, 1], 1);
  const { sentences } = await runHere(sampleText, { circuit: model.circuit, vocabulary: chain }, {
    begins: "end",
    count: 100,
  });
  const first = sentences.sentences.filter((text: string) => text.startsWith("alpha"));
  assert.ok(first.length > 85, `${first.length} of 100 begin with what follows an end`);
  const none = { ...chain, end: null };
  await assert.rejects(
    runHere(sampleText, { circuit: model.circuit, vocabulary: none }, { begins: "end" }),
    /texts begin after an end token, and there is none/,
  );
});

/** Tokens in documents. */
async function corpus(place: SmallStore, documents: number[][]) {
  const folder = Deno.makeTempDirSync({ dir: place.scratch });
  const writer = new ShardWriter({ folder, type: "u1", width: 1 });
  const starts = [0];
  for (const ids of documents) {
    await writer.append(Int32Array.from(ids));
    starts.push(starts.at(-1)! + ids.length);
  }
  const made = { ids: await writer.finish(), starts: Float64Array.from(starts) };
  return await place.read(tokens, await place.write(tokens, made));
}

Deno.test("windows say how texts lie in them, and so does every model that is learned from them", async () => {
  await inPlace(async (place) => {
    const sentence = [2, 3, 4, 6, 1];
    const short = await corpus(place, Array.from({ length: 8 }, () => sentence));
    const long = await corpus(place, [[...sentence, ...sentence, ...sentence], sentence]);
    const open = await corpus(place, [[2, 3, 4, 6, 2, 3, 4, 6], [2, 3, 4, 6]]);
    const last = await corpus(place, [[2, 3, 4, 6, 2, 3, 4, 6, 2, 1], [2, 1]]);
    const frames: [typeof short, Record<string, unknown>, WindowFrame][] = [
      // Each document is in one window, which begins with it.
      [short, { within: "documents", partial: "pad", length: 6 }, { begins: "window", ends: true }],
      [short, { within: "documents", length: 5 }, { begins: "window", ends: true }],
      [short, { within: "documents", length: 4 }, { begins: "window", ends: false }],
      [short, { within: "ends", partial: "pad", length: 8 }, { begins: "window", ends: true }],
      // Running text: windows begin anywhere, and texts after ends.
      [short, { within: "text", length: 4 }, { begins: "end", ends: true }],
      // Documents longer than a window, with ends inside or only at their end, which no window has anything after.
      [long, { within: "documents", partial: "pad", length: 6 }, { begins: "end", ends: true }],
      [last, { within: "documents", partial: "pad", length: 4 }, { begins: "anywhere", ends: true }],
      // No ends at all, although the vocabulary has one.
      [open, { within: "text", length: 4 }, { begins: "anywhere", ends: false }],
      [open, { within: "documents", length: 8, partial: "pad" }, { begins: "window", ends: false }],
    ];
    for (const [text, params, frame] of frames) {
      const { windows } = await runHere(layWindows, { tokens: text, vocabulary: chain }, params);
      assert.deepEqual(windows.frame, frame, JSON.stringify(params));
      const kept = await place.read(windowsCodec, await place.write(windowsCodec, windows));
      assert.deepEqual([kept.frame, kept.count, kept.length], [frame, windows.count, windows.length]);
      const { length } = windows as Windows;
      const start = hmm({ length, states: 2, symbols: WORDS.length, seed: 1 });
      const data = { train: text, trainWindows: windows, valid: text, validWindows: windows };
      const { circuit } = await runHere(trainText, { circuit: start, ...data }, { epochs: 1 });
      assert.deepEqual(frameOf(circuit), frame);
      const rows = await runHere(windowSamples, { tokens: text, windows });
      const samples = await place.read(samplesCodec, await place.write(samplesCodec, rows.samples));
      const plain = await runHere(trainEm, { circuit: start, train: samples, valid: samples }, {
        epochs: 1,
      });
      assert.deepEqual(frameOf(plain.circuit), frame);
      const onDisk = await place.read(circuitCodec, await place.write(circuitCodec, plain.circuit));
      assert.deepEqual(frameOf(onDisk), frame);
      const labels = { labels: new Int32Array(windows.count * length), clusters: 1 };
      const of = { tokens: text, windows, vocabulary: chain, labels };
      const made = await runHere(materialiseHmm, of, { endState: false });
      assert.deepEqual(frameOf(made.circuit), frame);
    }
  });
});

const FIXTURES = new URL("../../fixtures/tokenizers/", import.meta.url);
const fixture = (name: string) => pieceTokenizer(Deno.readTextFileSync(new URL(`${name}.json`, FIXTURES)));

Deno.test("sentences with blanks go through the tokenizer that the vocabulary is of", async () => {
  for (const name of ["byte_level", "llama2", "llama3", "wordpiece", "unigram", "clip", "gpt1"]) {
    const tokenizer = fixture(name);
    const { vocabulary } = tokenizer;
    const read = (sentence: string, begins: WindowFrame["begins"] = "window") => {
      const { samples, blanks, words, unknown } = readBlanks(sentence, vocabulary, 60, {
        begins,
        ends: false,
      });
      const row = Array.from(
        { length: words.to },
        (_, t) => samples.observed![t] === 1 ? samples.values[t]! : null,
      );
      return { row, blanks, unknown };
    };
    // What a text is cut into, with a hole where the pieces of one word stood: the blank is one piece.
    const whole = tokenizer.encode("the dedicated company of the people");
    const { row, blanks } = read("the dedicated _ of the people");
    const at = blanks[0]!;
    assert.deepEqual(row.slice(0, at), whole.slice(0, at), name);
    const rest = row.slice(at + 1);
    assert.deepEqual(rest, whole.slice(-rest.length), name);
    assert.deepEqual(rest, "of the people".split(" ").flatMap((word) => tokenizer.cut(word, "spaced")), name);
    assert.deepEqual(
      read("the company of the people").row,
      tokenizer.encode("the company of the people"),
      name,
    );
    assert.deepEqual(read("  the\\ncompany ".replace("\\n", " ")).row, tokenizer.encode("the company"), name);
    assert.deepEqual(read("_ _ the").blanks, [0, 1], name);
    // A mark that stands right after a blank is not cut as one after a space.
    assert.deepEqual(read("the _.").row.at(-1), tokenizer.encode("the people.").at(-1), name);
    assert.deepEqual(read("company", "anywhere").row, tokenizer.cut("company", "spaced"), name);
  }
  const pieces = fixture("wordpiece");
  const { unknown } = readBlanks("the 漢 _ men", pieces.vocabulary, 9, { begins: "window", ends: false });
  assert.deepEqual(unknown, ["漢"]);
  await inPlace(async (place) => {
    const kept = await place.read(vocabularyCodec, await place.write(vocabularyCodec, pieces.vocabulary));
    assert.deepEqual(kept, pieces.vocabulary, "the tokenizer is kept with its vocabulary");
  });
});

Deno.test("a model over pieces is asked and shown in text", async () => {
  const { vocabulary, cut } = fixture("byte_level");
  const ids = ["the company of", " men"].flatMap((text) => fixture("byte_level").encode(text));
  assert.ok(ids.length > 4 && cut !== undefined);
  // Says these pieces and nothing else; every position has a state of its own.
  const n = ids.length;
  const circuit = withFrame(
    hmm({
      length: n,
      states: n,
      symbols: vocabulary.words.length,
      initial: Array.from({ length: n }, (_, k) => k === 0 ? 1 : 0),
      transition: Array.from({ length: n * n }, (_, i) => (Math.floor(i / n) + 1) % n === i % n ? 1 : 0),
      emission: Array.from(
        { length: n * vocabulary.words.length },
        (_, i) => ids[Math.floor(i / vocabulary.words.length)] === i % vocabulary.words.length ? 1 : 0,
      ),
    }),
    { begins: "window", ends: false },
  );
  const { sentences } = await runHere(sampleText, { circuit, vocabulary }, { count: 1 });
  assert.deepEqual(sentences.sentences, ["the company of men"]);
  const blank = fixture("byte_level").encode("the company of").length;
  const asked = n - blank === 1 ? "the company of _" : `the company of ${"_ ".repeat(n - blank)}`;
  const { completions } = await runHere(completeText, { circuit, vocabulary }, {
    sentences: [asked],
    draws: 1,
  });
  assert.deepEqual(completions.completions[0].drawn, ["the company of men"]);
});

Deno.test("pieces that read alike are listed as the vocabulary has them, with what to write", async () => {
  const words = ["</s>", "Ġmen", "men", "Ġof", "Ã"];
  const vocabulary: Vocabulary = { kind: "pieces", words, unknown: null, end: 0 };
  const shares = [0.2, 0.4, 0.1, 0.25, 0.05];
  const circuit = hmm({ length: 1, states: 1, symbols: 5, initial: [1], transition: [1], emission: shares });
  const { samples, blanks } = readBlanks("_", vocabulary, 1, { begins: "window", ends: false });
  const asked = withoutEnds(circuit, blanks, vocabulary);
  const { blanks: [blank] } = await fillBlanks(
    new ReferenceEvaluator(asked.circuit),
    { samples: asked.condition(samples), blanks, words: { from: 0, to: 1 }, unknown: [] },
    vocabulary,
    { draws: 1, list: 5, seed: 1 },
  );
  const rounded = blank!.words.map((one) => ({
    ...one,
    probability: Math.round(one.probability * 1e4) / 1e4,
  }));
  assert.deepEqual(rounded, [
    { word: "Ġmen", probability: 0.5, text: "men" },
    { word: "of", probability: 0.3125 },
    { word: "men", probability: 0.125 },
    { word: "Ã", probability: 0.0625 },
    { word: "</s>", probability: 0 },
  ]);
});

Deno.test("sentences of a model of a language model's texts begin as the language model begins them", async () => {
  await inPlace(async (place) => {
    const scratch = () => Deno.makeTempDir({ dir: place.scratch });
    const drawn = await runHere(
      drawTexts,
      { teacher: await languageModel(true, false) },
      { count: 1500, length: 8 },
      { scratch },
    );
    const vocabulary = await place.read(
      vocabularyCodec,
      await place.write(vocabularyCodec, drawn.vocabulary),
    );
    const text = await place.read(tokens, await place.write(tokens, drawn.tokens));
    const { windows } = await runHere(layWindows, { tokens: text, vocabulary }, {
      length: 8,
      within: "documents",
      partial: "pad",
    });
    assert.deepEqual(windows.frame, { begins: "window", ends: true });
    // The language model is a chain: with a state for each piece the counts are the chain.
    const rows = await (windows as Windows).rows(text.ids, 0, windows.count);
    const labels = { labels: Int32Array.from(rows.values), clusters: PIECES };
    const { circuit } = await runHere(materialiseHmm, { tokens: text, windows, vocabulary, labels }, {
      ...{ endState: false, initial: 0.01, transition: 0.01, emission: 0.001 },
    });
    const { completions } = await runHere(completeText, { circuit, vocabulary }, {
      sentences: ["_ it"],
      ends: false,
      list: PIECES,
    });
    // p(first, it) by the logits: what follows the beginning piece 1, then 9 ("it"); never the end, 2.
    const weight = (from: number, to: number) => Math.exp(logitTable[from * LOGITS + to]!);
    const chance = (from: number, to: number) =>
      weight(from, to) / Array.from({ length: PIECES }, (_, k) => weight(from, k)).reduce((a, b) => a + b);
    const wanted = Array.from({ length: PIECES }, (_, k) => k === 2 ? 0 : chance(1, k) * chance(k, 9));
    const total = wanted.reduce((a, b) => a + b);
    for (const { word, probability } of completions.completions[0].blanks[0]) {
      const k = vocabulary.words.findIndex((piece) => piece === word || piece === `##${word}`);
      assert.ok(
        Math.abs(probability - wanted[k]! / total) < 0.06,
        `${word}: ${probability}, not ${wanted[k]! / total}`,
      );
    }
    const { sentences } = await runHere(sampleText, { circuit, vocabulary }, { count: 2000 });
    const empty = sentences.sentences.filter((sentence: string) => sentence === "").length;
    assert.ok(
      Math.abs(empty / 2000 - chance(1, 2)) < 0.04,
      `${empty} of 2000 end at once, not ${chance(1, 2)}`,
    );
  });
});
