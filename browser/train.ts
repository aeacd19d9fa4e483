import { type Circuit, withNotes } from "../circuits/circuit.ts";
import type { Learner } from "../circuits/learner.ts";
import { fit, type FitOptions } from "../circuits/learning/fit.ts";
import type { Score } from "../circuits/learning/score.ts";
import type { Samples } from "../circuits/samples.ts";
import { hmm } from "../circuits/structures/hmm.ts";
import { BigramCounts, BigramModel } from "../datasets/bigram.ts";
import type { Passage } from "../datasets/text/passages.ts";
import { characterTokenizer, type Tokenizer, wordTokenizer } from "../datasets/text/tokenizer.ts";
import type { Vocabulary } from "../datasets/text/vocabulary.ts";
import { type WindowFrame, Windows } from "../datasets/text/windows.ts";
import { CallError, RetortError } from "../foundation/errors.ts";
import { notesOf } from "../stages/text/frame_notes.ts";
import { openTabEngine } from "./engine.ts";
import { type TabEngineChoice } from "./engine_names.ts";
import type { TextModelFile } from "./model_file.ts";

/** What is learned from a text, and from what start. */
export interface TextTrainingOptions {
  /** Hidden states; 32 if omitted. */
  readonly states?: number;
  /** What a token is; words if omitted. */
  readonly by?: "words" | "characters";
  /** Most tokens of the vocabulary: rarer ones become the unknown token. 2,000 if omitted. */
  readonly largest?: number;
  /** Tokens of a window, and so the most of a sentence with its ends; 24 if omitted. */
  readonly length?: number;
  /** Decides the random start; 0 if omitted. */
  readonly seed?: number;
}

/** What simple models of the same text come to, in perplexity: a model that does not beat them has learned little. */
export interface TextFloors {
  /** Tokens by their frequency alone. */
  readonly unigram: number;
  /** Tokens by the one before, mixed with their frequency as suits the validation text best. */
  readonly bigram: number;
}

/** A text made ready for training. */
export interface TextTraining {
  /** A hidden Markov model with random parameters. */
  readonly start: Circuit;
  /** Its vocabulary, that of the training part. */
  readonly vocabulary: Vocabulary;
  /** Windows of the first nine tenths of the text. */
  readonly train: Samples;
  /** Windows of the last tenth. */
  readonly valid: Samples;
  /** Tokens of both parts. */
  readonly tokens: { readonly train: number; readonly valid: number };
  /** What simple models come to on the validation part. */
  readonly floors: TextFloors;
  /** The perplexity of a score on the validation part. */
  perplexity(score: Score): number;
}

/** How long it is trained, and who is told. */
export interface TextFitOptions extends Pick<FitOptions, "epochs" | "onProgress" | "signal"> {
  /** Called after every epoch, and first with that of the start. */
  readonly onEpoch?: (epoch: TextEpoch) => void;
}

/** An epoch in words for people. */
export interface TextEpoch {
  /** Counts from 1; 0 for the start. */
  readonly epoch: number;
  /** On the validation part. */
  readonly perplexity: number;
  /** Whether it is the best so far. */
  readonly best: boolean;
}

/** The longest text, in characters, and the fewest windows of its parts. */
const MOST_CHARACTERS = 20_000_000, FEWEST_WINDOWS = 4;

/** Texts begin after an end token, windows anywhere. */
const FRAME: WindowFrame = { begins: "end", ends: true };

/** Epochs that are enough for a text of a tab, if nothing ends the training before. */
const EPOCHS = 30;

/**
 * Makes a text ready for training: its vocabulary, windows of its tokens, a hidden Markov model with random parameters, and what
 * simple models come to.
 *
 * @throws {RetortError} when the text is too short or too long
 */
export async function prepareText(text: string, options: TextTrainingOptions = {}): Promise<TextTraining> {
  const { states = 32, by = "words", largest = 2000, length = 24, seed = 0 } = options;
  if (text.length > MOST_CHARACTERS) {
    throw new RetortError(
      "page/limit",
      `the text has ${text.length} characters, and a tab takes ${MOST_CHARACTERS}`,
      { hint: "Take a part of it." },
    );
  }
  const cut = cutOf(text);
  const tokenizer = await tokenizerFor(text.slice(0, cut), by, largest);
  const { vocabulary } = tokenizer;
  const parts = [text.slice(0, cut), text.slice(cut)].map((part) =>
    Int32Array.from(tokenizer.encode({ document: 0, text: part, last: true }))
  );
  const [train, valid] = parts as [Int32Array, Int32Array];
  const trainWindows = Windows.over([0, train.length], { length });
  const validWindows = Windows.over([0, valid.length], { length, partial: "pad" });
  if (trainWindows.count < FEWEST_WINDOWS || validWindows.count < 1) {
    throw new RetortError(
      "text/windows",
      `the text has ${train.length + valid.length} tokens, too few to learn from`,
      { hint: `Take a text of at least ${2 * FEWEST_WINDOWS * length} tokens; some thousands make a model.` },
    );
  }
  const start = withNotes(hmm({ length, states, symbols: vocabulary.words.length, seed }), notesOf(FRAME));
  return {
    start,
    vocabulary,
    train: await samplesOf(trainWindows, train),
    valid: await samplesOf(validWindows, valid),
    tokens: { train: train.length, valid: valid.length },
    floors: floorsOf(train, valid, vocabulary),
    perplexity: ({ logLikelihood, samples }) => Math.exp(-logLikelihood * samples / valid.length),
  };
}

/**
 * Trains a model of a prepared text by expectation maximisation, as `fit` does everywhere, until the validation part gets no
 * better. Where the signal ends it, the model is what was reached.
 */
export async function fitText(
  engine: Learner,
  { train, valid, perplexity }: TextTraining,
  { epochs = EPOCHS, signal, onProgress, onEpoch }: TextFitOptions = {},
): Promise<{ readonly circuit: Circuit; readonly converged: boolean | null }> {
  let paused = performance.now();
  try {
    const { circuit, log } = await fit(engine, train, {
      epochs,
      valid,
      ...(signal !== undefined && { signal }),
      ...(onProgress !== undefined && { onProgress }),
      onEpoch: ({ epoch, valid, best }) => onEpoch?.({ epoch, perplexity: perplexity(valid!), best }),
      async onState() {
        // A worker hears of nothing while it computes without a pause.
        if (performance.now() - paused < 50) return;
        await new Promise((resolve) => setTimeout(resolve));
        paused = performance.now();
      },
    });
    return { circuit, converged: log.converged };
  } catch (error) {
    if (signal?.aborted !== true) throw error;
    await engine.parameters();
    return { circuit: engine.circuit, converged: null };
  }
}

/**
 * Trains a model of a text in the tab: {@link prepareText} and {@link fitText} on an engine of the tab's.
 *
 * @throws {RetortError} when the text is too short or too long
 */
export async function trainInTab(
  text: string,
  options: TextTrainingOptions & TextFitOptions & {
    readonly engine?: TabEngineChoice;
    /** What the model is called. */
    readonly title?: string;
    /** Called when the text is ready. */
    readonly onReady?: (facts: Pick<TextTraining, "tokens" | "floors"> & { readonly words: number }) => void;
  } = {},
): Promise<TextModelFile> {
  const training = await prepareText(text, options);
  const { start, vocabulary, tokens, floors } = training;
  options.onReady?.({ tokens, floors, words: vocabulary.words.length });
  const { engine } = await openTabEngine(start, options.engine);
  let best = Infinity;
  try {
    const { circuit, converged } = await fitText(engine, training, {
      ...options,
      onEpoch(epoch) {
        if (epoch.best) best = epoch.perplexity;
        options.onEpoch?.(epoch);
      },
    });
    return {
      circuit: withNotes(circuit, notesOf(FRAME)),
      vocabulary,
      story: {
        title: options.title ?? "Your model",
        examples: [],
        provenance: [
          ["made", "in a browser's tab"],
          ["hidden states", String(options.states ?? 32)],
          ["tokens", `${tokens.train} learned from, ${tokens.valid} for validation`],
          ["validation perplexity", best.toFixed(1)],
          ["of unigrams, of bigrams", `${floors.unigram.toFixed(1)}, ${floors.bigram.toFixed(1)}`],
          [
            "ended",
            converged === true
              ? "by the validation text"
              : "before the validation text ended it: not converged",
          ],
        ],
      },
    };
  } finally {
    await engine.close();
  }
}

/** Where the last tenth begins: after a line or a sentence, if there is one nearby. */
function cutOf(text: string): number {
  const from = Math.floor(0.9 * text.length);
  const found = /\n|[.!?]\s/.exec(text.slice(from, from + 2000));
  return found === null ? from : from + found.index + found[0].length;
}

async function tokenizerFor(text: string, by: "words" | "characters", largest: number): Promise<Tokenizer> {
  if (!(Number.isInteger(largest) && largest >= 2)) {
    throw new CallError(
      "text/tokenizer",
      `a vocabulary of ${largest} tokens, expected a whole number from 2`,
    );
  }
  const passages = async function* (): AsyncGenerator<Passage> {
    yield { document: 0, text, last: true };
  };
  if (by === "characters") return await characterTokenizer(passages(), "lines", { largest });
  const rules = { split: "letters", lowercase: true, ends: "sentences" } as const;
  return await wordTokenizer(passages(), rules, { minimum: 2, largest });
}

async function samplesOf(windows: Windows, tokens: Int32Array): Promise<Samples> {
  const read = (from: number, to: number) => Promise.resolve(tokens.subarray(from, to));
  return await windows.rows({ read }, 0, windows.count);
}

/** Shares of the bigram that are tried. */
const WEIGHTS = [0.2, 0.35, 0.5, 0.65, 0.8, 0.9];

function floorsOf(train: Int32Array, valid: Int32Array, { words, end }: Vocabulary): TextFloors {
  const counts = new BigramCounts(words.length, end ?? 0);
  counts.add(train);
  const { unigrams, pairs } = counts.counts;
  const perplexityOf = (weight: number) =>
    2 ** (new BigramModel(unigrams, pairs, weight).bits(valid, end ?? 0) / valid.length);
  return { unigram: perplexityOf(0), bigram: Math.min(...WEIGHTS.map(perplexityOf)) };
}
