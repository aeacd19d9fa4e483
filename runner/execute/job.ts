import type { Digest, JsonObject } from "../../foundation/canonical.ts";
import type { ErrorCode } from "../../foundation/errors.ts";
import type { Artifact } from "../codec.ts";
import type { KeyComponents } from "../key.ts";
import type { EngineChoice } from "../stage.ts";
import type { JobCode } from "../stored_code.ts";
import type { NodeResult } from "../store/store.ts";

/** One execution of a node, self-contained: a worker process needs nothing else. Plain JSON. */
export interface Job {
  readonly run: string;
  readonly pipeline: string;
  readonly node: string;
  /** File URL of the module that declares the stage, and where among its exports it stands. */
  readonly module: string;
  readonly path: readonly string[];
  readonly stage: string;
  /** Digest of what the stage declares besides its code: see `declarationDigest`. */
  readonly declared: Digest;
  readonly params: JsonObject;
  readonly inputs: Readonly<Record<string, Artifact | readonly Artifact[]>>;
  readonly key: Digest;
  readonly components: KeyComponents;
  readonly seed: number | null;
  readonly engine: EngineChoice;
  /** Part of the name of the WebGPU adapter that was asked for. */
  readonly adapter?: string;
  /** Seconds, or null. */
  readonly timeout: number | null;
  /** Most bytes of memory that its process and the programs that it starts may take, or null. */
  readonly memory: number | null;
  /** Cores and graphics cards that it takes; jobs of older versions do not say. */
  readonly cores?: number;
  readonly gpus?: number;
  /** Its code in the store; without it the stage is executed where its module lies. */
  readonly code?: JobCode;
  /** Path of the project's `deno.json`, which says what the stage's imports mean; jobs of older versions have none. */
  readonly config?: string;
  /** Root of the store. */
  readonly store: string;
  /**
   * `make`: unless a result is there. `recompute`: even if a result or a checkpoint is there. `check`:
   * likewise, but the result is only returned, not recorded. `remake`: the outputs of `wanted`, which were dropped, unless they are
   * there; they must be what they were.
   */
  readonly mode: "make" | "recompute" | "check" | "remake";
  /** Dropped outputs to be made again. */
  readonly wanted?: readonly string[];
}

/** How an execution ended. */
export type Outcome =
  | { readonly kind: "done"; readonly result: NodeResult }
  /** Another process computed it while this one waited for the key's lock. */
  | { readonly kind: "elsewhere"; readonly result: NodeResult }
  | {
    readonly kind: "failed";
    readonly code: ErrorCode;
    readonly error: string;
    readonly hint?: string;
    readonly stack?: string;
  }
  /** Inputs that were damaged and have been set aside. */
  | {
    readonly kind: "damaged";
    readonly code: ErrorCode;
    readonly error: string;
    readonly digests: readonly Digest[];
  }
  | { readonly kind: "interrupted" };

/** A message from a running execution. A metric's value is null if it was not finite. */
export type JobMessage =
  | { readonly type: "log"; readonly text: string }
  /** A worker has taken the job. */
  | { readonly type: "taken"; readonly worker: string; readonly host: string }
  /** Most bytes of memory that were seen. */
  | { readonly type: "used"; readonly memory: number }
  /** For another run that computes the same, or for what is named. */
  | { readonly type: "waiting"; readonly for?: string }
  | { readonly type: "progress"; readonly done: number; readonly total?: number; readonly unit?: string }
  | { readonly type: "metric"; readonly name: string; readonly value: number | null; readonly step?: number }
  | { readonly type: "chosen"; readonly name: string; readonly value: string | number };
