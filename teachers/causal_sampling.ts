/**
 * Texts drawn from a causal language model, a piece at a time: what a hidden Markov model is distilled from in Zhang,
 * Dang, Peng and Van den Broeck, "Tractable Control for Autoregressive Language Generation" (GeLaTo, ICML 2023).
 */
import { RandomStream } from "../circuits/random.ts";
import { pieceTokenizer } from "../datasets/text/pieces.ts";
import type { Vocabulary } from "../datasets/text/vocabulary.ts";
import { RetortError } from "../foundation/errors.ts";
import { floatsOf, openSession, type TensorValue } from "../kernels/onnx/session.ts";
import type { TeacherConfig, TeacherFiles } from "./config.ts";
import { emptyCaches, idMatrix, useCaches } from "./teacher.ts";

/** Which texts are drawn. */
export interface CausalDraws {
  /**
   * Number of the first text. A text depends on the seed and its number alone, not on the texts drawn with
   * it.
   */
  readonly first: number;
  /** How many. */
  readonly count: number;
  /** Largest number of pieces of a text. An end piece, which is part of the text, ends it earlier. */
  readonly length: number;
  /** What logits are divided by: 1 is the model's own distribution. */
  readonly temperature: number;
  /** Decides the texts. */
  readonly seed: number;
}

/** A causal language model that texts are drawn from. Dispose of it. */
export interface CausalLm extends AsyncDisposable {
  /** What the ids mean. */
  readonly vocabulary: Vocabulary;
  /**
   * Whether each step takes one piece. Otherwise the graph returns no caches, and each step takes all pieces
   * again.
   */
  readonly cached: boolean;
  /** Draws texts, as ids. @throws {RetortError} when a text would be longer than the model takes */
  draw(draws: CausalDraws): Promise<Int32Array[]>;
}

/**
 * Opens a teacher as a language model, on the processor. Where its graph gives its caches back, each step takes one piece;
 * otherwise every step takes all pieces again.
 *
 * @throws {RetortError} when the teacher is not causal, has no logits or no tokenizer
 */
export async function openCausalLm(
  files: TeacherFiles,
  options: { threads?: number } = {},
): Promise<CausalLm> {
  const { config, model, tokenizer } = files;
  const { name, logits, causal } = config;
  if (!causal || logits === undefined || tokenizer === undefined) {
    const lacks = !causal ? "is not causal" : logits === undefined ? "gives no `logits`" : "has no tokenizer";
    throw new RetortError("teacher/not-causal", `nothing can be drawn from ${name}: it ${lacks}`, {
      hint:
        "Expected a causal language model in ONNX: `onnxTeacher` with `causal: true`, a graph with the output " +
        "`logits`, and its tokenizer.json.",
    });
  }
  const { vocabulary: own } = pieceTokenizer(tokenizer, `${name}'s tokenizer.json`);
  const ends = new Set(config.ends ?? (own.end === null ? [] : [own.end]));
  /** Whichever piece ends a text, this one stands for it. */
  const [end = null] = ends;
  const vocabulary = { ...own, end };
  const start = config.start ?? (config.before.length > 0 ? config.before : end === null ? [] : [end]);
  if (start.length === 0) {
    throw new RetortError("teacher/begin", `${name} has no piece that begins a text`, {
      hint: "Name one: the parameter `begin` of `onnxTeacher`, a piece as text or id.",
    });
  }
  const session = await openSession(model, {
    ...options,
    ...(files.external !== undefined && { external: files.external }),
  });
  const { past: caches, useCache } = config.inputs;
  const outputs = new Set(session.outputs.map((port) => port.name));
  const cached = caches.length > 0 &&
    caches.every(({ present }) => present !== undefined && outputs.has(present));
  return { vocabulary, cached, draw, [Symbol.asyncDispose]: () => session.release() };

  async function draw({ first, count, length, temperature, seed }: CausalDraws): Promise<Int32Array[]> {
    const longest = start.length + length - 1;
    if (longest > config.longest) {
      throw new RetortError(
        "teacher/too-long",
        `${name} takes ${config.longest} pieces at a time, and texts of ${length} need ${longest}`,
      );
    }
    const randoms = Array.from({ length: count }, (_, n) => new RandomStream(seed, first + n));
    const texts = Array.from({ length: count }, () => [...start]);
    const open = new Set(texts.keys()), lengths = new Map<number[], number>();
    let past: Record<string, TensorValue> = emptyCaches(config.inputs, count);
    let known = 0;
    for (let step = 0; step < length && open.size > 0; step++) {
      const to = start.length + step;
      const feeds = { ...feedsOf(config, texts, known, to), ...past };
      const found = await session.run(feeds, [
        logits!,
        ...(cached ? caches.map(({ present }) => present!) : []),
      ]);
      const { shape } = found[logits!]!;
      const rows = to - known, types = shape[2]!;
      if (shape.length !== 3 || shape[0] !== count || shape[1] !== rows || types < vocabulary.words.length) {
        throw new RetortError(
          "teacher/graph",
          `\`${logits}\` of ${name} has the shape [${shape.join(", ")}], expected [${count}, ${rows}, ` +
            `${vocabulary.words.length} or more]`,
        );
      }
      const data = floatsOf(found[logits!]!);
      for (let n = 0; n < count; n++) {
        // Texts that have ended go along in the batch; what is drawn for them is not kept.
        const at = (n * rows + rows - 1) * types;
        // Graphs often give a few logits more than there are pieces, to round the number up.
        const row = data.subarray(at, at + vocabulary.words.length);
        const piece = open.has(n) ? choose(row, temperature, randoms[n]!) : config.padding;
        const over = open.has(n) && ends.has(piece);
        texts[n]!.push(over ? end! : piece);
        if (over) {
          open.delete(n);
          lengths.set(texts[n]!, texts[n]!.length);
        }
      }
      if (cached) {
        past = {
          ...past,
          ...Object.fromEntries(caches.map(({ name, present }) => [name, found[present!]!])),
          ...(useCache !== undefined && { [useCache]: useCaches(true) }),
        };
        known = to;
      }
    }
    return texts.map((text) => Int32Array.from(text.slice(start.length, lengths.get(text))));
  }
}

/** Pieces `from` to `to` of all texts, as the graph takes them. */
function feedsOf(
  { inputs }: TeacherConfig,
  texts: readonly (readonly number[])[],
  from: number,
  to: number,
): Record<string, TensorValue> {
  const matrix = (from: number, fill: (text: readonly number[], at: number) => number): TensorValue =>
    idMatrix(inputs, texts.length, to - from, (n, column) => fill(texts[n]!, from + column));
  return {
    [inputs.ids]: matrix(from, (text, at) => text[at]!),
    // The mask covers what is in the caches as well.
    ...(inputs.mask !== undefined && { [inputs.mask]: matrix(0, () => 1) }),
    ...(inputs.types !== undefined && { [inputs.types]: matrix(from, () => 0) }),
    ...(inputs.positions !== undefined && { [inputs.positions]: matrix(from, (_, at) => at) }),
  };
}

/** A draw from the softmax of logits, in float64. */
function choose(logits: Float32Array, temperature: number, random: RandomStream): number {
  let most = -Infinity;
  for (const x of logits) if (x > most) most = x;
  const weights = Float64Array.from(logits, (x) => Math.exp((x - most) / temperature));
  const chosen = Number.isFinite(most) ? random.choose(weights) : -1;
  if (chosen < 0) {
    throw new RetortError("teacher/diverged", "the language model gives logits that are not numbers");
  }
  return chosen;
}
