import { pieceTokenizer } from "../datasets/text/pieces.ts";
import type { Vocabulary } from "../datasets/text/vocabulary.ts";
import { messageOf, RetortError } from "../foundation/errors.ts";
import {
  type EngineSession,
  type EngineSessionOptions,
  openEngineSession,
} from "../kernels/onnx/engine_session.ts";
import { floatsOf, type TensorValue } from "../kernels/onnx/session.ts";
import { type Alignment, alignTokens } from "./alignment.ts";
import type { TeacherConfig, TeacherFiles } from "./config.ts";

/** Sequences of pieces, padded to one length. */
export interface PieceBatch {
  /** Number of sequences. */
  readonly count: number;
  /** Number of pieces per sequence, including padding. */
  readonly positions: number;
  /** `[count, positions]`, including special pieces. */
  readonly ids: Int32Array;
  /** `[count]`: number of pieces per sequence without padding. */
  readonly lengths: Int32Array;
}

/** A transformer whose vectors are distilled. */
export interface Teacher extends AsyncDisposable {
  /** Its display name, inputs and outputs. */
  readonly config: TeacherConfig;
  /** The teacher's pieces of each token of a corpus. */
  align(vocabulary: Vocabulary): Alignment;
  /**
   * Vectors of pieces, `[count, positions, width]`; the values at padding are unspecified.
   *
   * @param options `suffixes`: each piece attends only to itself and later pieces; for teachers whose graph supports it.
   */
  embed(batch: PieceBatch, options?: { suffixes?: boolean }): Promise<Float32Array>;
}

/**
 * Opens an ONNX teacher, encoder or causal. Dispose of it after use.
 *
 * @param options `threads`: number of threads per operator; one per core by default. `engine`: where it is computed, by the CPU if omitted;
 * `used` and `log` are told what computes, and why the CPU does where a device should.
 * @throws RetortError when graph and description do not fit.
 */
export async function openTeacher(
  files: TeacherFiles,
  options: Pick<EngineSessionOptions, "threads" | "engine" | "adapter" | "used" | "log"> = {},
): Promise<Teacher> {
  const { config } = files;
  let session: EngineSession;
  try {
    session = await openEngineSession(files.model, {
      ...options,
      ...(files.external !== undefined && { external: files.external }),
    });
  } catch (error) {
    throw new RetortError(
      "teacher/graph",
      `the graph of ${config.name} cannot be used: ${messageOf(error)}`,
      { hint: "Expected an .onnx file that ONNX Runtime reads.", cause: error },
    );
  }
  const tokenizer = files.tokenizer === undefined
    ? undefined
    : pieceTokenizer(files.tokenizer, `${config.name}'s tokenizer.json`);
  return {
    config,
    align: (vocabulary) => alignTokens(vocabulary, config, tokenizer),
    async embed(batch, { suffixes = false } = {}) {
      if (suffixes && config.inputs.suffixes === undefined) {
        throw new RetortError(
          "teacher/not-causal",
          `${config.name} cannot restrict what a piece sees to what follows it`,
        );
      }
      const found =
        (await session.run(teacherFeeds(config, batch, suffixes), [config.output]))[config.output]!;
      const { count, positions } = batch;
      if (found.shape.join() !== [count, positions, config.width].join()) {
        throw new RetortError(
          "teacher/graph",
          `output \`${config.output}\` of ${config.name} has the shape [${found.shape.join(", ")}], ` +
            `expected [${count}, ${positions}, ${config.width}]`,
        );
      }
      return floatsOf(found);
    },
    [Symbol.asyncDispose]: () => session.release(),
  };
}

/** Inputs of a teacher's graph for a batch. */
export function teacherFeeds(
  { inputs, padding }: TeacherConfig,
  { count, positions, ids, lengths }: PieceBatch,
  suffixes: boolean,
): Record<string, TensorValue> {
  const matrix = (fill: (row: number, column: number) => number) => idMatrix(inputs, count, positions, fill);
  const made: Record<string, TensorValue> = {
    [inputs.ids]: matrix((row, column) => column < lengths[row]! ? ids[row * positions + column]! : padding),
  };
  if (inputs.mask !== undefined) made[inputs.mask] = matrix((row, column) => column < lengths[row]! ? 1 : 0);
  if (inputs.types !== undefined) made[inputs.types] = matrix(() => 0);
  if (inputs.positions !== undefined) made[inputs.positions] = matrix((_, column) => column);
  if (inputs.suffixes !== undefined) {
    made[inputs.suffixes] = { data: Float32Array.of(suffixes ? 1 : 0), shape: [1] };
  }
  return { ...made, ...emptyCaches(inputs, count) };
}

/** Integers of the type that a graph takes, `[rows, columns]`. */
export function idMatrix(
  { integers = "int64" }: TeacherConfig["inputs"],
  rows: number,
  columns: number,
  fill: (row: number, column: number) => number,
): TensorValue {
  const data = integers === "int32" ? new Int32Array(rows * columns) : new BigInt64Array(rows * columns);
  // Writes only the low words: ids are small, and converting each to a bigint would cost more than the copy.
  const low = new Int32Array(data.buffer), step = integers === "int32" ? 1 : 2;
  for (let row = 0, at = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++, at += step) low[at] = fill(row, column);
  }
  return { data, shape: [rows, columns] };
}

/**
 * Empty caches with the inputs that go with them: selects the branch of the graph without caches, and logits of all
 * pieces.
 */
export function emptyCaches(
  { past, useCache, keep }: TeacherConfig["inputs"],
  count: number,
): Record<string, TensorValue> {
  const made: Record<string, TensorValue> = {};
  for (const { name, heads, size, type = "float32" } of past) {
    const data = type === "float16" ? new Uint16Array(0) : new Float32Array(0);
    made[name] = { data, shape: [count, heads, 0, size], type };
  }
  if (useCache !== undefined) made[useCache] = useCaches(false);
  if (keep !== undefined) made[keep] = { data: BigInt64Array.of(0n), shape: [] };
  return made;
}

/** Value of the branch input of graphs with two branches. */
export function useCaches(use: boolean): TensorValue {
  return { data: Uint8Array.of(use ? 1 : 0), shape: [1], type: "bool" };
}
