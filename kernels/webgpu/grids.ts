import type { BatchShape } from "./dispatch.ts";
import type { KernelContext } from "./kernel_context.ts";
import type { Groups } from "./pace.ts";

/** Workgroup size of kernels with one thread per unit (or four units) of every row. */
export interface ElementGrid {
  /** Threads along the units. */
  readonly X: number;
  /** Threads along the samples. */
  readonly Y: number;
}

/** Workgroup size suited to rows of `width` threads. */
export function elementGridFor({ open }: Pick<KernelContext, "open">, width: number): ElementGrid {
  const { software } = open.adapter, { invocations } = open.limits;
  const most = Math.min(software ? 8 : 32, invocations);
  const X = width <= 1 ? 1 : width <= 4 ? Math.min(4, most) : most;
  return { X, Y: Math.max(1, Math.floor(Math.min(software ? 64 : 128, invocations) / X)) };
}

/** Grid of kernels with one thread per element, sample and fold. */
export function elementGroups(
  { X, Y }: ElementGrid,
  width: number,
  folds: number,
): (batch: BatchShape) => Groups {
  return ({ rows }) => [Math.ceil(width / X), Math.ceil(rows / Y), folds];
}

/** Number of invocations per row in kernels that need its maximum: a whole workgroup on hardware, otherwise one. */
export function rowLanes({ open }: Pick<KernelContext, "open">): { LANES: number; X: number } {
  const { invocations } = open.limits;
  if (open.adapter.software) return { LANES: 1, X: Math.min(8, invocations) };
  // A power of two: shared-memory reductions halve at each step.
  const lanes = 2 ** Math.floor(Math.log2(Math.min(64, invocations)));
  return { LANES: lanes, X: lanes };
}

/** Grid of kernels with one thread, or workgroup, per row. */
export function rowGroups(
  { LANES, X }: { LANES: number; X: number },
  folds: number,
): (batch: BatchShape) => Groups {
  return ({ rows }) => [LANES === 1 ? Math.ceil(rows / X) : rows, 1, folds];
}
