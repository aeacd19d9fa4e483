import type { BatchShape } from "./dispatch.ts";
import type { KernelContext } from "./kernel_context.ts";
import type { Groups } from "./pace.ts";

/** Workgroups of kernels that have a thread for every unit (or four) of every row. */
export interface ElementGrid {
  /** Threads along the units. */
  readonly X: number;
  /** Threads along the samples. */
  readonly Y: number;
}

/** A workgroup that suits rows of so many threads. */
export function elementGridFor({ open }: Pick<KernelContext, "open">, width: number): ElementGrid {
  const { software } = open.adapter, { invocations } = open.limits;
  const most = Math.min(software ? 8 : 32, invocations);
  const X = width <= 1 ? 1 : width <= 4 ? Math.min(4, most) : most;
  return { X, Y: Math.max(1, Math.floor(Math.min(software ? 64 : 128, invocations) / X)) };
}

/** Grid of kernels with a thread for every `width` by sample by fold. */
export function elementGroups(
  { X, Y }: ElementGrid,
  width: number,
  folds: number,
): (batch: BatchShape) => Groups {
  return ({ rows }) => [Math.ceil(width / X), Math.ceil(rows / Y), folds];
}

/** Invocations that share a row in kernels that need its maximum: all of a workgroup on hardware, else one. */
export function rowLanes({ open }: Pick<KernelContext, "open">): { LANES: number; X: number } {
  const { invocations } = open.limits;
  if (open.adapter.software) return { LANES: 1, X: Math.min(8, invocations) };
  // Halves of halves: sums go through shared memory in steps of two.
  const lanes = 2 ** Math.floor(Math.log2(Math.min(64, invocations)));
  return { LANES: lanes, X: lanes };
}

/** Grid of kernels with a thread, or a workgroup, for every row. */
export function rowGroups(
  { LANES, X }: { LANES: number; X: number },
  folds: number,
): (batch: BatchShape) => Groups {
  return ({ rows }) => [LANES === 1 ? Math.ceil(rows / X) : rows, 1, folds];
}
