import { pieceTokenizer } from "../datasets/text/pieces.ts";
import type { Vocabulary } from "../datasets/text/vocabulary.ts";
import { messageOf, RetortError } from "../foundation/errors.ts";
import { type OnnxSession, openSession, type TensorValue } from "../kernels/onnx/session.ts";
import { type Alignment, alignUnits } from "./alignment.ts";
import type { TeacherConfig, TeacherFiles } from "./config.ts";

/** Sequences of pieces, filled up to one length. */
export interface PieceBatch {
  /** Number of sequences. */
  readonly count: number;
  /** Pieces of each, padding counted. */
  readonly tokens: number;
  /** `[count, tokens]`, special pieces included. */
  readonly ids: Int32Array;
  /** `[count]`: pieces of each without padding. */
  readonly lengths: Int32Array;
}

/** A transformer whose vectors are distilled. */
export interface Teacher extends AsyncDisposable {
  /** What it is and what it takes. */
  readonly config: TeacherConfig;
  /** The teacher's pieces of each unit of a corpus. */
  align(vocabulary: Vocabulary): Alignment;
  /**
   * Vectors of pieces, `[count, tokens, width]`; those of padding may be anything.
   *
   * @param options `suffixes`: each piece sees only itself and those after it; for teachers whose graph has that.
   */
  embed(batch: PieceBatch, options?: { suffixes?: boolean }): Promise<Float32Array>;
}

/**
 * Opens a teacher in ONNX, encoder or causal, on the processor. Dispose of it.
 *
 * @param options `threads`: for one operator; one a core by default.
 * @throws RetortError when graph and description do not fit.
 */
export async function openTeacher(files: TeacherFiles, options: { threads?: number } = {}): Promise<Teacher> {
  const { config } = files;
  let session: OnnxSession;
  try {
    session = await openSession(files.model, options);
  } catch (error) {
    throw new RetortError(`the graph of ${config.name} cannot be used: ${messageOf(error)}`, {
      hint: "Expected an .onnx file that ONNX Runtime reads.",
      cause: error,
    });
  }
  const tokenizer = files.tokenizer === undefined
    ? undefined
    : pieceTokenizer(files.tokenizer, `${config.name}'s tokenizer.json`);
  return {
    config,
    align: (vocabulary) => alignUnits(vocabulary, config, tokenizer),
    async embed(batch, { suffixes = false } = {}) {
      if (suffixes && config.inputs.suffixes === undefined) {
        throw new RetortError(`${config.name} cannot restrict what a piece sees to what follows it`);
      }
      const found =
        (await session.run(teacherFeeds(config, batch, suffixes), [config.output]))[config.output]!;
      const { count, tokens } = batch;
      if (
        found.shape.join() !== [count, tokens, config.width].join() || !(found.data instanceof Float32Array)
      ) {
        throw new RetortError(
          `output \`${config.output}\` of ${config.name} has the shape [${found.shape.join(", ")}], ` +
            `expected [${count}, ${tokens}, ${config.width}] in single precision`,
        );
      }
      return found.data;
    },
    [Symbol.asyncDispose]: () => session.release(),
  };
}

/** What a graph is given for a batch. */
export function teacherFeeds(
  { inputs, padding }: TeacherConfig,
  { count, tokens, ids, lengths }: PieceBatch,
  suffixes: boolean,
): Record<string, TensorValue> {
  const matrix = (fill: (row: number, column: number) => number): TensorValue => {
    const data = new BigInt64Array(count * tokens);
    // Low words alone: ids are small, and turning each into a bigint would cost more than the copy.
    const low = new Int32Array(data.buffer);
    for (let row = 0, at = 0; row < count; row++) {
      for (let column = 0; column < tokens; column++, at += 2) low[at] = fill(row, column);
    }
    return { data, shape: [count, tokens] };
  };
  const made: Record<string, TensorValue> = {
    [inputs.ids]: matrix((row, column) => column < lengths[row]! ? ids[row * tokens + column]! : padding),
  };
  if (inputs.mask !== undefined) made[inputs.mask] = matrix((row, column) => column < lengths[row]! ? 1 : 0);
  if (inputs.types !== undefined) made[inputs.types] = matrix(() => 0);
  if (inputs.positions !== undefined) made[inputs.positions] = matrix((_, column) => column);
  if (inputs.suffixes !== undefined) {
    made[inputs.suffixes] = { data: Float32Array.of(suffixes ? 1 : 0), shape: [1] };
  }
  for (const { name, heads, size } of inputs.past) {
    made[name] = { data: new Float32Array(0), shape: [count, heads, 0, size] };
  }
  return made;
}
