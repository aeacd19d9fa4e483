import type { Plan } from "../plan.ts";
import type { OpenDevice } from "./device.ts";
import type { Layout } from "./layout.ts";
import { ParameterPlaces } from "./parameter_places.ts";
import type { Settings } from "./settings.ts";
import type { TileChoice } from "./tiles.ts";

/** The arrays that kernels work on; see {@link Layout} for those that depend on the batch. */
export interface Arrays {
  /** The shape of the batch, as common.wgsl has it. */
  readonly batch: GPUBuffer;
  /** `[samples, columns]`: words of values, see `Columns`. */
  readonly values: GPUBuffer;
  /** Logarithms. */
  readonly logs: GPUBuffer;
  /** Scales of rows. */
  readonly scales: GPUBuffer;
  /** Linear inputs of sums. */
  readonly linear: GPUBuffer;
  /** Marks of rows of sums. */
  readonly marks: GPUBuffer;
  /** Weights of sums, by page. */
  readonly weights: readonly GPUBuffer[];
  /** Tables of leaves, by page. */
  readonly tables: readonly GPUBuffer[];
  /** Logarithms of the modes of leaves: a row for every slot of every table. */
  readonly modes: GPUBuffer;
}

/** The arrays of the downward pass and of learning. */
export interface LearningArrays {
  /** Flows. */
  readonly flows: GPUBuffer;
  /** Flows over values. */
  readonly ratios: GPUBuffer;
  /** Flags of folds of sums. */
  readonly flags: GPUBuffer;
  /** Counts of weights, by page. */
  readonly counts: readonly GPUBuffer[];
  /** Statistics of leaves, by page. */
  readonly statistics: readonly GPUBuffer[];
  /** Of which scopes each sample of a partial batch has something observed; see `encodeSeen`. */
  readonly seen: GPUBuffer;
  /** Sorted tokens of the batch; see tokens.ts. */
  readonly words: GPUBuffer;
  /** Sums of a part of the terms of a count, where a dispatch may do no more; see matmul.wgsl. */
  readonly carried: GPUBuffer;
}

/** All that steps are built from. */
export interface KernelContext {
  /** The device. */
  readonly open: OpenDevice;
  /** What is run. */
  readonly plan: Plan;
  /** Where activations lie. */
  readonly layout: Layout;
  /** Where parameters lie. */
  readonly places: ParameterPlaces;
  /** Collects the tables of the steps. */
  readonly settings: Settings;
  /** Chooses tiles for matrix products. */
  readonly tiles: TileChoice;
  /** What the steps work on. */
  readonly arrays: Arrays;
}

/** A {@link KernelContext} that learns. */
export interface LearningContext extends KernelContext {
  /** What the steps of the downward pass work on. */
  readonly learning: LearningArrays;
}
