import type { Group, InnerShape, ProductGroup, SumGroup } from "../plan.ts";
import type { KernelContext } from "./kernel_context.ts";
import { pieceSource } from "./layout.ts";

/** Positions of a sum's pieces in their concatenation. */
export function spansOf(group: InnerShape): { at: number; width: number }[] {
  let at = 0;
  return group.widths.map((width) => {
    const span = { at, width };
    at += width;
    return span;
  });
}

/**
 * Whether kernels can read all pieces of a group as whole vec4: aligned, and without another piece's unit in the last
 * one.
 */
export function wholeFours({ layout, plan }: KernelContext, group: ProductGroup | SumGroup): boolean {
  const spans = group.kind === "sum" ? spansOf(group) : [];
  const last = group.arity - 1;
  for (let fold = 0; fold < group.folds; fold++) {
    for (let piece = 0; piece < group.arity; piece++) {
      const [child, childFold, unit] = pieceSource(group, fold, piece);
      const source = plan.groups[child] as Group;
      if ((layout.logs(source, childFold).at + unit) % 4 !== 0) return false;
      const width = group.widths[piece] as number;
      const toEnd = unit + width === source.units;
      const fits = width % 4 === 0 || (toEnd && (group.kind === "product" || piece === last));
      if (!fits || (spans[piece]?.at ?? 0) % 4 !== 0) return false;
    }
  }
  return true;
}

/** For every piece of the given folds: its first unit, stride and scale offset, in vectors of `by` numbers. */
export function piecesTable(
  { settings, layout, plan }: KernelContext,
  group: InnerShape,
  folds: readonly number[],
  by: number,
): GPUBufferBinding {
  return settings.table(folds.flatMap((fold) =>
    Array.from({ length: group.arity }, (_, piece) => {
      const [child, childFold, unit] = pieceSource(group, fold, piece);
      const source = plan.groups[child] as Group, from = layout.logs(source, childFold);
      return [(from.at + unit) / by, from.stride / by, layout.scale(source, childFold), 0];
    }).flat()
  ));
}

/** Words that repair.wgsl reads per fold, and per piece of a fold. */
export const FOLD_WORDS = 12, PIECE_WORDS = 5;

/** Words that repair.wgsl reads for a fold and its pieces: the longest table of any kernel. */
export function logDomainWords(arity: number): number {
  return FOLD_WORDS + PIECE_WORDS * arity;
}

/** A fold and the location of its weights, for repair.wgsl. */
export interface LogDomainFold {
  /** The group. */
  readonly group: SumGroup;
  /** The fold. */
  readonly fold: number;
  /** Offset of its first weight in the page. */
  readonly weights: number;
}

/** Words for repair.wgsl: folds, then their pieces, numbered from `base`. */
export function logDomainFolds(
  { layout, plan }: KernelContext,
  list: readonly LogDomainFold[],
  base = 0,
): number[] {
  const folds: number[] = [], pieces: number[] = [];
  const start = base + list.length * FOLD_WORDS;
  for (const { group, fold, weights } of list) {
    const logs = layout.logs(group, fold), flow = layout.flows(group, fold), into = layout.into(group, fold);
    folds.push(
      logs.at,
      logs.stride,
      layout.scale(group, fold),
      layout.mark(group, fold),
      layout.flag(group, fold),
      flow.at,
      flow.stride,
      into.at,
      into.stride,
      weights,
      start + pieces.length,
      group.arity,
    );
    spansOf(group).forEach(({ at, width }, piece) => {
      const [child, childFold, unit] = pieceSource(group, fold, piece);
      const source = plan.groups[child] as Group, from = layout.logs(source, childFold);
      pieces.push(from.at + unit, from.stride, layout.scale(source, childFold), at, width);
    });
  }
  if (pieces.length !== list.reduce((n, { group }) => n + group.arity, 0) * PIECE_WORDS) {
    throw new RangeError("pieces and folds do not agree");
  }
  return [...folds, ...pieces];
}
