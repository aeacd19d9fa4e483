/**
 * Samples texts from a causal language model, one piece at a time. Hidden Markov models are distilled from such samples
 * in Zhang, Dang, Peng and Van den Broeck, "Tractable Control for Autoregressive Language Generation" (GeLaTo, ICML
 * 2023).
 */
import { RandomStream } from "../circuits/random.ts";
import { pieceTokenizer } from "../datasets/text/pieces.ts";
import type { Vocabulary } from "../datasets/text/vocabulary.ts";
import { RetortError } from "../foundation/errors.ts";
import { floatsOf, openSession, type TensorValue } from "../kernels/onnx/session.ts";
import { choosePiece } from "./choose_piece.ts";
import type { TeacherConfig, TeacherFiles } from "./config.ts";
import { emptyCaches, idMatrix, useCaches } from "./teacher.ts";

/** Which texts to sample. */
export interface CausalDraws {
  /** Index of the first text. A text depends only on the seed and its index, not on the texts sampled with it. */
  readonly first: number;
  /** Number of texts. */
  readonly count: number;
  /** Maximum number of pieces in a text. An end piece, which is part of the text, ends it earlier. */
  readonly length: number;
  /** Sampling temperature, by which logits are divided: 1 is the model's own distribution. */
  readonly temperature: number;
  /** Seed of the sampled texts. */
  readonly seed: number;
}

/** Texts that a causal language model reads side by side, piece by piece. */
export interface CausalTexts {
  /**
   * Reads more pieces of each text, of all equally many, and returns the logits of the next piece of each, `[pieces]`; those
   * of all pieces that end a text are one, that of the vocabulary's end. The first call may read none.
   *
   * @throws {RetortError} when a text is longer than the model takes, or the logits are not what they should be
   */
  read(pieces: readonly (readonly number[])[]): Promise<Float32Array[]>;
  /** Goes on with the texts at these places, in this order; one may go on several times, and others are forgotten. */
  keep(rows: readonly number[]): void;
}

/** A causal language model to sample texts from. Dispose of it after use. */
export interface CausalLm extends AsyncDisposable {
  /** The vocabulary of the returned ids. */
  readonly vocabulary: Vocabulary;
  /** Most pieces that a text may have. */
  readonly longest: number;
  /** The piece to read in texts that have ended. */
  readonly padding: number;
  /** Begins texts, after the pieces that precede every text. */
  begin(count: number): CausalTexts;
  /**
   * Whether each step processes only one piece. Otherwise the graph returns no key-value caches, and each step processes
   * all pieces again.
   */
  readonly cached: boolean;
  /** Draws texts, as ids. @throws {RetortError} when a text would be longer than the model takes */
  draw(draws: CausalDraws): Promise<Int32Array[]>;
}

/**
 * Opens a teacher as a language model, on the CPU. If its graph returns key-value caches, each step processes one piece;
 * otherwise each step processes all pieces again.
 *
 * @throws {RetortError} when the teacher is not causal, has no logits or no tokenizer
 */
export async function openCausalLm(
  files: TeacherFiles,
  options: { threads?: number } = {},
): Promise<CausalLm> {
  const { config, model, tokenizer } = files;
  const { name, logits, causal } = config;
  const own = tokenizer === undefined
    ? files.vocabulary
    : pieceTokenizer(tokenizer, `${name}'s tokenizer.json`).vocabulary;
  if (!causal || logits === undefined || own === undefined) {
    const lacks = !causal ? "is not causal" : logits === undefined ? "gives no `logits`" : "has no tokenizer";
    throw new RetortError("teacher/not-causal", `nothing can be drawn from ${name}: it ${lacks}`, {
      hint:
        "Expected a causal language model in ONNX: `onnxTeacher` with `causal: true`, a graph with the output " +
        "`logits`, and its tokenizer.json.",
    });
  }
  const ends = new Set(config.ends ?? (own.end === null ? [] : [own.end]));
  /** Represents all pieces that end a text. */
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
  return {
    vocabulary,
    longest: config.longest - start.length + 1,
    padding: config.padding,
    cached,
    begin,
    draw,
    [Symbol.asyncDispose]: () => session.release(),
  };

  function begin(count: number): CausalTexts {
    let texts = Array.from({ length: count }, () => [...start]);
    let past: Record<string, TensorValue> = emptyCaches(config.inputs, count);
    let known = 0;
    return {
      async read(pieces) {
        texts.forEach((text, n) => text.push(...pieces[n]!));
        const to = texts[0]?.length ?? 0;
        if (to > config.longest) {
          throw new RetortError(
            "teacher/too-long",
            `${name} takes ${config.longest} pieces at a time, and a text has ${to}`,
          );
        }
        const found = await session.run({ ...feedsOf(config, texts, known, to), ...past }, [
          logits!,
          ...(cached ? caches.map(({ present }) => present!) : []),
        ]);
        const rows = to - known, count = texts.length;
        if (cached) {
          past = {
            ...past,
            ...Object.fromEntries(caches.map(({ name, present }) => [name, found[present!]!])),
            ...(useCache !== undefined && { [useCache]: useCaches(true) }),
          };
          known = to;
        }
        return lastRows(found[logits!]!, count, rows);
      },
      keep(rows) {
        texts = rows.map((row) => [...texts[row]!]);
        for (const { name } of caches) past[name] = rowsOf(past[name]!, rows);
      },
    };
  }

  /** Logits of the piece after each text. */
  function lastRows(found: TensorValue, count: number, rows: number): Float32Array[] {
    const { shape } = found, types = shape[2]!, size = vocabulary.words.length;
    if (shape.length !== 3 || shape[0] !== count || shape[1] !== rows || types < size) {
      throw new RetortError(
        "teacher/graph",
        `\`${logits}\` of ${name} has the shape [${
          shape.join(", ")
        }], expected [${count}, ${rows}, ${size} or more]`,
      );
    }
    const data = floatsOf(found);
    return Array.from({ length: count }, (_, n) => {
      const at = (n * rows + rows - 1) * types;
      // Graphs often return a few more logits than there are pieces, because the vocabulary size is rounded up.
      const row = data.slice(at, at + size);
      if (ends.size > 1) {
        const list = [...ends], most = Math.max(...list.map((piece) => row[piece]!));
        const all = most + Math.log(list.reduce((sum, piece) => sum + Math.exp(row[piece]! - most), 0));
        for (const piece of list) row[piece] = -Infinity;
        row[end!] = all;
      }
      return row;
    });
  }

  async function draw({ first, count, length, temperature, seed }: CausalDraws): Promise<Int32Array[]> {
    const longest = start.length + length - 1;
    if (longest > config.longest) {
      throw new RetortError(
        "teacher/too-long",
        `${name} takes ${config.longest} pieces at a time, and texts of ${length} need ${longest}`,
      );
    }
    const randoms = Array.from({ length: count }, (_, n) => new RandomStream(seed, first + n));
    const drawn = Array.from({ length: count }, (): number[] => []);
    const open = new Set(drawn.keys());
    const texts = begin(count);
    let pieces = drawn.map((): number[] => []);
    for (let step = 0; step < length && open.size > 0; step++) {
      const rows = await texts.read(pieces);
      pieces = rows.map((row, n) => {
        // Finished texts stay in the batch.
        if (!open.has(n)) return [config.padding];
        const piece = choosePiece(row, temperature, randoms[n]!);
        drawn[n]!.push(piece);
        if (piece === end) open.delete(n);
        return [piece];
      });
    }
    return drawn.map((text) => Int32Array.from(text));
  }
}

/** Feeds for pieces `from` to `to` of all texts. */
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
    // The mask also covers the cached pieces.
    ...(inputs.mask !== undefined && { [inputs.mask]: matrix(0, () => 1) }),
    ...(inputs.types !== undefined && { [inputs.types]: matrix(from, () => 0) }),
    ...(inputs.positions !== undefined && { [inputs.positions]: matrix(from, (_, at) => at) }),
  };
}

/** The rows of a tensor at these places of its first dimension. */
function rowsOf({ data, shape, type }: TensorValue, rows: readonly number[]): TensorValue {
  const width = data.length / Math.max(1, shape[0]!);
  const picked = new (data.constructor as Float32ArrayConstructor)(rows.length * width);
  rows.forEach((row, i) =>
    picked.set((data as Float32Array).subarray(row * width, (row + 1) * width), i * width)
  );
  return { data: picked, shape: [rows.length, ...shape.slice(1)], ...(type !== undefined && { type }) };
}
