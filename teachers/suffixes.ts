import { RetortError } from "../foundation/errors.ts";
import { type Alignment, piecesOfTokens } from "./alignment.ts";
import type { Teacher } from "./teacher.ts";

/**
 * How the suffix that begins at a position becomes a vector. `suffix`: a separate pass, then the mean over its pieces
 * (Liu, Zhang and Van den Broeck, "Scaling Up Probabilistic Circuits by Latent Variable Distillation", 2022).
 * `cumulative`: one pass over the window, then the mean of the vectors of the suffix's tokens. `masked`: likewise, but
 * each piece attends only to itself and later pieces, so vectors are independent of the prefix. `causal`: one pass, then
 * the hidden state at the position itself, which depends on the prefix and not on the suffix, or, of a model that reads
 * backward, on the suffix and not on the prefix; see {@link CausalState}. For `causal`, every text follows the language
 * model's start piece and prompt.
 */
export type EmbeddingMode = "suffix" | "cumulative" | "masked" | "causal";
/** All embedding modes. */
export const embeddingModes = ["suffix", "cumulative", "masked", "causal"] as const;

/**
 * Which hidden state of a causal model represents a token. `before`: the one from which the model predicts the token's
 * first piece (Zhang, Kung, Yoshida, Van den Broeck and Peng, "Adaptable Logical Control for Large Language Models",
 * 2024: Ctrl-G). `after`: the one after reading the token's last piece.
 */
export type CausalState = "before" | "after";
/** All choices of {@link CausalState}. */
export const causalStates = ["before", "after"] as const;

/** Options of {@link embedSuffixesOf}. */
export interface EmbeddingOptions {
  /** How a suffix goes through the teacher. */
  readonly mode: EmbeddingMode;
  /**
   * Weight of each token of a suffix relative to the one before it, from 0 to 1. At 1 (the default) all tokens have
   * equal weight, as in the paper; smaller values emphasise the suffix's first tokens, which are what a hidden state
   * must predict. Not for `causal`, which takes a single vector.
   */
  readonly decay?: number;
  /** For the mode `causal`: which hidden state; `after` by default. */
  readonly state?: CausalState;
  /** Number of pieces per batch, including padding. */
  readonly batchPieces?: number;
}

/** Windows of tokens, as returned by `Windows.rows`. */
export interface TokenRows {
  /** Number of windows. */
  readonly count: number;
  /** Number of positions per window. */
  readonly variables: number;
  /** `[count, variables]`: token ids. */
  readonly values: Int32Array;
  /** `[count, variables]`: 0 for padding. */
  readonly observed?: Uint8Array;
  /** `[count]`: 1 if the window starts at the beginning of a text. If absent, all windows start inside a text. */
  readonly fresh?: Uint8Array;
}

/** Number of pieces per batch, including padding: few enough to stay in a core's cache. */
const BATCH_PIECES = 1024;

/** A run of tokens of one window that goes through the teacher as one sequence. */
interface Sequence {
  readonly window: number;
  /** Position of its first token. */
  readonly first: number;
  /** Ids of pieces, including special ones. */
  readonly pieces: Int32Array;
  /** Offset of each token's first piece, followed by the end of the last one. */
  readonly starts: Int32Array;
}

/**
 * Vectors of the suffixes of windows: `[count * variables, width]`, one row per position; padding rows are zero.
 * Sequences go through the teacher in batches of similar length. Batches depend only on the given windows, so the same
 * windows give the same bytes.
 *
 * @throws RetortError when the teacher has not what the mode needs, or a window has too many pieces for it.
 */
export async function embedSuffixesOf(
  teacher: Teacher,
  alignment: Alignment,
  rows: TokenRows,
  options: EmbeddingOptions,
): Promise<Float32Array> {
  const { config } = teacher;
  const { mode, decay = 1 } = options;
  if (!(decay >= 0 && decay <= 1)) {
    throw new RetortError("teacher/options", `decay is ${decay}, expected a number from 0 to 1`);
  }
  if (mode === "causal" && !config.causal) {
    throw new RetortError(
      "teacher/not-causal",
      `${config.name} is not causal: a hidden state of it knows of the whole window`,
      {
        hint: 'Use the mode "cumulative", "suffix" or, where the teacher can, "masked".',
      },
    );
  }
  if (config.backward) {
    if (mode === "causal") {
      // How a text begins is nothing that it could know.
      const { fresh: _, ...read } = rows;
      const vectors = await embed(
        teacher,
        alignment,
        { ...read, values: turned(rows.values, rows) },
        options,
      );
      return turned(vectors, rows);
    }
    throw new RetortError(
      "teacher/options",
      `${config.name} reads backward, and has no vectors of the mode "${mode}"`,
      { hint: 'Use the mode "causal": its state at a word knows of all that follows.' },
    );
  }
  return await embed(teacher, alignment, rows, options);
}

async function embed(
  teacher: Teacher,
  alignment: Alignment,
  rows: TokenRows,
  { mode, decay = 1, state = "after", batchPieces = BATCH_PIECES }: EmbeddingOptions,
): Promise<Float32Array> {
  const { config } = teacher;
  if (mode === "masked" && config.inputs.suffixes === undefined) {
    throw new RetortError(
      "teacher/not-causal",
      `${config.name} cannot restrict what a piece sees to what follows it`,
      {
        hint: 'Use the mode "suffix" (a pass for each suffix) or "cumulative" (one pass).',
      },
    );
  }
  // The pieces before every text of a language model, even if the text is only read.
  const before = mode === "causal" ? config.start ?? config.before : config.before;
  if (mode === "causal" && state === "before" && before.length === 0) {
    throw new RetortError(
      "teacher/begin",
      `${config.name} has no state before the first piece of a text: nothing begins one`,
      {
        hint: "Name the piece that does: the parameter `begin` of `onnxTeacher`. Or take the state `after`.",
      },
    );
  }
  const { width } = config;
  const length = rows.variables;
  const result = new Float32Array(rows.count * length * width);
  const sequences = sequencesOf(teacher, alignment, rows, before, mode === "suffix");
  sequences.sort((a, b) => a.pieces.length - b.pieces.length || a.window - b.window || a.first - b.first);
  for (let from = 0; from < sequences.length;) {
    let to = from + 1;
    while (to < sequences.length && (to + 1 - from) * sequences[to]!.pieces.length <= batchPieces) to++;
    const batch = sequences.slice(from, to);
    const positions = batch.at(-1)!.pieces.length;
    const ids = new Int32Array(batch.length * positions);
    batch.forEach(({ pieces }, row) => ids.set(pieces, row * positions));
    const vectors = await teacher.embed({
      count: batch.length,
      positions,
      ids,
      lengths: Int32Array.from(batch, ({ pieces }) => pieces.length),
    }, { suffixes: mode === "masked" });
    batch.forEach((sequence, row) => {
      const own = vectors.subarray(row * positions * width, (row + 1) * positions * width);
      const at = (sequence.window * length + sequence.first) * width;
      if (mode === "causal") {
        statesOf(result.subarray(at), own, sequence.starts, width, state);
      } else if (mode === "suffix" && decay === 1) {
        meanInto(result.subarray(at, at + width), own, 0, sequence.pieces.length);
      } else {suffixMeans(
          result.subarray(at),
          own,
          sequence.starts,
          width,
          decay,
          mode === "suffix" ? 1 : Infinity,
        );}
    });
    from = to;
  }
  return result;
}

/** `[count * variables, width]`: what belongs to the positions of windows, from the last position to the first; padding stays behind. */
function turned<T extends Int32Array | Float32Array>(data: T, rows: TokenRows): T {
  const { count, variables } = rows, width = data.length / (count * variables);
  const back = data.slice() as T;
  for (let w = 0; w < count; w++) {
    const first = w * variables, end = first + observedIn(rows, w);
    for (let at = first; at < end; at++) {
      const from = first + end - 1 - at;
      back.set(data.subarray(from * width, (from + 1) * width), at * width);
    }
  }
  return back;
}

/** Tokens of a window before its padding. */
function observedIn({ variables, observed }: TokenRows, window: number): number {
  let end = variables;
  while (end > 0 && observed?.[window * variables + end - 1] === 0) end--;
  return end;
}

function sequencesOf(
  teacher: Teacher,
  alignment: Alignment,
  rows: TokenRows,
  before: readonly number[],
  each: boolean,
): Sequence[] {
  const sequences: Sequence[] = [];
  const { variables } = rows;
  for (let window = 0; window < rows.count; window++) {
    const end = observedIn(rows, window);
    const tokens = rows.values.subarray(window * variables, window * variables + end);
    for (let first = 0; first < (each ? end : Math.min(end, 1)); first++) {
      // The preceding token decides how a suffix begins, even if the suffix goes through the teacher alone.
      const fresh = first === 0 ? rows.fresh?.[window] === 1 : alignment.ends[tokens[first - 1]!] === 1;
      sequences.push({
        window,
        first,
        ...piecesOf(teacher, alignment, before, tokens.subarray(first), fresh),
      });
    }
  }
  return sequences;
}

/** The pieces of tokens, surrounded by the special pieces. If there are too many, the longest tokens are truncated. */
function piecesOf(
  { config }: Teacher,
  alignment: Alignment,
  before: readonly number[],
  tokens: Int32Array,
  fresh: boolean,
) {
  const { after, longest } = config;
  const room = longest - before.length - after.length;
  const cut = piecesOfTokens(alignment, tokens, fresh);
  const sizes = Array.from(tokens, (_, i) => cut.starts[i + 1]! - cut.starts[i]!);
  const total = (limit: number) => sizes.reduce((sum, size) => sum + Math.min(limit, size), 0);
  let limit = Math.max(0, ...sizes);
  while (limit > 1 && total(limit) > room) limit--;
  const count = total(limit);
  if (count > room) {
    throw new RetortError(
      "teacher/too-long",
      `a window of ${tokens.length} tokens has ${count} pieces, ${config.name} takes ${room}`,
      { hint: "Shorten the windows." },
    );
  }
  const made = new Int32Array(before.length + count + after.length);
  const starts = new Int32Array(tokens.length + 1);
  made.set(before);
  let at = before.length;
  sizes.forEach((size, i) => {
    starts[i] = at;
    made.set(cut.pieces.subarray(cut.starts[i]!, cut.starts[i]! + Math.min(limit, size)), at);
    at += Math.min(limit, size);
  });
  starts[tokens.length] = at;
  made.set(after, at);
  return { pieces: made, starts };
}

/** The mean of vectors `from` to `to`. */
function meanInto(target: Float32Array, vectors: Float32Array, from: number, to: number): void {
  const width = target.length;
  for (let piece = from; piece < to; piece++) {
    const at = piece * width;
    for (let i = 0; i < width; i++) target[i]! += vectors[at + i]!;
  }
  const share = 1 / (to - from);
  for (let i = 0; i < width; i++) target[i]! *= share;
}

/**
 * For each of the first `most` tokens: averages the pieces of each token, then takes the weighted mean over the token
 * and those after it.
 */
function suffixMeans(
  target: Float32Array,
  vectors: Float32Array,
  starts: Int32Array,
  width: number,
  decay: number,
  most: number,
): void {
  const sum = new Float64Array(width);
  const token = new Float32Array(width);
  const tokens = starts.length - 1;
  let weight = 0;
  for (let u = tokens - 1; u >= 0; u--) {
    meanInto(token.fill(0), vectors, starts[u]!, starts[u + 1]!);
    weight = decay * weight + 1;
    for (let i = 0; i < width; i++) sum[i] = decay * sum[i]! + token[i]!;
    if (u < most) { for (let i = 0; i < width; i++) target[u * width + i] = sum[i]! / weight; }
  }
}

/** For each token, the vector of its last piece, or of the piece before its first one. */
function statesOf(
  target: Float32Array,
  vectors: Float32Array,
  starts: Int32Array,
  width: number,
  state: CausalState,
): void {
  for (let u = 0; u + 1 < starts.length; u++) {
    const piece = (state === "before" ? starts[u]! : starts[u + 1]!) - 1;
    target.set(vectors.subarray(piece * width, (piece + 1) * width), u * width);
  }
}
