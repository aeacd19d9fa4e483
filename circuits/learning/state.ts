import { CircuitError } from "../errors.ts";
import { decodeSafetensors, encodeSafetensors, type Tensor } from "../safetensors.ts";
import type { Score } from "./score.ts";
import { requireList, requireObject } from "../guards.ts";

/** The outcome of an epoch. */
export interface EpochReport {
  /** Counts from 1; 0 for the initial parameters. */
  readonly epoch: number;
  /** Score of the training samples, each under the parameters at the time it was processed. */
  readonly train?: Score;
  /** Score of the validation samples after the epoch. */
  readonly valid?: Score;
  /** Whether the parameters are the best so far. */
  readonly best: boolean;
  /** Anything that went wrong, in words for people; absent if nothing did. */
  readonly warnings?: readonly string[];
}

/** The position of a training: plain data. */
export interface Progress {
  /** The epoch that is being trained or scored. */
  epoch: number;
  /** Number of its batches that are done. */
  batch: number;
  /** Whether the epoch's updates are done and scoring is next. */
  scoring: boolean;
  /** Updates so far. */
  updates: number;
  /** Weight of the samples accumulated since the last update. */
  accumulated: number;
  /** Warnings for the epoch's report; absent if there are none. */
  warnings?: string[];
  /** Running sums of the epoch's training score. */
  sums: { total: number; weight: number; impossible: number; samples: number };
  /** The best epoch so far. */
  best: { epoch: number; score: Score } | undefined;
  /** Reports of all finished epochs. */
  reports: EpochReport[];
}

/** The complete state of a training, from which it can be resumed. */
export interface TrainingState {
  /** The position in the training. */
  readonly progress: Progress;
  /** `learner/<name>`: the state of the learner. `best/<id>`: the best parameters. */
  readonly tensors: ReadonlyMap<string, Tensor>;
}

/** Bytes of a state: a safetensors file with the progress as metadata. Lossless. */
export function encodeTrainingState(state: TrainingState): Uint8Array<ArrayBuffer> {
  requireObject("the state", state, ["progress", "tensors"]);
  const progress = JSON.stringify(
    state.progress,
    (_key, value) => value === -Infinity || value === Infinity ? String(value) : value,
  );
  return encodeSafetensors(state.tensors, { format: "retort-training", progress });
}

/** Reads what {@link encodeTrainingState} wrote. @throws {CircuitError} when the bytes are something else */
export function decodeTrainingState(bytes: Uint8Array, where = "training state"): TrainingState {
  requireList("the bytes", bytes);
  const { tensors, metadata } = decodeSafetensors(bytes, where);
  const { format, progress } = metadata;
  if (format !== "retort-training" || progress === undefined) {
    throw new CircuitError("learning/state", `${where}: the file does not hold the state of a training`);
  }
  let parsed;
  try {
    parsed = JSON.parse(
      progress,
      (_key, value) => value === "-Infinity" ? -Infinity : value === "Infinity" ? Infinity : value,
    );
  } catch (cause) {
    throw new CircuitError("learning/state", `${where}: its record of the progress is not JSON`, { cause });
  }
  return { progress: { best: undefined, ...parsed }, tensors };
}
