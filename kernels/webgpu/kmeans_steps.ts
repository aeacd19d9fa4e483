import type { Step } from "./dispatch.ts";
import type { ReadyDevice } from "./host.ts";
import type { KernelSpec } from "./kernels.ts";
import type { Settings } from "./settings.ts";

/** How nearest.wgsl computes; kinds are as for matrix products, see tiles.ts. */
export interface NearestTile {
  /** How operands are loaded. */
  readonly kind: "register" | "subgroup" | "shared";
  /** Vectors per thread. */
  readonly rows: number;
  /** Centroids per thread; a multiple of four. */
  readonly columns: number;
  /** Threads of a workgroup along the centroids; 1 for `register`, a subgroup for `subgroup`. */
  readonly x: number;
  /** Threads of a workgroup along the vectors; 1 for `subgroup`. */
  readonly y: number;
}

/** Centroids of one binding, and their accumulators. */
export interface CentroidPage {
  /** Index of the first centroid. */
  readonly first: number;
  /** Number of centroids. */
  readonly clusters: number;
  readonly directions: GPUBuffer;
  readonly bias: GPUBuffer;
  readonly sums: GPUBuffer;
  readonly lost: GPUBuffer;
}

/** Buffers for a batch of vectors. */
export interface BatchBuffers {
  readonly batch: GPUBuffer;
  readonly values: GPUBuffer;
  readonly nearest: GPUBuffer;
  readonly order: GPUBuffer;
  readonly factors: GPUBuffer;
}

/** Workgroup size of centroids.wgsl, and operations per number in a compensated sum. */
const SUM_THREADS = 64, SUM_FLOPS = 12;

/** In software without shared memory, since barriers are slow; on hardware with as much of it as allowed. */
export function nearestTile({ open: { adapter, limits, features } }: ReadyDevice): NearestTile {
  const shared: NearestTile = { kind: "shared", rows: 4, columns: 4, x: 16, y: 16 };
  const lanes = features.subgroup;
  if (!adapter.software && limits.invocations >= 256 && limits.shared >= sharedBytes(shared)) return shared;
  return adapter.software && (lanes === 4 || lanes === 8 || lanes === 16)
    ? { kind: "subgroup", rows: 32, columns: 4, x: lanes, y: 1 }
    : { kind: "register", rows: 8, columns: 8, x: 1, y: 32 };
}

/** Part of the summation length that `shared` loads at a time. */
const DEPTH = 16;

function sharedBytes({ rows, columns, x, y }: NearestTile): number {
  return 4 * DEPTH * (y * rows + x * columns + 8) + 8 * x * y * rows;
}

/** Finds the nearest centroids among those of a page; the first page must run first. */
export function nearestStep(
  tile: NearestTile,
  page: CentroidPage,
  { batch, values, nearest }: BatchBuffers,
  settings: Settings,
  depth: number,
): Step {
  const { kind, rows, columns, x, y } = tile;
  const blocks = Math.ceil(page.clusters / (x * columns));
  const kernel: KernelSpec = {
    template: "nearest",
    constants: {
      TILE: kind,
      ROWS: rows,
      COLS: columns,
      COLS4: columns / 4,
      X: x,
      Y: y,
      ...(kind === "subgroup" && { LANES: x, LOADS: rows / x }),
      ...(kind === "shared" && { DEPTH }),
    },
  };
  return {
    kernel,
    bindings: [
      batch,
      settings.shape(page.clusters, page.first, depth),
      values,
      page.directions,
      page.bias,
      nearest,
    ],
    grid: (shape) => [1, Math.ceil(shape.rows / (y * rows)), 1],
    effort: (shape) => ({
      flops: 2 * Math.ceil(shape.rows / (y * rows)) * y * rows * blocks * x * columns * (4 * depth + 2),
      bytes: 16 * depth * (shape.rows + page.clusters) + 8 * shape.rows,
    }),
    rounds: blocks,
  };
}

/** Adds vectors to the sums of a page. */
export function sumStep(
  page: CentroidPage,
  { values, order, factors }: BatchBuffers,
  settings: Settings,
  depth: number,
  { clusters, capacity }: { readonly clusters: number; readonly capacity: number },
): Step {
  return {
    kernel: { template: "centroids", constants: { X: SUM_THREADS } },
    bindings: [
      settings.shape(page.clusters, page.first, depth, 0),
      values,
      order,
      factors,
      page.sums,
      page.lost,
    ],
    grid: () => [Math.ceil(page.clusters * depth / SUM_THREADS), 1, 1],
    // In the worst case one cluster has all vectors, and a few threads do all the work.
    effort: ({ rows }) => ({
      flops: 4 * depth * (rows * SUM_FLOPS + 2 * page.clusters),
      bytes: 16 * depth * (rows + 4 * page.clusters),
      alone: 4 * SUM_THREADS * rows * SUM_FLOPS,
    }),
    rounds: clusters + 1 + capacity,
  };
}
