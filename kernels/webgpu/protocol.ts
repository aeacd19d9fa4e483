import {
  type Accumulated,
  type Circuit,
  CircuitError,
  type Fault,
  type Flows,
  type NodeId,
  type ParameterArray,
  type Samples,
  type Semiring,
  type Tensor,
  type UpdateRule,
} from "../../circuits/mod.ts";
import {
  codeOf,
  type ErrorCode,
  type ExitCode,
  exitCodeOf,
  hintOf,
  messageOf,
  RetortError,
} from "../../foundation/errors.ts";
import { type BlockWeights, type ClusterSums, type Nearest, PassLostError } from "../kmeans/kernel.ts";
import type { DeviceOptions } from "./device.ts";
import type { DeviceSessionOptions } from "./session.ts";
import type { Tuning } from "./tuning.ts";

/** Engine options that are sent to the thread. */
export type OpenOptions = Partial<Pick<DeviceSessionOptions, "memory" | "tuning">>;

/** Calls of an engine or a k-means kernel, by method name; arguments are cloned into its thread. */
export interface Calls {
  /** Uploads a circuit to the device; see `WebGpuOptions`. */
  open(circuit: Circuit, options: OpenOptions): { adapter: string; tuning: Tuning };
  /** See `Evaluator.logLikelihoods`. */
  logLikelihoods(samples: Samples): Float64Array;
  /** See `Evaluator.activations`: all nodes, by id. */
  activations(samples: Samples, semiring: Semiring): Float64Array[];
  /** See `Evaluator.leafFlows`. */
  leafFlows(samples: Samples, nodes: readonly NodeId[]): ReadonlyMap<NodeId, Float64Array>;
  /** See `Evaluator.flows`. */
  flows(samples: Samples, sampleWeights?: ArrayLike<number>): Flows;
  /** See `Learner.accumulate`. */
  accumulate(samples: Samples, sampleWeights?: ArrayLike<number>): Accumulated;
  /** See `Learner.update`. */
  update(rule: UpdateRule): void;
  /** See `Learner.parameters`. */
  parameters(): ReadonlyMap<string, ParameterArray>;
  /** See `Learner.setParameters`. */
  setParameters(values: ReadonlyMap<string, ParameterArray>): void;
  /** See `Learner.state`. */
  state(): ReadonlyMap<string, Tensor>;
  /** See `Learner.restore`. */
  restore(state: ReadonlyMap<string, Tensor>): void;
  /** See `Learner.close`. */
  close(): void;
  /** Creates a k-means kernel; `memory`, in bytes, bounds the vectors of a batch. */
  openKMeans(width: number, clusters: number, options: { memory?: number }): { adapter: string };
  /** See `KMeansKernel.begin`. */
  begin(directions: Float32Array, bias: Float32Array): void;
  /** See `KMeansKernel.add`. */
  add(values: Float32Array, rows: number, weights?: BlockWeights): Nearest;
  /** See `KMeansKernel.sums`. */
  sums(): ClusterSums;
  /** See `KMeansKernel.release`. */
  release(): void;
  /** Destroys the device as a driver fault would, for tests. */
  loseDevice(): void;
}

/** Name of a call. */
export type CallName = keyof Calls;

/** The first message to the thread: selects the adapter. */
export interface ThreadSettings {
  readonly type: "settings";
  readonly device: DeviceOptions;
}

/** The last message to the thread: releases the device. */
export interface End {
  readonly type: "end";
}

/** A call of one of the thread's engines or kernels. */
export interface Request {
  readonly type: "call";
  /** Number of the call, repeated in its reply. */
  readonly id: number;
  /** Number of the engine or kernel. */
  readonly engine: number;
  readonly name: CallName;
  readonly args: readonly unknown[];
}

/** Messages from the thread. */
export type Reply =
  | { readonly type: "result"; readonly id: number; readonly value: unknown }
  | { readonly type: "error"; readonly id: number; readonly error: PlainError }
  | { readonly type: "loss"; readonly engine: number; readonly reason: string }
  | { readonly type: "ended" };

/** An error in the form that crosses threads. */
export interface PlainError {
  readonly kind: "circuit" | "pass-lost" | "retort" | "other";
  readonly code?: ErrorCode | undefined;
  readonly message: string;
  readonly hint?: string | undefined;
  readonly faults?: readonly Fault[];
  readonly exitCode?: ExitCode | undefined;
  readonly stack?: string | undefined;
}

/** Converts an error for sending. */
export function plainError(error: unknown): PlainError {
  return {
    kind: error instanceof CircuitError
      ? "circuit"
      : error instanceof PassLostError
      ? "pass-lost"
      : error instanceof RetortError
      ? "retort"
      : "other",
    code: codeOf(error),
    message: messageOf(error),
    hint: hintOf(error),
    exitCode: exitCodeOf(error),
    ...(error instanceof CircuitError && { faults: error.faults }),
    ...(error instanceof Error && { stack: error.stack }),
  };
}

/** Restores an error that was sent. */
export function errorOf({ kind, code, message, hint, faults, exitCode, stack }: PlainError): Error {
  if (kind === "pass-lost") return new PassLostError(message);
  if (code !== undefined && kind === "circuit") {
    return new CircuitError(code, message, { hint, faults: faults ?? [] });
  }
  if (code !== undefined && kind === "retort") {
    return new RetortError(code, message, { hint, ...(exitCode !== undefined && { exitCode }) });
  }
  // Any other error is a bug: the other thread's stack tells where.
  return Object.assign(new Error(message), stack === undefined ? {} : { stack });
}

/** Buffers of arrays that the sender gives up: moved, not copied. Views of parts of larger buffers are excluded. */
export function buffersOf(value: unknown, found: Set<ArrayBuffer> = new Set()): Set<ArrayBuffer> {
  if (ArrayBuffer.isView(value)) {
    if (value.buffer instanceof ArrayBuffer && value.byteLength === value.buffer.byteLength) {
      found.add(value.buffer);
    }
  } else if (value instanceof Map || Array.isArray(value)) {
    for (const part of value.values()) buffersOf(part, found);
  } else if (typeof value === "object" && value !== null) {
    for (const part of Object.values(value)) buffersOf(part, found);
  }
  return found;
}
