import { CircuitError } from "../errors.ts";
import { decodeSafetensors, encodeSafetensors, type Tensor } from "../safetensors.ts";
import type { Score } from "./score.ts";
import { requireList, requireObject } from "../guards.ts";

/** What an epoch came to. */
export interface EpochReport {
  /** From 1; 0 for the parameters that training starts from. */
  readonly epoch: number;
  /** The training samples as they were met: each under the parameters of that moment. */
  readonly train?: Score;
  /** The validation samples after the epoch. */
  readonly valid?: Score;
  /** Whether the parameters are the best so far. */
  readonly best: boolean;
  /** What went otherwise than it should, in words for people; absent when nothing did. */
  readonly warnings?: readonly string[];
}

/** Where a training is: plain data. */
export interface Progress {
  /** The epoch that is being trained or scored. */
  epoch: number;
  /** Batches of it that are done. */
  batch: number;
  /** Whether the epoch's training is over, and its scores are next. */
  scoring: boolean;
  /** Updates so far. */
  updates: number;
  /** Weight of the samples accumulated since the last update. */
  accumulated: number;
  /** What the epoch's report will warn of; absent when nothing. */
  warnings?: string[];
  /** Running sums of the epoch's training score. */
  sums: { total: number; weight: number; impossible: number; samples: number };
  /** The best epoch so far. */
  best: { epoch: number; score: Score } | undefined;
  /** All epochs that are over. */
  reports: EpochReport[];
}

/** All that decides how a training goes on. */
export interface TrainingState {
  /** Where it is. */
  readonly progress: Progress;
  /** `learner/<name>`: the state of the learner. `best/<id>`: the best parameters. */
  readonly tensors: ReadonlyMap<string, Tensor>;
}

/** Bytes of a state: a safetensors file with the progress as metadata. Exact. */
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
