import type { Plan } from "../plan.ts";
import type { OpenDevice } from "./device.ts";
import type { Layout } from "./layout.ts";
import { ParameterPlaces } from "./parameter_places.ts";
import type { Settings } from "./settings.ts";
import type { TileChoice } from "./tiles.ts";

/** The arrays that kernels use; see {@link Layout} for those that depend on the batch. */
export interface Arrays {
  /** The batch's shape, as in common.wgsl. */
  readonly batch: GPUBuffer;
  /** `[samples, columns]`: value words, see `Columns`. */
  readonly values: GPUBuffer;
  /** Logarithms. */
  readonly logs: GPUBuffer;
  /** Scales of rows. */
  readonly scales: GPUBuffer;
  /** Linear inputs of sums. */
  readonly linear: GPUBuffer;
  /** Marks of rows of sums. */
  readonly marks: GPUBuffer;
  /** Parts of products whose sums are cut; see products.ts. */
  readonly partials: GPUBuffer;
  /** Weights of sums, by page. */
  readonly weights: readonly GPUBuffer[];
  /** Leaf tables, by page. */
  readonly tables: readonly GPUBuffer[];
  /** Mode log-likelihoods of leaves: a row for every slot of every table. */
  readonly modes: GPUBuffer;
}

/** The arrays for the downward pass and learning. */
export interface LearningArrays {
  /** Flows. */
  readonly flows: GPUBuffer;
  /** Flows divided by values. */
  readonly ratios: GPUBuffer;
  /** Flags of sum folds. */
  readonly flags: GPUBuffer;
  /** Weight counts, by page. */
  readonly counts: readonly GPUBuffer[];
  /** Leaf statistics, by page. */
  readonly statistics: readonly GPUBuffer[];
  /** Which scopes have something observed in each sample of a partial batch; see `encodeSeen`. */
  readonly seen: GPUBuffer;
  /** Sorted tokens of the batch; see tokens.ts. */
  readonly words: GPUBuffer;
}

/** Everything that steps are built from. */
export interface KernelContext {
  /** The device. */
  readonly open: OpenDevice;
  /** The circuit's plan. */
  readonly plan: Plan;
  /** Layout of activations. */
  readonly layout: Layout;
  /** Locations of parameters. */
  readonly places: ParameterPlaces;
  /** Collects the steps' tables. */
  readonly settings: Settings;
  /** Chooses tiles for matrix products. */
  readonly tiles: TileChoice;
  /** The arrays that the steps use. */
  readonly arrays: Arrays;
}

/** A {@link KernelContext} that learns. */
export interface LearningContext extends KernelContext {
  /** The arrays of the downward pass. */
  readonly learning: LearningArrays;
}
